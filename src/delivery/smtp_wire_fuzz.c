/*
 * A hostile server against the machine. The input is a program: each byte an operation, the rest
 * its argument. Asserted: every message given comes back exactly once; no more messages are sent
 * than whole dots were written; unknown only after a dot was begun; content is never a command.
 */
#include "delivery/smtp_wire.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { GIVEN_MAX = 64 };

struct world {
    struct smtp_wire       *wire;
    struct delivery_message messages[GIVEN_MAX];
    int                     done[GIVEN_MAX];
    size_t                  given, sent, unknown, dots, dots_begun;
    uint64_t                written;
    char                    last[2];  /* the two bytes before the next one written */
    int                     dot_part; /* how much of CR LF . CR LF was seen */
};

static void see(struct world *w, struct str out)
{
    static const char dot[] = "\r\n.\r\n";
    for (size_t i = 0; i < out.len; i++) {
        char c = out.ptr[i];
        if (c == dot[w->dot_part])
            w->dot_part++;
        else
            w->dot_part = c == '\r' ? 1 : 0;
        w->dots_begun += w->dot_part == 3;
        if (w->dot_part == 5) {
            w->dots++;
            w->dot_part = 2;
        }
    }
}

static void collect(struct world *w)
{
    struct delivery_outcome  outcome;
    struct delivery_message *message;
    while ((message = smtp_wire_next_done(w->wire, &outcome)) != NULL) {
        assert(++w->done[message->id] == 1);
        w->sent += outcome.result == DELIVERY_SENT;
        w->unknown += outcome.result == DELIVERY_UNKNOWN;
        assert(str_is_utf8(str_of(outcome.text)));
    }
    assert(w->sent <= w->dots);
    assert(w->sent + w->unknown <= w->dots_begun);
}

static void write_some(struct world *w, uint8_t argument)
{
    struct str out = smtp_wire_output(w->wire, argument & 1);
    size_t     part = argument & 2 ? out.len : out.len < argument ? out.len : argument;
    see(w, str_slice(out, 0, part));
    smtp_wire_took(w->wire, part);
    w->written += part;
    smtp_wire_written(w->wire, w->written);
}

static void give(struct world *w, uint8_t argument)
{
    static const char *const contents[] = { "A: b\r\n\r\nc\r\n", ".\r\n.\r\n", "x", "\r\n.." };
    if (w->given == GIVEN_MAX || !smtp_wire_has_place(w->wire))
        return;
    struct delivery_message *message = &w->messages[w->given];
    *message = (struct delivery_message){ .id = w->given++,
                                          .from = STR("a@b"),
                                          .to = STR("c@d"),
                                          .data = str_of(contents[argument % 4]) };
    smtp_wire_give(w->wire, message);
}

/* Common replies by a number, so that the fuzzer gets deep without having to learn to spell. */
static struct str phrase(uint8_t argument)
{
    static const char *const phrases[] = {
        "220 hi\r\n",
        "250-mx\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n",
        "250 ok\r\n",
        "354 go\r\n",
        "550 5.1.1 no\r\n",
        "421 bye\r\n",
        "334 \r\n",
        "235 ok\r\n",
        "250 ok\r\n250 ok\r\n354 go\r\n",
        "451 later\r\n",
    };
    return str_of(phrases[argument % (sizeof phrases / sizeof phrases[0])]);
}

static void step(struct world *w, const uint8_t **bytes, size_t *len)
{
    uint8_t op = (*bytes)[0] % 10, argument = *len > 1 ? (*bytes)[1] : 0;
    size_t  used = *len > 1 ? 2 : 1;
    switch (op) {
    case 0:
    case 1:
        give(w, argument);
        break;
    case 2:
    case 3:
        write_some(w, argument);
        break;
    case 4: { /* bytes of the fuzzer's own */
        size_t n = argument < *len - used ? argument : *len - used;
        smtp_wire_input(w->wire, (struct str){ (const char *)*bytes + used, n });
        used += n;
        break;
    }
    case 5:
    case 6:
        smtp_wire_input(w->wire, phrase(argument));
        break;
    case 7:
        if (smtp_wire_state(w->wire) == SMTP_STARTTLS && smtp_wire_output(w->wire, false).len == 0)
            smtp_wire_secured(w->wire);
        break;
    case 8: {
        struct delivery_message *back = smtp_wire_recall(w->wire, argument);
        if (back != NULL)
            assert(++w->done[back->id] == 1);
        break;
    }
    default:
        if (argument < 8)
            smtp_wire_quit(w->wire);
        else if (argument < 16)
            smtp_wire_lost(w->wire, "lost");
        else
            smtp_wire_noop(w->wire);
    }
    *bytes += used;
    *len -= used;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len < 1)
        return 0;
    struct smtp_wire_conf conf = { .ehlo_name = "dult.example",
                                   .user = bytes[0] & 1 ? "u" : NULL,
                                   .password = "p",
                                   .tls = (enum smtp_tls)(bytes[0] >> 1 & 3),
                                   .password_in_clear = bytes[0] & 8,
                                   .no_pipelining = bytes[0] & 16 };
    struct world          w = { .wire = smtp_wire_open(&conf) };
    bytes++, len--;
    while (len > 0) {
        step(&w, &bytes, &len);
        collect(&w);
        (void)smtp_wire_phase(w.wire);
    }
    smtp_wire_lost(w.wire, "the end");
    collect(&w);
    for (size_t i = 0; i < w.given; i++)
        assert(w.done[i] == 1);
    smtp_wire_close(w.wire);
    return 0;
}
