#include "delivery/smtp_caps.h"

static void add_auth(struct smtp_caps *caps, struct str methods)
{
    struct str method;
    while (str_split(&methods, ' ', &method)) {
        caps->auth_plain |= str_eq_nocase(method, STR("PLAIN"));
        caps->auth_login |= str_eq_nocase(method, STR("LOGIN"));
    }
}

static void add_size(struct smtp_caps *caps, struct str number)
{
    int64_t bytes = 0;
    if (str_to_int(str_trim(number), &bytes) == OK && bytes > 0)
        caps->size_bytes_max = (uint64_t)bytes;
}

void smtp_caps_add(struct smtp_caps *caps, struct str line)
{
    struct str rest = str_trim(line), word;
    /* Before RFC 2554 was final, servers wrote "AUTH=PLAIN LOGIN"; some still write both. */
    if (str_eq_nocase(str_slice(rest, 0, 5), STR("AUTH="))) {
        add_auth(caps, str_slice(rest, 5, rest.len));
        return;
    }
    if (!str_split(&rest, ' ', &word))
        return;
    if (str_eq_nocase(word, STR("PIPELINING")))
        caps->pipelining = true;
    else if (str_eq_nocase(word, STR("STARTTLS")))
        caps->starttls = true;
    else if (str_eq_nocase(word, STR("8BITMIME")))
        caps->eightbitmime = true;
    else if (str_eq_nocase(word, STR("SMTPUTF8")))
        caps->smtputf8 = true;
    else if (str_eq_nocase(word, STR("DSN")))
        caps->dsn = true;
    else if (str_eq_nocase(word, STR("SIZE")))
        add_size(caps, rest);
    else if (str_eq_nocase(word, STR("AUTH")))
        add_auth(caps, rest);
}
