#include "run/send/post.h"

#include "base/test.h"

/* The lines of an address in JSON. */
static void lines_are(const char *address, const char *wanted)
{
    struct arena *arena = arena_open(1 << 20);
    struct buf    out = buf_make(1000);
    struct json   json;
    assert_ok(json_parse_once(arena, str_of(address), &json, NULL));
    assert_ok(post_lines(&json, &out));
    assert_str(buf_view(&out), wanted);
    buf_done(&out);
    arena_close(arena);
}

TEST(post, an_address_stands_as_its_country_writes_it)
{
    lines_are(
        "{\"name\":\"Ada\",\"street\":\"Storgata 1\",\"city\":\"Bergen\",\"postal_code\":\"5003\","
        "\"state\":\"\",\"country\":\"NO\"}",
        "Ada\nStorgata 1\n5003 Bergen\nNORWAY");
    lines_are(
        "{\"name\":\"Eve\",\"street\":\"1 High St\",\"city\":\"Leeds\",\"postal_code\":\"LS1 1AA\","
        "\"country\":\"GB\"}",
        "Eve\n1 High St\nLeeds\nLS1 1AA\nUNITED KINGDOM");
    lines_are(
        "{\"name\":\"Bob\",\"street\":\"2 King St\",\"city\":\"Boise\",\"postal_code\":\"83701\","
        "\"state\":\"ID\",\"country\":\"US\"}",
        "Bob\n2 King St\nBoise ID 83701\nUNITED STATES");
    lines_are("{\"name\":\"\",\"street\":\" Rua 3 \",\"city\":\"Lisboa\",\"country\":\"PT\"}",
              "Rua 3\nLisboa\nPORTUGAL");
}
