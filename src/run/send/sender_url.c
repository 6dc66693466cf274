#include "run/send/sender_url.h"

#include "base/encode.h"

static enum err fault(struct problem *problem, const char *what)
{
    return problem_set(
        problem, ERR_INPUT, "smtp", what,
        "Write smtp://user:password@host:port or smtps://...; escape special characters "
        "in the password as %40.");
}

static enum err decoded(struct str text, char *out, size_t room)
{
    struct buf buf = buf_make(room - 1);
    enum err   err = percent_read(&buf, text, false);
    if (err == OK)
        err = buf_err(&buf);
    for (size_t i = 0; err == OK && i < buf.len; i++)
        if ((unsigned char)buf.ptr[i] < ' ' || buf.ptr[i] == 0x7f)
            err = ERR_INPUT;
    if (err == OK)
        str_to_cstr(buf_view(&buf), out, room);
    buf_done(&buf);
    return err;
}

/* Where the last `c` stands, or the length. */
static size_t find_last(struct str s, char c)
{
    for (size_t i = s.len; i > 0; i--)
        if (s.ptr[i - 1] == c)
            return i - 1;
    return s.len;
}

static enum err user_take(struct str *rest, struct sender_url *out)
{
    size_t at = find_last(*rest, '@');
    if (at == rest->len)
        return OK;
    struct str who = str_slice(*rest, 0, at);
    size_t     colon = str_find_char(who, 0, ':');
    *rest = str_slice(*rest, at + 1, rest->len);
    TRY(decoded(str_slice(who, 0, colon), out->user, sizeof out->user));
    return decoded(str_slice(who, colon + 1, who.len), out->password, sizeof out->password);
}

/* Takes the host off, in brackets or not; what is left is ":port" or nothing. */
static struct str host_take(struct str *rest)
{
    bool   bracket = str_starts(*rest, STR("["));
    size_t end = bracket ? str_find_char(*rest, 0, ']') : str_find_char(*rest, 0, ':');
    if (bracket && end == rest->len)
        return STR_NONE;
    struct str host = str_slice(*rest, bracket, end);
    *rest = str_slice(*rest, end + bracket, rest->len);
    return host;
}

static enum err port_take(struct str rest, struct sender_url *out)
{
    int64_t port;
    out->port = out->tls_at_once ? 465 : out->user[0] != '\0' ? 587 : 25;
    if (rest.len == 0)
        return OK;
    if (rest.ptr[0] != ':' || str_to_int(str_slice(rest, 1, rest.len), &port) != OK || port < 1 ||
        port > 65535)
        return ERR_INPUT;
    out->port = (uint16_t)port;
    return OK;
}

enum err sender_url_parse(struct str url, struct sender_url *out, struct problem *problem)
{
    struct sender_url made = { 0 };
    struct str        rest;
    made.tls_at_once = str_starts(url, STR("smtps://"));
    if (!made.tls_at_once && !str_starts(url, STR("smtp://")))
        return fault(problem,
                     "The mail server's address begins with neither smtp:// nor smtps://.");
    rest = str_slice(url, made.tls_at_once ? 8 : 7, url.len);
    if (str_ends(rest, STR("/")))
        rest.len--;
    if (user_take(&rest, &made) != OK)
        return fault(problem, "The mail server's user or password cannot be read.");
    struct str host = host_take(&rest);
    if (host.len == 0 || host.len >= sizeof made.host || str_find_char(host, 0, '/') < host.len)
        return fault(problem, "The mail server's address names no host.");
    str_to_cstr(host, made.host, sizeof made.host);
    if (port_take(rest, &made) != OK)
        return fault(problem, "The mail server's port is not a number from 1 to 65535.");
    *out = made;
    return OK;
}

bool sender_host_is_loopback(struct str host)
{
    if (str_ends(host, STR(".")))
        host.len--;
    return str_eq_nocase(host, STR("localhost")) || str_eq(host, STR("::1")) ||
           str_eq(host, STR("0.0.0.0")) || str_eq(host, STR("::")) ||
           str_starts(host, STR("127.")) ||
           (host.len > 10 &&
            str_eq_nocase(str_slice(host, host.len - 10, host.len), STR(".localhost")));
}

struct str sender_host_of(struct str url)
{
    size_t     scheme = str_find(url, 0, STR("://"));
    struct str rest = str_slice(url, scheme + 3, url.len);
    rest = str_slice(rest, 0, str_find_char(rest, 0, '/'));
    return host_take(&rest);
}
