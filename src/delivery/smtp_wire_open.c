#include "delivery/smtp_wire_inside.h"

#include <string.h>

#include "base/encode.h"

/* --- opening: EHLO, STARTTLS, AUTH --- */

void wire_say_ehlo(struct smtp_wire *wire)
{
    wire->caps = (struct smtp_caps){ 0 };
    buf_format(&wire->out, "EHLO %s\r\n", wire->ehlo_name);
    wire_expect(wire, EXPECT_EHLO, NULL);
}

static void base64_line(struct smtp_wire *wire, struct str bytes)
{
    base64_write(&wire->out, bytes);
    buf_str(&wire->out, STR("\r\n"));
    wire_expect(wire, EXPECT_AUTH, NULL);
}

static void auth_plain_line(struct smtp_wire *wire)
{
    char   both[2 * SMTP_CREDENTIAL_BYTES_MAX + 2];
    size_t user_len = strlen(wire->user), password_len = strlen(wire->password);
    both[0] = '\0';
    memcpy(both + 1, wire->user, user_len + 1);
    memcpy(both + 2 + user_len, wire->password, password_len);
    base64_line(wire, (struct str){ both, user_len + password_len + 2 });
}

static void begin_auth(struct smtp_wire *wire)
{
    wire->auth_step = 0;
    wire->auth_login = !wire->caps.auth_plain;
    if (wire->auth_login) {
        wire_command(wire, EXPECT_AUTH, NULL, STR("AUTH LOGIN"));
        return;
    }
    /* RFC 4954: an initial response only where the whole line fits into 512 bytes. */
    if ((strlen(wire->user) + strlen(wire->password) + 2) * 4 / 3 + 16 > 512) {
        wire_command(wire, EXPECT_AUTH, NULL, STR("AUTH PLAIN"));
        return;
    }
    wire->auth_step = 1;
    buf_str(&wire->out, STR("AUTH PLAIN "));
    auth_plain_line(wire);
}

void wire_greeted(struct smtp_wire *wire)
{
    bool wants_tls = wire->tls == SMTP_TLS_REQUIRED || wire->tls == SMTP_TLS_OFFERED;
    if (!wire->secure && wants_tls && wire->caps.starttls) {
        wire_command(wire, EXPECT_STARTTLS, NULL, STR("STARTTLS"));
    } else if (!wire->secure && wire->tls == SMTP_TLS_REQUIRED) {
        wire_end(wire, BLAME_POLICY, 0, "TLS is required, and the server does not offer STARTTLS");
    } else if (wire->user[0] == '\0') {
        wire->state = SMTP_READY;
    } else if (!wire->secure && !wire->password_in_clear) {
        wire_end(wire, BLAME_POLICY, 0, "the password is not sent over a connection without TLS");
    } else if (!wire->caps.auth_plain && !wire->caps.auth_login) {
        wire_end(wire, BLAME_POLICY, 0, "the server offers neither AUTH PLAIN nor AUTH LOGIN");
    } else {
        begin_auth(wire);
    }
}

void wire_on_ehlo(struct smtp_wire *wire, const struct smtp_reply *reply)
{
    if (reply->code == 250) {
        wire_greeted(wire);
    } else if (reply->code >= 500 && !wire->secure && wire->user[0] == '\0') {
        /* A server from before 1995, or a filter that plays one. */
        wire->caps = (struct smtp_caps){ 0 };
        buf_format(&wire->out, "HELO %s\r\n", wire->ehlo_name);
        wire_expect(wire, EXPECT_HELO, NULL);
    } else {
        wire_fail_reply(wire, "EHLO", reply);
    }
}

void wire_on_auth(struct smtp_wire *wire, const struct smtp_reply *reply)
{
    int step = wire->auth_step++;
    if (reply->code == 235)
        wire->state = SMTP_READY;
    else if (reply->code != 334)
        wire_end_by_reply(wire, reply->code >= 500 ? BLAME_POLICY : BLAME_CONNECTION, "AUTH",
                          reply);
    else if (!wire->auth_login && step == 0)
        auth_plain_line(wire);
    else if (wire->auth_login && step == 0)
        base64_line(wire, str_of(wire->user));
    else if (wire->auth_login && step == 1)
        base64_line(wire, str_of(wire->password));
    else
        wire_end_by_reply(wire, BLAME_POLICY, "AUTH", reply);
}
