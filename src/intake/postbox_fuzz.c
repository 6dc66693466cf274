/*
 * A hostile mail server against our side. Asserted: bytes cut in two places give the same replies
 * and the same mails as whole ones; no mail is taken for an address that nobody has; replies are
 * lines of a code and a text.
 */
#include "intake/postbox.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

struct seen {
    uint64_t mails;
    bool     goes_on;
};

static bool knows(void *context, struct str address)
{
    (void)context;
    return address.len > 0 && address.ptr[0] == 'b';
}

static enum err take(void *context, struct str address, struct str mail)
{
    struct seen *seen = context;
    assert(address.len > 0 && address.ptr[0] == 'b' && mail.len <= POSTBOX_MAIL_BYTES_MAX);
    seen->mails = hash_str(mail, seen->mails + 1);
    return mail.len % 7 == 3 ? ERR_WAIT : OK;
}

static void replies_check(struct str out)
{
    size_t from = 0;
    for (size_t i = 0; i < out.len; i++) {
        if (out.ptr[i] != '\n')
            continue;
        assert(i - from >= 5 && out.ptr[i - 1] == '\r');
        assert(out.ptr[from] >= '2' && out.ptr[from] <= '5');
        assert(out.ptr[from + 3] == ' ' || out.ptr[from + 3] == '-');
        from = i + 1;
    }
    assert(from == out.len);
}

static struct seen run(struct str bytes, size_t cut, struct buf *out)
{
    struct seen     seen = { .goes_on = true };
    struct postbox *postbox = postbox_open("x", (struct postbox_calls){ &seen, knows, take });
    if (postbox == NULL)
        abort();
    seen.goes_on = postbox_read(postbox, str_slice(bytes, 0, cut), out) &&
                   postbox_read(postbox, str_slice(bytes, cut, bytes.len), out);
    postbox_close(postbox);
    return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct buf  a = buf_make(64 << 20), b = buf_make(64 << 20);
    struct str  text = { (const char *)bytes, len };
    size_t      cut = len == 0 ? 0 : bytes[0] % (len + 1);
    struct seen whole = run(text, len, &a), parted = run(text, cut, &b);
    assert(whole.mails == parted.mails && whole.goes_on == parted.goes_on);
    assert(buf_err(&a) == OK && str_eq(buf_view(&a), buf_view(&b)));
    replies_check(buf_view(&a));
    buf_done(&a);
    buf_done(&b);
    return 0;
}
