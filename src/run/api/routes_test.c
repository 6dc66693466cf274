/* The table and its description say the same. */
#include "run/api/routes.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/test.h"

enum { OPENAPI_BYTES_MAX = 1 << 20 };

static struct arena *arena;

static const struct json *document(void)
{
    static struct json doc;
    char              *text = arena_alloc(arena, OPENAPI_BYTES_MAX);
    FILE              *file = fopen(DULT_SOURCE_DIR "/src/run/api/openapi.json", "r");
    assert_non_null(file);
    size_t len = fread(text, 1, OPENAPI_BYTES_MAX, file);
    fclose(file);
    assert_ok(json_parse_once(arena, (struct str){ text, len }, &doc, NULL));
    return &doc;
}

static const struct json *operation(const struct json *doc, const struct api_route *route)
{
    char method[8] = "";
    for (size_t i = 0; route->method[i] != '\0' && i < sizeof method - 1; i++)
        method[i] = (char)(route->method[i] | 0x20);
    return json_get(json_get(json_get(doc, STR("paths")), str_of(route->pattern)), str_of(method));
}

TEST(routes, every_route_is_described_with_its_scope)
{
    size_t                  count;
    const struct api_route *routes = api_routes(&count);
    arena = arena_open(64 << 20);
    const struct json *doc = document();
    for (size_t i = 0; i < count; i++) {
        const struct json *told = operation(doc, &routes[i]);
        if (told == NULL)
            print_error("%s %s is not described\n", routes[i].method, routes[i].pattern);
        assert_non_null(told);
        const struct json *scope = json_path(told, STR("security.0.bearer.0"));
        if (routes[i].need == ROUTE_SCOPE)
            assert_str(scope == NULL ? STR_NONE : scope->string, routes[i].scope);
        else if (strcmp(routes[i].pattern, "/metrics") != 0)
            assert_null(scope);
        if (routes[i].need == ROUTE_WRITE_KEY)
            assert_non_null(json_path(told, STR("security.0.writeKey")));
    }
    arena_close(arena);
}

TEST(routes, nothing_is_described_that_is_not_served)
{
    size_t                  count, told = 0;
    const struct api_route *routes = api_routes(&count);
    arena = arena_open(64 << 20);
    const struct json *doc = document(), *paths = json_get(doc, STR("paths"));
    assert_true(str_starts(json_get_str(doc, STR("openapi")), STR("3.1")));
    for (uint32_t i = 0; i < paths->count; i++)
        told += paths->members[i].value.count;
    for (size_t i = 0; i < count; i++)
        assert_non_null(operation(doc, &routes[i]));
    assert_int_equal(told, count); /* each is served, so no other can be there */
    arena_close(arena);
}

TEST(routes, every_parameter_of_a_path_is_described)
{
    size_t                  count;
    const struct api_route *routes = api_routes(&count);
    arena = arena_open(64 << 20);
    const struct json *doc = document();
    for (size_t i = 0; i < count; i++) {
        struct str rest = str_of(routes[i].pattern), piece;
        while (str_split(&rest, '/', &piece)) {
            const struct json *given = json_get(operation(doc, &routes[i]), STR("parameters"));
            bool               found = false;
            if (!str_starts(piece, STR("{")))
                continue;
            for (uint32_t k = 0; given != NULL && k < given->count; k++)
                found = found || str_eq(json_get_str(&given->items[k], STR("name")),
                                        str_slice(piece, 1, piece.len - 1));
            assert_true(found);
        }
    }
    arena_close(arena);
}
