/*
 * links_fuzz: whatever the HTML, tracking only splices.
 *
 * Taking the splices out gives the original bytes, and tracking the result again finds nothing left
 * to do but another pixel. (Unless the HTML ends inside a tag: then the pixel at the end completes
 * it.) The text made of it has no control characters and no line ending in a space.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "message/links.h"
#include "message/plain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool holds)
{
    if (!holds)
        abort();
}

/* Returns whether the pixel stands inside the text. */
static bool check_splices(struct str original, struct str out, const struct links_splices *splices)
{
    SCOPED(buf_donep) struct buf back = buf_make(4 << 20);
    size_t                       at = 0, pixels = 0;
    bool                         inside = false;
    for (size_t i = 0; i < splices->count; i++) {
        struct links_splice s = splices->at[i];
        need(s.to >= at && s.to + s.now <= out.len && s.from + s.was <= original.len);
        buf_str(&back, str_slice(out, at, s.to));
        buf_str(&back, str_slice(original, s.from, s.from + s.was));
        at = s.to + s.now;
        pixels += s.was == 0;
        inside |= s.was == 0 && s.from < original.len;
    }
    buf_str(&back, str_slice(out, at, out.len));
    need(pixels == 1 && str_eq(buf_view(&back), original));
    return inside;
}

static void check_text(struct str text)
{
    need(text.len == 0 || text.ptr[text.len - 1] == '\n');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        need((c >= ' ' || c == '\n') && c != 0x7F);
        need(c != '\n' || i == 0 || text.ptr[i - 1] != ' ');
    }
    need(str_find(text, 0, STR("\n\n\n")) == text.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct token_keys *keys;
    if (keys == NULL)
        need(token_keys_open(&keys, STR("0123456789abcdef0123456789abcdef"), STR_NONE) == OK);
    struct links_conf                  conf = { keys, STR("https://m.example"), 7, 9 };
    struct str                         original = { (const char *)data, size };
    struct links_splices               splices, again;
    SCOPED(html_closep) struct html   *html = NULL, *tracked = NULL;
    SCOPED(arena_closep) struct arena *arena = arena_open(16 << 20);
    SCOPED(buf_donep) struct buf       out = buf_make(4 << 20), twice = buf_make(8 << 20);
    if (html_parse(&html, original, NULL) != OK)
        return 0;
    need(links_track(&conf, html, arena, &out, &splices) == OK);
    bool inside = check_splices(original, buf_view(&out), &splices);
    need(html_parse(&tracked, buf_view(&out), NULL) == OK);
    need(links_track(&conf, tracked, arena, &twice, &again) == OK);
    need(!inside || again.count == 1);

    buf_reset(&twice);
    plain_write(html, &twice);
    need(buf_err(&twice) == OK);
    check_text(buf_view(&twice));
    return 0;
}
