/*
 * bounce_fuzz: whatever comes by mail, the answer keeps its promises.
 *
 * Recipients are in lower case, none twice, within the bound; everything told is UTF-8; hard comes
 * with one of the reasons that lie in the address and never with a status 4.x.x; equal bytes give
 * equal answers.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bounce/bounce.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool holds)
{
    if (!holds)
        abort();
}

static bool lies_in_address(struct str reason)
{
    return str_eq(reason, STR("userunknown")) || str_eq(reason, STR("hostunknown")) ||
           str_eq(reason, STR("hasmoved")) || str_eq(reason, STR("notaccept"));
}

static void check_one(const struct bounce *bounce)
{
    for (size_t i = 0; i < bounce->recipient.len; i++)
        need(bounce->recipient.ptr[i] < 'A' || bounce->recipient.ptr[i] > 'Z');
    need(str_is_utf8(bounce->recipient) && str_is_utf8(bounce->said));
    need(bounce->reason.len > 0 && bounce->said.len <= 1000);
    if (bounce->class == BOUNCE_HARD) {
        need(lies_in_address(bounce->reason));
        need(!str_starts(bounce->status, STR("4")));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(2 * (size_t)BOUNCE_ARENA_BYTES_MAX);
    struct str                         mail = { (const char *)data, size };
    struct bounces                     once, again;
    if (arena == NULL || bounce_read(arena, mail, &once) != OK ||
        bounce_read(arena, mail, &again) != OK)
        return 0;
    need(once.count <= BOUNCE_RECIPIENTS_MAX && once.count == again.count);
    for (size_t i = 0; i < once.count; i++) {
        check_one(&once.items[i]);
        need(once.items[i].class == again.items[i].class);
        need(str_eq(once.items[i].recipient, again.items[i].recipient));
        for (size_t k = 0; k < i; k++)
            need(!str_eq(once.items[i].recipient, once.items[k].recipient));
    }
    return 0;
}
