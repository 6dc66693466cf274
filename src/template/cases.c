#include "template/template.h"

/* Some hundred thousand cases, parsed. */
#define CASES_ARENA_BYTES_MAX ((size_t)512 << 20)
#define CASE_ARENA_BYTES_MAX ((size_t)64 << 20)
/* Failures show the start of both texts. */
enum { CASE_SHOWN_BYTES = 160 };

static enum err snippet_of_case(void *owner, struct str name, struct arena *arena,
                                struct str *source)
{
    const struct json *found = json_get(owner, name);
    if (found == NULL || found->kind != JSON_STRING)
        return ERR_ABSENT;
    *source = str_copy(arena, found->string);
    return source->ptr == NULL ? ERR_MEMORY : OK;
}

static bool has_tag(const struct json *test, struct str tag)
{
    const struct json *tags = json_get(test, STR("tags"));
    for (uint32_t i = 0; tags != NULL && tags->kind == JSON_ARRAY && i < tags->count; i++)
        if (tags->items[i].kind == JSON_STRING && str_eq(tags->items[i].string, tag))
            return true;
    return false;
}

static enum template_strictness strictness_of(const struct json *test)
{
    if (has_tag(test, STR("strict2")))
        return TEMPLATE_STRICT2;
    return has_tag(test, STR("lax")) ? TEMPLATE_LAX : TEMPLATE_STRICT;
}

/* Renders a case; *refused tells that the template or its data was found faulty. */
static enum err case_render(const struct json *test, struct arena *scratch, struct buf *out,
                            bool *refused)
{
    struct template_conf conf = {
        .strictness = strictness_of(test),
        .snippet = snippet_of_case,
        .snippet_owner = (void *)(uintptr_t)json_get(test, STR("templates")),
    };
    static _Thread_local struct template_report report;
    SCOPED(template_closep) struct template    *t = NULL;
    struct problem                              problem = { 0 };

    enum err err = template_parse(&t, json_get_str(test, STR("template")), &conf, &problem);
    *refused = err != OK;
    if (err != OK) {
        buf_str(out, str_of(problem.what));
        return err == ERR_INPUT || err == ERR_ABSENT || err == ERR_LIMIT ? OK : err;
    }
    bool                        lax = conf.strictness == TEMPLATE_LAX;
    struct template_render_conf how = { .show_errors = lax };
    TRY(template_render(t, scratch, json_get(test, STR("data")), &how, out, &report));
    *refused = report.fault_total > 0 && (!lax || json_get_bool(test, STR("invalid"), false));
    if (*refused)
        buf_str(out, str_of(report.faults[0].what));
    return OK;
}

static bool is_expected(const struct json *test, struct str got)
{
    const struct json *result = json_get(test, STR("result"));
    const struct json *results = json_get(test, STR("results"));
    if (result != NULL)
        return result->kind == JSON_STRING && str_eq(result->string, got);
    for (uint32_t i = 0; results != NULL && results->kind == JSON_ARRAY && i < results->count; i++)
        if (results->items[i].kind == JSON_STRING && str_eq(results->items[i].string, got))
            return true;
    return false;
}

static struct str expected_of(const struct json *test)
{
    const struct json *results = json_get(test, STR("results"));
    if (json_get_bool(test, STR("invalid"), false))
        return STR("a refusal");
    if (results != NULL && results->kind == JSON_ARRAY && results->count > 0)
        return results->items[0].kind == JSON_STRING ? results->items[0].string : STR_NONE;
    return json_get_str(test, STR("result"));
}

static enum err case_run(const struct json *test, struct buf *out, bool *passed)
{
    SCOPED(arena_closep) struct arena *scratch = arena_open(CASE_ARENA_BYTES_MAX);
    SCOPED(buf_donep) struct buf       got = buf_make(TEMPLATE_OUTPUT_BYTES_MAX);
    bool                               refused = false;
    if (scratch == NULL)
        return ERR_MEMORY;
    enum err err = case_render(test, scratch, &got, &refused);
    if (json_get_bool(test, STR("invalid"), false))
        *passed = (err == OK && refused) || err == ERR_LIMIT;
    else
        *passed = err == OK && !refused && is_expected(test, buf_view(&got));
    if (!*passed)
        buf_format(out, "FAIL %.*s\n  wanted  %.*s\n  got     %s%.*s\n",
                   STR_ARG(json_get_str(test, STR("name"))),
                   STR_ARG(str_slice(expected_of(test), 0, CASE_SHOWN_BYTES)),
                   err != OK ? err_name(err)
                   : refused ? "refused: "
                             : "",
                   STR_ARG(str_slice(buf_view(&got), 0, CASE_SHOWN_BYTES)));
    return OK;
}

enum err template_cases_run(struct str text, struct buf *out, int *passed, int *failed)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(CASES_ARENA_BYTES_MAX);
    struct json                        root;
    int                                good = 0, bad = 0;
    if (arena == NULL)
        return ERR_MEMORY;
    TRY(json_parse_once(arena, text, &root, NULL));
    const struct json *tests = root.kind == JSON_ARRAY ? &root : json_get(&root, STR("tests"));
    if (tests == NULL || tests->kind != JSON_ARRAY)
        return ERR_INPUT;
    for (uint32_t i = 0; i < tests->count; i++) {
        bool ok = false;
        TRY(case_run(&tests->items[i], out, &ok));
        good += ok;
        bad += !ok;
    }
    buf_format(out, "%d passed, %d failed\n", good, bad);
    *passed = good;
    *failed = bad;
    return buf_err(out);
}
