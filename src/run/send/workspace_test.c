#include "run/send/workspace.h"

#include "base/test.h"

TEST(workspace, everything_may_be_left_out_and_the_sender_takes_the_workspaces_name)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct workspace                   workspace;
    assert_ok(workspace_parse(arena, STR(""), &workspace, NULL));
    assert_int_equal(workspace.sender_email.len, 0);
    assert_ok(workspace_parse(arena,
                              STR("{\"name\":\"Tents\",\"address\":\"1 Road\\nBergen\","
                                  "\"sender\":{\"email\":\"ada@tents.example\"},"
                                  "\"topics\":[\"news\",{\"id\":\"offers\",\"name\":\"Offers\"}],"
                                  "\"lists\":[\"newsletter\"]}"),
                              &workspace, NULL));
    assert_str(workspace.sender_name, "Tents");
    assert_str(workspace.address, "1 Road\nBergen");
    assert_int_equal(workspace.topics_count, 2);
    assert_str(workspace.topics[0].name, "news");
    assert_str(workspace.topics[1].name, "Offers");
    assert_int_equal(workspace.lists_count, 1);
}

TEST(workspace, a_mistake_is_told_with_its_field_and_remedy)
{
    static const struct {
        const char *text, *where;
    } cases[] = {
        { "[]", "workspace.json:" },
        { "{\"nmae\":\"x\"}", "workspace.json:nmae" },
        { "{\"name\":7}", "workspace.json:name" },
        { "{\"name\":\"a\\r\\nBcc: x\"}", "workspace.json:name" },
        { "{\"sender\":{\"mail\":\"a@b.example\"}}", "workspace.json:sender.mail" },
        { "{\"sender\":{\"email\":\"ada\"}}", "workspace.json:sender.email" },
        { "{\"sender\":{\"email\":\"a\\nb@c.example\"}}", "workspace.json:sender.email" },
        { "{\"sender\":{\"reply_to\":5}}", "workspace.json:sender.reply_to" },
        { "{\"topics\":\"news\"}", "workspace.json:topics" },
        { "{\"topics\":[\"a\",\"a\"]}", "workspace.json:topics[1]" },
        { "{\"lists\":[{\"name\":\"x\"}]}", "workspace.json:lists[0]" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
        struct workspace                   workspace;
        struct problem                     problem = { 0 };
        assert_int_equal(workspace_parse(arena, str_of(cases[i].text), &workspace, &problem),
                         ERR_INPUT);
        assert_string_equal(problem.where, cases[i].where);
        assert_true(problem.remedy[0] != '\0');
    }
}

static void senders_refused(const char *text, const char *where)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct workspace                   out;
    struct problem                     problem = { 0 };
    assert_int_equal(workspace_parse(arena, str_of(text), &out, &problem), ERR_INPUT);
    assert_string_equal(problem.where, where);
    assert_true(problem.remedy[0] != '\0');
}

TEST(workspace, senders_and_rules_for_links_that_could_not_work_are_refused)
{
    senders_refused("{\"senders\":{}}", "workspace.json:senders");
    senders_refused("{\"senders\":[{\"id\":\"a\"}]}", "workspace.json:senders[0]");
    senders_refused("{\"senders\":[{\"id\":\"a\",\"email\":\"nobody\"}]}",
                    "workspace.json:senders[0].email");
    senders_refused("{\"senders\":[{\"id\":\"a\",\"email\":\"a@b.example\",\"mail\":1}]}",
                    "workspace.json:senders[0].mail");
    senders_refused("{\"senders\":[{\"id\":\"a\",\"email\":\"a@b.example\"},{\"id\":\"a\","
                    "\"email\":\"c@b.example\"}]}",
                    "workspace.json:senders[1]");
    senders_refused("{\"utm\":{\"source\":\"{{ x\"}}", "workspace.json:utm.source");
    senders_refused("{\"utm\":{\"sauce\":\"x\"}}", "workspace.json:utm.sauce");
    senders_refused("{\"utm\":{\"domains\":\"x\"}}", "workspace.json:utm.domains");
}
