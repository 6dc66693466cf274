/* Replies as people and their programs write them. */
#include "bounce/reply.h"

#include <stdio.h>

#include "base/test.h"

struct row {
    const char *subject, *head, *text;
    char        is; /* 'u' asks to leave, 'r' a reply, 'a' automatic */
};

static const struct row rows[] = {
    { "Re: News", "", "Unsubscribe", 'u' },
    { "unsubscribe", "", "", 'u' },
    { "Re: News", "", "Please remove me from your list.\r\n\r\nAda\r\n", 'u' },
    { "Re: News", "", "STOP", 'u' },
    { "Sv: Nyheter", "", "Hei, meld meg av.\r\n\r\nDen 3. mai skrev Ada:\r\n> Hei", 'u' },
    { "Re: Nyheter", "", "Avmeld", 'u' },
    { "Sv: Nyheter", "", "Jag vill avprenumerera, tack", 'u' },
    { "Antw: Nieuws", "", "Graag afmelden", 'u' },
    { "AW: Neues", "", "Bitte abmelden!\r\n\r\nAm 3. Mai schrieb Ada:\r\n> Hallo", 'u' },
    { "Re: Nouvelles", "", "Je veux me d=C3=A9sabonner", 'u' },
    { "Re: Nouvelles", "", "Ne plus recevoir", 'u' },
    { "Re: News", "", "Thanks, when do you open on Sunday?", 'r' },
    { "Re: How to unsubscribe", "", "That was helpful.", 'r' },
    { "Re: News", "", "Yes please.\r\n\r\nOn Monday Ada wrote:\r\n> unsubscribe here", 'r' },
    { "Re: News", "", "I like it.\r\n> unsubscribe", 'r' },
    { "Re: News", "", "Don't stop, it is the best letter that I get, and I read it with my tea",
      'r' },
    { "Re: News", "",
      "My neighbour told me that he wanted to unsubscribe last year, and that it took you three "
      "weeks until it worked. Is that better now?",
      'r' },
    { "Re: News", "Auto-Submitted: auto-replied\r\n", "unsubscribe", 'a' },
    { "Automatic reply: News", "", "I am away. To unsubscribe, wait.", 'a' },
    { "Re: News", "X-Auto-Response-Suppress: All\r\n", "I am away", 'a' },
    { "Abwesenheitsnotiz", "", "Ich bin im Urlaub", 'a' },
};

TEST(bounce_reply, who_asks_to_leave_is_told_from_who_answers_and_from_who_is_away)
{
    struct arena *arena = arena_open(8 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct reply reply;
        struct str   mail =
            str_format(arena,
                       "From: Ada <ada@x.example>\r\nSubject: %s\r\nMessage-ID: <m1@x.example>\r\n"
                       "In-Reply-To: <AbC-9@tents.example>\r\n%sMIME-Version: 1.0\r\n"
                       "Content-Type: text/plain; charset=utf-8\r\n"
                       "Content-Transfer-Encoding: quoted-printable\r\n\r\n%s\r\n",
                       rows[i].subject, rows[i].head, rows[i].text);
        assert_ok(reply_read(arena, mail, &reply));
        char is = reply.is_automatic ? 'a' : reply.unsubscribes ? 'u' : 'r';
        if (is != rows[i].is)
            print_error("%s / %s\n", rows[i].subject, rows[i].text);
        assert_int_equal(is, rows[i].is);
        assert_str(reply.about, "AbC-9");
        assert_str(reply.id, "<m1@x.example>");
    }
    arena_close(arena);
}

TEST(bounce_reply, the_message_is_the_last_that_is_referred_to_where_none_is_answered)
{
    struct arena *arena = arena_open(1 << 20);
    struct reply  reply;
    assert_ok(reply_read(arena, STR("References: <one@x.example> <two@x.example>\r\n\r\nhello\r\n"),
                         &reply));
    assert_str(reply.about, "two");
    assert_ok(reply_read(arena, STR("\r\n"), &reply));
    assert_int_equal(reply.about.len, 0);
    assert_false(reply.is_automatic || reply.unsubscribes);
    assert_ok(reply_read(arena, STR(""), &reply));
    arena_close(arena);
}
