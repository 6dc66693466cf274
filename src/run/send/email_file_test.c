#include "run/send/email_file.h"

#include "base/test.h"

#define NAME STR("welcome")

static void refused(const char *source, const char *where, const char *what)
{
    struct problem    problem = { 0 };
    struct email_file file;
    assert_int_equal(email_file_check(NAME, str_of(source), NULL, &file, &problem), ERR_INPUT);
    assert_string_equal(problem.where, where);
    if (what != NULL)
        assert_string_equal(problem.what, what);
    assert_true(problem.remedy[0] != '\0');
}

TEST(email_file, header_lines_and_two_bodies_are_read_with_their_places)
{
    struct problem    problem = { 0 };
    struct email_file file;
    assert_ok(email_file_check(NAME,
                               STR("subject: Hi {{ person.name }}\r\nTopic:  news\r\n"
                                   "from: Ada: of Tents\n\npreheader: soon\n--- html\r\n"
                                   "<p>Hi</p>\n--- other\n--- text\nHi\nthere"),
                               NULL, &file, &problem));
    assert_str(file.subject.text, "Hi {{ person.name }}");
    assert_int_equal(file.subject.line, 1);
    assert_int_equal(file.subject.column, 10);
    assert_str(file.topic, "news");
    assert_str(file.from, "Ada: of Tents");
    assert_str(file.preheader.text, "soon");
    assert_str(file.html.text, "<p>Hi</p>\n--- other\n");
    assert_int_equal(file.html.line, 7);
    assert_str(file.text.text, "Hi\nthere");
    assert_int_equal(file.text.line, 10);
    assert_false(file.transactional);
}

TEST(email_file, a_text_alone_is_a_template_and_yes_is_transactional)
{
    struct email_file file;
    assert_ok(email_file_check(NAME, STR("subject: s\ntransactional: YES\n--- text\nx"), NULL,
                               &file, NULL));
    assert_true(file.transactional);
    assert_int_equal(file.html.line, 0);
    assert_str(file.text.text, "x");
}

TEST(email_file, a_fault_is_told_with_its_line_column_and_remedy)
{
    refused("--- html\nx", "templates/welcome.email:1:1", "The template has no subject.");
    refused("subject: a\nsubject: b\n--- html\nx", "templates/welcome.email:2:1",
            "This header line is here twice.");
    refused("subject: a\nsbject: b\n--- html\nx", "templates/welcome.email:2:1",
            "There is no header \"sbject\".");
    refused("subject: a\nwhat is this\n--- html\nx", "templates/welcome.email:2:1",
            "This line is not \"name: value\".");
    refused("subject: a\ntransactional: maybe\n--- html\nx", "templates/welcome.email:2:16",
            "\"transactional\" is neither yes nor no.");
    refused("subject: a\nin_doubt: yes\n--- html\nx", "templates/welcome.email:2:11",
            "\"in_doubt\" can only be send again.");
    refused("subject: a\nin_doubt: send again\n--- html\nx", "templates/welcome.email:2:1",
            "Only what is transactional is sent again when in doubt.");
    refused("subject: a\n--- htlm\nx", "templates/welcome.email:2:1", "There is no such body.");
    refused("subject: a\n--- html\nx\n--- html\ny", "templates/welcome.email:4:1",
            "This body is here twice.");
    refused("subject: a\n", "templates/welcome.email:2:1", "The template has no body.");
    refused("subject: a\n--- html\n  \n", "templates/welcome.email:4:1", "The body is empty.");
    refused("subject: \xff\n--- html\nx", "templates/welcome.email:1:1", "The file is not UTF-8.");
}

TEST(email_file, broken_liquid_is_refused_where_it_stands_in_the_file)
{
    refused("subject: Hi {{ person.name | nofilter }}\n--- html\nx", "templates/welcome.email:1:30",
            NULL);
    refused("subject: a\n--- html\n<p>\n{% if person.vip %}\n", "templates/welcome.email:4:1",
            NULL);
    refused("subject: a\n--- html\nx\n--- text\n{{ a | }}", "templates/welcome.email:5:1", NULL);
}

TEST(email_file, mjml_is_kept_beside_the_html_and_conditions_are_the_engines)
{
    struct problem    problem = { 0 };
    struct email_file file;
    assert_ok(email_file_check(NAME,
                               STR("subject: s\nsender: help\nlanguage: nb\nutm_source: {{ a }}\n"
                                   "when vip: in segment \"vip\"\n--- mjml\n<mjml>{{ broken\n"
                                   "--- html\n<p>"),
                               NULL, &file, &problem));
    assert_str(file.mjml.text, "<mjml>{{ broken\n");
    assert_str(file.html.text, "<p>");
    assert_str(file.sender, "help");
    assert_str(file.language, "nb");
    assert_str(file.utm[UTM_SOURCE].text, "{{ a }}");
    refused("subject: s\n--- mjml\n<mjml>", "templates/welcome.email:3:1", "The body is empty.");
    refused("subject: s\nutm: yes\n--- html\nx", "templates/welcome.email:2:6", NULL);
    refused("subject: s\nutm_term: {{ a\n--- html\nx", "templates/welcome.email:2:11", NULL);
}
