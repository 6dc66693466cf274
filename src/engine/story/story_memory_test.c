/* Stories told with too little memory: everything that journeys are made of, defined and lived. */
#include "base/test.h"
#include "engine/short_memory_test.h"
#include "engine/story/story.h"

#define PAPER "subject: hi\ntransactional: yes\n--- html\n<p>hi</p>\n"

#define TEXT(text)                                                                                 \
    {                                                                                              \
        text, sizeof text - 1                                                                      \
    }

static const struct story_definition SHOP[] = {
    { DEFINE_SEGMENT, TEXT("buyers"), TEXT("did \"Bought\""), "segments/buyers.segment" },
    { DEFINE_WORKSPACE, TEXT(""), TEXT("{\"name\":\"x\",\"topics\":[{\"id\":\"news\"}]}"),
      "workspace.json" },
    { DEFINE_CODES, TEXT("spring"), TEXT("{\"kind\":\"fixed\",\"code\":\"SPRING\"}"),
      "codes/spring.json" },
    { DEFINE_TEMPLATE, TEXT("hello"), TEXT(PAPER), "templates/hello.email" },
    { DEFINE_TEMPLATE, TEXT("later"), TEXT(PAPER), "templates/later.email" },
    { DEFINE_JOURNEY, TEXT("welcome"),
      TEXT("{\"journey\":\"welcome\",\"trigger\":{\"event\":\"Signed Up\"},"
           "\"exit_when\":\"did \\\"Bought\\\" since entry\",\"nodes\":["
           "{\"id\":\"hello\",\"email\":\"hello\"},"
           "{\"id\":\"pause\",\"wait\":\"3 days\"},"
           "{\"id\":\"later\",\"email\":\"later\"},"
           "{\"id\":\"end\",\"exit\":true}]}"),
      "journeys/welcome.json" },
};

static enum err tell(const void *text, uint64_t *told)
{
    struct arena        *arena = arena_open(64 << 20);
    struct story_world   world = { SHOP, sizeof SHOP / sizeof SHOP[0], NULL };
    struct story_results results = { 0 };
    struct problem       problem;
    enum err             err = ERR_MEMORY;
    if (arena != NULL)
        err = story_tell_all(arena, str_of(text), &world, &results, &problem);
    for (uint32_t i = 0; err == OK && i < results.count; i++) {
        *told = short_memory_tell(*told, results.items[i].story);
        *told = short_memory_tell(*told, results.items[i].said);
    }
    arena_close(arena);
    return err;
}

TEST(story_memory, a_story_for_which_memory_is_short_ends_so_and_leaves_nothing)
{
    static const char text[] =
        "{\"stories\":[{\"story\":\"one\",\"from\":\"2026-03-02T10:00:00Z\",\"tell\":["
        "{\"person\":\"ada\",\"traits\":{\"email\":\"ada@x.example\"}},"
        "{\"person\":\"ada\",\"event\":\"Signed Up\"},"
        "{\"person\":\"ada\",\"joins\":\"friends\"},"
        "{\"person\":\"ada\",\"opens\":\"hello\"},{\"person\":\"ada\",\"clicks\":\"hello\"},"
        "{\"person\":\"ada\",\"expect\":\"everyone\"},"
        "{\"after\":\"4 days\",\"person\":\"ada\",\"gets\":[\"hello\",\"later\"]}]},"
        "{\"story\":\"false\",\"from\":\"2026-03-02T10:00:00Z\",\"tell\":["
        "{\"person\":\"bo\",\"event\":\"Bought\",\"properties\":{\"amount\":7,\"a\":[1,\"x\"]}},"
        "{\"person\":\"bo\",\"expect\":\"not in segment \\\"buyers\\\"\"}]},"
        "{\"story\":\"nothing comes\",\"from\":\"2026-03-02T10:00:00Z\",\"tell\":["
        "{\"person\":\"cy\",\"traits\":{\"email\":\"cy@x.example\"}},"
        "{\"person\":\"cy\",\"event\":\"Signed Up\"},{\"person\":\"cy\",\"gets\":[]}]}]}";
    assert_true(short_memory_everywhere(tell, text) > 200);
}
