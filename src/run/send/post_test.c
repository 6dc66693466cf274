#include "run/send/post.h"

#include "base/test.h"

/* The lines of an address in JSON, of a letter from there. */
static void lines_from(struct provider_origin from, const char *address, const char *wanted)
{
    struct arena *arena = arena_open(1 << 20);
    struct buf    out = buf_make(1000);
    struct json   json;
    assert_ok(json_parse_once(arena, str_of(address), &json, NULL));
    assert_ok(post_lines(&json, &from, &out));
    assert_str(buf_view(&out), wanted);
    buf_done(&out);
    arena_close(arena);
}

static void lines_are(const char *address, const char *wanted)
{
    lines_from((struct provider_origin){ STR_NONE, STR_NONE }, address, wanted);
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

/* As an envelope is written in each country. */
TEST(post, the_lines_follow_the_customs_of_the_country)
{
    lines_are("{\"name\":\"Nagy Anna\",\"street\":\"Honvéd utca 13\",\"city\":\"Budapest\","
              "\"postal_code\":\"1055\",\"country\":\"HU\"}",
              "Nagy Anna\nBudapest\nHonvéd utca 13\n1055\nHUNGARY");
    lines_are("{\"name\":\"Jo\",\"street\":\"2-3-4 Taishido\",\"city\":\"Setagaya-ku\","
              "\"state\":\"Tokyo\",\"postal_code\":\"154-0023\",\"country\":\"JP\"}",
              "Jo\n2-3-4 Taishido\nSetagaya-ku, Tokyo 154-0023\nJAPAN");
    lines_are("{\"name\":\"Jo\",\"street\":\"2-3-4 Taishido\",\"city\":\"Setagaya-ku\","
              "\"postal_code\":\"154-0023\",\"country\":\"JP\"}",
              "Jo\n2-3-4 Taishido\nSetagaya-ku 154-0023\nJAPAN");
    lines_are("{\"name\":\"Liga\",\"street\":\"Brīvības iela 1\",\"city\":\"Rīga\","
              "\"postal_code\":\"LV-1010\",\"country\":\"LV\"}",
              "Liga\nBrīvības iela 1\nRīga, LV-1010\nLATVIA");
    lines_are("{\"name\":\"Ana\",\"street\":\"Rua 1\",\"city\":\"Salvador\",\"state\":\"BA\","
              "\"postal_code\":\"40301-110\",\"country\":\"BR\"}",
              "Ana\nRua 1\nSalvador-BA\n40301-110\nBRAZIL");
    lines_are("{\"name\":\"Al\",\"street\":\"Calle 50\",\"city\":\"Bogota\",\"state\":\"DC\","
              "\"postal_code\":\"111071\",\"country\":\"CO\"}",
              "Al\nCalle 50\n111071 Bogota\nDC\nCOLOMBIA");
}

TEST(post, the_country_is_written_as_the_senders_post_wants_it)
{
    static const char ada[] = "{\"name\":\"Ada\",\"street\":\"Storgata 1\",\"city\":\"Bergen\","
                              "\"postal_code\":\"5003\",\"country\":\"NO\"}";
    lines_from((struct provider_origin){ STR("fr"), STR("CH") }, ada,
               "Ada\nStorgata 1\n5003 Bergen\nNORVÈGE");
    lines_from((struct provider_origin){ STR("de"), STR("CH") }, ada,
               "Ada\nStorgata 1\n5003 Bergen\nNORWEGEN");
    lines_from((struct provider_origin){ STR("klingon"), STR("CH") }, ada,
               "Ada\nStorgata 1\n5003 Bergen\nNORWAY");
    lines_from((struct provider_origin){ STR("no"), STR("no") }, ada,
               "Ada\nStorgata 1\n5003 Bergen\n");
}
