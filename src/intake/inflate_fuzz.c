/*
 * Whatever comes, the bound holds; and cut at any place into two pieces, the same bytes give the
 * same answer as whole.
 */
#include "intake/inflate.h"

#include <assert.h>
#include <stdlib.h>

enum { BOUND_BYTES = 3 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    enum inflate_coding coding = (enum inflate_coding)(data[0] % 3);
    struct str          body = { (const char *)data + 2, size - 2 };
    size_t              cut = body.len * data[1] / 256;
    struct buf          whole = buf_make(BOUND_BYTES), pieces = buf_make(BOUND_BYTES);

    enum err        err = inflate_body(coding, body, &whole, NULL);
    struct inflate *stream = inflate_open(coding);
    enum err        cut_err = inflate_feed(stream, str_slice(body, 0, cut), &pieces, NULL);
    if (cut_err == OK)
        cut_err = inflate_feed(stream, str_slice(body, cut, body.len), &pieces, NULL);
    if (cut_err == OK)
        cut_err = inflate_end(stream, &pieces, NULL);
    assert(whole.len <= BOUND_BYTES);
    /* The ratio is asked after each piece, so its verdict may fall a piece earlier or later. */
    if (err != ERR_LIMIT && cut_err != ERR_LIMIT)
        assert(err == cut_err);
    if (err == OK && cut_err == OK)
        assert(str_eq(buf_view(&whole), buf_view(&pieces)));
    inflate_close(stream);
    buf_done(&whole);
    buf_done(&pieces);
    return 0;
}
