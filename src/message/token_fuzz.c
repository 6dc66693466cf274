/*
 * token_fuzz: whatever a stranger sends, only what we wrote is accepted.
 *
 * The fuzzer does not know the secret, so an accepted token must be, letter for letter, the one we
 * would write for what it says.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "message/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct token_keys *keys;
    if (keys == NULL &&
        token_keys_open(&keys, STR("0123456789abcdef0123456789abcdef"), STR_NONE) != OK)
        abort();
    struct str   text = { (const char *)data, size };
    struct str   extra = STR_NONE;
    struct token read;
    size_t       cut = str_find_char(text, 0, '?');
    if (cut < text.len) {
        extra = str_slice(text, cut + 1, text.len);
        text = str_slice(text, 0, cut);
    }
    for (int purpose = TOKEN_OPEN; purpose < TOKEN_PURPOSES_END; purpose++) {
        if (token_read(keys, (enum token_purpose)purpose, text, extra, &read) != OK)
            continue;
        SCOPED(buf_donep) struct buf again = buf_make(TOKEN_TEXT_BYTES_MAX);
        token_write(keys, read, extra, &again);
        if (buf_err(&again) != OK || !str_eq(buf_view(&again), text))
            abort();
    }
    if (token_read_caseless(keys, TOKEN_MESSAGE, text, &read) == OK) {
        SCOPED(buf_donep) struct buf again = buf_make(TOKEN_TEXT_BYTES_MAX);
        token_write_caseless(keys, read, &again);
        if (buf_err(&again) != OK || !str_eq_nocase(buf_view(&again), text))
            abort();
    }
    return 0;
}
