#include "run/cli/findings.h"

#include <string.h>
#include <unistd.h>

static void print_one(const struct findings *findings, struct str path, const struct json *one)
{
    bool       is_tty = findings->cli->is_tty && isatty(STDERR_FILENO);
    struct str severity = json_get_str(one, STR("severity"));
    bool       is_error = str_eq(severity, STR("error"));
    int64_t    line = 0;
    (void)json_get_int(one, STR("line"), &line);
    fprintf(stderr, "%.*s:%lld: %s%.*s%s: %.*s\n", STR_ARG(path), (long long)line,
            !is_tty    ? ""
            : is_error ? "\033[31m"
                       : "\033[1m",
            STR_ARG(severity), is_tty ? "\033[0m" : "", STR_ARG(json_get_str(one, STR("what"))));
    fprintf(stderr, "      %.*s\n", STR_ARG(json_get_str(one, STR("remedy"))));
}

static void json_one(struct findings *findings, struct str path, const struct json *one)
{
    static const char *const texts[] = { "severity", "part", "about", "what", "remedy" };
    struct buf              *out = &findings->json;
    int64_t                  line = 0;
    (void)json_get_int(one, STR("line"), &line);
    buf_str(out, out->len == 0 ? STR("{\"path\":") : STR(",{\"path\":"));
    json_write_str(out, path);
    buf_format(out, ",\"line\":%lld", (long long)line);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        buf_format(out, ",\"%s\":", texts[i]);
        json_write_str(out, json_get_str(one, str_of(texts[i])));
    }
    buf_char(out, '}');
}

void findings_take(struct findings *findings, struct str path, const struct json *answer)
{
    const struct json *list = json_get(answer, STR("findings"));
    for (uint32_t i = 0; list != NULL && i < list->count; i++) {
        const struct json *one = &list->items[i];
        struct str         severity = json_get_str(one, STR("severity"));
        findings->errors += str_eq(severity, STR("error"));
        findings->warnings += str_eq(severity, STR("warning"));
        if (findings->cli->is_json)
            json_one(findings, path, one);
        else if (findings->has_notes || !str_eq(severity, STR("note")))
            print_one(findings, path, one);
    }
}
