/*
 * Any text is a template or is refused with a problem; what it renders stays within the bounds
 * given, and rendering it twice gives the same bytes and the same report.
 *
 * Input: the template, and after a line "%%%" the data as JSON.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "template/locale.h"
#include "template/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { FUZZ_STEPS_MAX = 20000, FUZZ_OUTPUT_BYTES_MAX = 20000 };

static const char DEFAULT_DATA[] =
    "{\"a\":[3,1,2,null,\"x\",[1,[2]],{\"t\":\"q\",\"n\":1.5}],\"s\":\"h\xc3\xa9llo <b>\",\"n\":7,"
    "\"f\":-2.5,\"o\":{\"a\":1,\"size\":9},\"t\":true,\"d\":\"2026-03-14T15:04:05+02:00\"}";

/* Every name is a snippet that holds the whole input, so snippets call themselves. */
static enum err snippet(void *owner, struct str name, struct arena *arena, struct str *source)
{
    if (name.len > 8)
        return ERR_ABSENT;
    *source = str_copy(arena, *(struct str *)owner);
    return source->ptr == NULL ? ERR_MEMORY : OK;
}

static enum err render(const struct template *t, const struct json *data, bool escape,
                       struct buf *out, struct template_report *report)
{
    static struct locales      *locales; /* kept from input to input, as a sender keeps them */
    struct template_render_conf conf = { .escape_html = escape,
                                         .now_ms = 1773500000000,
                                         .language = STR("de"),
                                         .currency = STR("EUR"),
                                         .steps_max = FUZZ_STEPS_MAX,
                                         .output_bytes_max = FUZZ_OUTPUT_BYTES_MAX };
    struct arena               *scratch = arena_open((size_t)16 << 20);
    if (locales == NULL && locales_open(&locales) != OK)
        abort();
    conf.locales = locales;
    enum err err = template_render(t, scratch, data, &conf, out, report);
    /* One operation may run over the bound before it is looked at, by at most one value. */
    assert(out->len <= FUZZ_OUTPUT_BYTES_MAX + 8 * TEMPLATE_VALUE_BYTES_MAX);
    assert(err == OK || report->problem.what[0] != '\0');
    assert(report->missing_count <= TEMPLATE_MISSING_MAX);
    arena_close(scratch);
    return err;
}

static void check(const struct template *t, const struct json *data, bool escape)
{
    static struct template_report first, second;
    struct buf                    a = buf_make(TEMPLATE_OUTPUT_BYTES_MAX * 4);
    struct buf                    b = buf_make(TEMPLATE_OUTPUT_BYTES_MAX * 4);
    enum err                      err = render(t, data, escape, &a, &first);
    assert(render(t, data, escape, &b, &second) == err);
    assert(str_eq(buf_view(&a), buf_view(&b)));
    assert(first.fault_total == second.fault_total);
    assert(first.missing_count == second.missing_count);
    buf_done(&a);
    buf_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct str           text = { (const char *)bytes, len };
    size_t               cut = str_find(text, 0, STR("\n%%%\n"));
    struct str           source = str_slice(text, 0, cut);
    struct str           json = cut < len ? str_slice(text, cut + 5, len) : str_of(DEFAULT_DATA);
    struct arena        *arena = arena_open((size_t)64 << 20);
    struct json          data;
    struct problem       problem = { 0 };
    struct template     *t = NULL;
    struct template_conf conf = { .snippet = snippet, .snippet_owner = &source };
    if (len > 0)
        conf.strictness = (enum template_strictness)(bytes[len - 1] % 3);
    if (json_parse_once(arena, json, &data, NULL) != OK &&
        json_parse_once(arena, str_of(DEFAULT_DATA), &data, NULL) != OK)
        abort();
    enum err err = template_parse(&t, source, &conf, &problem);
    assert(err == OK || problem.what[0] != '\0');
    if (err == OK) {
        check(t, &data, false);
        check(t, &data, true);
    }
    template_close(t);
    arena_close(arena);
    return 0;
}
