/*
 * Whatever the bytes: the same verdict whether they come at once or one by one; what passed lies in
 * the bytes, ends in a blank line and has one framing; chunks give the same body however cut.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "server/gate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_place(struct str bytes, struct gate_place place)
{
    assert((size_t)place.at + place.len <= bytes.len);
}

static void check_passed(struct str bytes, const struct gate_head *head)
{
    assert(head->bytes <= bytes.len && head->bytes >= 4);
    assert(memcmp(bytes.ptr + head->bytes - 4, "\r\n\r\n", 4) == 0);
    assert(memmem(bytes.ptr, head->bytes - 1, "\r\n\r\n", 4) == NULL);
    assert(memchr(bytes.ptr, '\0', head->bytes) == NULL);
    assert(!(head->is_chunked && head->body_bytes > 0));
    assert(gate_text(bytes, head->path).len > 0);
    check_place(bytes, head->query);
    int lengths = 0, codings = 0, hosts = 0;
    for (int i = 0; i < head->fields_count; i++) {
        struct str name = gate_text(bytes, head->fields[i].name);
        check_place(bytes, head->fields[i].value);
        lengths += str_eq_nocase(name, STR("content-length"));
        codings += str_eq_nocase(name, STR("transfer-encoding"));
        hosts += str_eq_nocase(name, STR("host"));
    }
    assert(lengths + codings <= 1 && hosts <= 1 && codings == head->is_chunked);
}

static enum gate_verdict unchunk(struct str bytes, size_t step, char *out, size_t *len,
                                 size_t *used)
{
    struct gate_chunk   chunk = { 0 };
    struct gate_refusal why;
    *len = 0;
    for (size_t at = 0; at < bytes.len; at += step) {
        struct str rest = str_slice(bytes, at, at + step), data;
        while (rest.len > 0) {
            enum gate_verdict verdict = gate_chunk_read(&chunk, &rest, &data, &why);
            if (data.len > 0)
                memcpy(out + *len, data.ptr, data.len);
            *len += data.len;
            *used = (size_t)(rest.ptr - bytes.ptr);
            if (verdict != GATE_MORE)
                return verdict;
        }
    }
    return GATE_MORE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str          bytes = { (const char *)data, size };
    struct gate_head    whole, head;
    struct gate_refusal why;

    if (size == 0)
        return 0;
    enum gate_verdict verdict = gate_read(bytes, 0, &whole, &why);
    if (verdict == GATE_PASS)
        check_passed(bytes, &whole);
    for (size_t len = 1; len <= size && len < 600; len++) {
        enum gate_verdict early = gate_read(str_slice(bytes, 0, len), len - 1, &head, &why);
        if (early == GATE_MORE)
            continue;
        assert(early == verdict);
        assert(early != GATE_PASS || head.bytes == whole.bytes);
        break;
    }

    char  *one = malloc(size), *many = malloc(size);
    size_t one_len, many_len, one_used = 0, many_used = 0;
    assert(one != NULL && many != NULL);
    verdict = unchunk(bytes, size, one, &one_len, &one_used);
    assert(unchunk(bytes, 1, many, &many_len, &many_used) == verdict);
    assert(verdict == GATE_REFUSE || one_len == many_len);
    assert(verdict != GATE_PASS || one_used == many_used);
    assert(memcmp(one, many, one_len < many_len ? one_len : many_len) == 0);
    free(one);
    free(many);
    return 0;
}
