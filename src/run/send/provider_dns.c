/* What a service wants published for a domain that mail comes from by it: its member `dns`. */
#include <string.h>

#include "run/send/provider_inside.h"

enum { VALUE_BYTES_MAX = 2048 };

static const char *const abouts[] = { "spf", "dkim", "return", NULL };
static const char *const types[] = { "TXT", "CNAME", "MX", NULL };

static enum err record_read(struct reading *reading, const struct json *item,
                            struct wanted_record *out)
{
    static const char *const known[] = { "about", "type", "name", "value", "ask", NULL };
    for (uint32_t i = 0; i < item->count; i++)
        if (item->kind != JSON_OBJECT || word_find(known, item->members[i].key) < 0)
            return reading_fault(reading, "dns", "has more than about, type, name, value and ask");
    out->about = json_get_str(item, STR("about"));
    out->type = json_get_str(item, STR("type"));
    out->ask = json_get_str(item, STR("ask"));
    if (out->type.len == 0)
        out->type = STR("TXT");
    if (word_find(abouts, out->about) < 0)
        return reading_fault(reading, "dns.about", "is none of spf, dkim, return");
    if (word_find(types, out->type) < 0)
        return reading_fault(reading, "dns.type", "is none of TXT, CNAME, MX");
    TRY(reading_text(reading, item, "name", &out->name));
    return reading_text(reading, item, "value", &out->value);
}

enum err provider_dns_read(struct reading *reading, const struct json *list)
{
    struct provider *provider = reading->provider;
    if (list == NULL)
        return OK;
    if (list->kind != JSON_ARRAY || list->count > PROVIDER_RECORDS_MAX)
        return reading_fault(reading, "dns", "is not a list of at most 8 records");
    for (uint32_t i = 0; i < list->count; i++)
        TRY(record_read(reading, &list->items[i], &provider->dns[provider->dns_count++]));
    return OK;
}

static enum err render(struct arena      *arena, const struct template *template,
                       const struct json *data, struct str *out)
{
    struct template_render_conf  conf = { .now_ms = 0 };
    struct template_report       report;
    SCOPED(buf_donep) struct buf text = buf_make(VALUE_BYTES_MAX);
    *out = STR("");
    if (template == NULL)
        return OK;
    TRY(template_render(template, arena, data, &conf, &text, &report));
    TRY(buf_err(&text));
    *out = str_copy(arena, str_trim(buf_view(&text)));
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

enum err provider_records(const struct provider *provider, const struct json *settings,
                          struct str domain, struct arena *arena, struct provider_record *out,
                          uint32_t *count)
{
    struct json_member roots[] = { { STR("domain"), { .kind = JSON_STRING, .string = domain } },
                                   { STR("settings"), *settings } };
    struct json        data = { .kind = JSON_OBJECT, .count = 2, .members = roots };
    *count = 0;
    for (uint32_t i = 0; i < provider->dns_count; i++) {
        const struct wanted_record *wanted = &provider->dns[i];
        struct provider_record      record = { .who = provider_title(provider),
                                               .about = wanted->about,
                                               .type = wanted->type,
                                               .ask = wanted->ask };
        TRY(render(arena, wanted->name, &data, &record.name));
        TRY(render(arena, wanted->value, &data, &record.value));
        if (record.name.len > 0 || record.ask.len > 0)
            out[(*count)++] = record;
    }
    return OK;
}

static bool has_letter(const struct node *node)
{
    for (; node != NULL; node = node->next)
        if (node->kind == NODE_MIME || node->kind == NODE_BASE64 || has_letter(node->first))
            return true;
    return false;
}

bool provider_keeps_letter(const struct provider *provider)
{
    return has_letter(provider->body);
}
