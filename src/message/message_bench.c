/*
 * message_bench: how many e-mails a core composes, and what of it is the signature.
 *
 * A newsletter of 24 KB with 30 links, each copy for another person. The signature is measured bare
 * beside it (same keys, same process), because it is the floor of any signed mail: the ratio says
 * what composing adds to it. Medians of ROUNDS rounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "message/compose.h"

enum { ROUNDS = 5, ROUND_US = 400000, LINKS = 30, HTML_BYTES = 24 << 10 };

struct bench {
    struct token_keys *token;
    struct dkim_key   *rsa, *ed25519;
    struct buf         html;
    struct arena      *arena;
    struct compose_out out;
    uint64_t           message;
};

static void need(enum err code, const char *what)
{
    if (code == OK)
        return;
    fprintf(stderr, "message_bench: %s: %s\n", what, err_name(code));
    exit(1);
}

static void html_make(struct buf *html)
{
    buf_str(html, STR("<!DOCTYPE html><html><head><style>p{margin:0}</style></head><body>"
                      "<table role=\"presentation\" width=\"600\">\n"));
    for (int i = 0; i < LINKS; i++) {
        size_t until = (size_t)(i + 1) * HTML_BYTES / LINKS;
        buf_format(html, "<tr><td style=\"padding:8px 16px\"><h2>Tent %d</h2><p>", i);
        while (html->len + 160 < until)
            buf_str(html, STR("Light enough for the ridge, and dry in a gale. "));
        buf_format(html,
                   "p\xC3\xA5 tur</p><a href=\"https://shop.example/tents/%d?a=1&amp;b=2\">"
                   "See it</a></td></tr>\n",
                   i);
    }
    buf_str(html, STR("</table></body></html>\n"));
}

static void compose_once(struct bench *bench, const struct dkim_key *const *keys, size_t count)
{
    struct compose_keys all = { bench->token, keys, count };
    struct compose_in   in = {
          .from = { STR("Fjell & Tind"), STR("hei@shop.example") },
          .to = { STR("Ada Lovelace"), STR("ada@x.example") },
          .subject = STR("Velkommen p\xC3\xA5 tur"),
          .html = buf_view(&bench->html),
          .who = { 70000, ++bench->message, STR("https://m.example") },
          .unsubscribe = true,
          .tracking = true,
          .date_ms = INT64_C(1795301148000),
          .return_domain = STR("bounce.shop.example"),
    };
    arena_reset(bench->arena);
    need(compose(&all, &in, bench->arena, &bench->out, NULL), "compose");
}

static void run_compose(struct bench *bench)
{
    compose_once(bench, NULL, 0);
}

static void run_compose_rsa(struct bench *bench)
{
    const struct dkim_key *const keys[] = { bench->rsa };
    compose_once(bench, keys, 1);
}

static void run_compose_ed25519(struct bench *bench)
{
    const struct dkim_key *const keys[] = { bench->ed25519 };
    compose_once(bench, keys, 1);
}

static void run_sign(struct bench *bench, const struct dkim_key *key)
{
    char       bytes[1024]; /* about what a signature covers */
    struct buf signature = buf_make(1024);
    memset(bytes, (int)(++bench->message & 127), sizeof bytes);
    need(dkim_key_sign(key, (struct str){ bytes, sizeof bytes }, &signature), "sign");
    buf_done(&signature);
}

static void run_sign_rsa(struct bench *bench)
{
    run_sign(bench, bench->rsa);
}

static void run_sign_ed25519(struct bench *bench)
{
    run_sign(bench, bench->ed25519);
}

static void run_parse(struct bench *bench)
{
    SCOPED(html_closep) struct html *html = NULL;
    need(html_parse(&html, buf_view(&bench->html), NULL), "parse");
}

static void run_token(struct bench *bench)
{
    struct buf   text = buf_make(TOKEN_TEXT_BYTES_MAX);
    struct token token = { TOKEN_OPEN, 70000, ++bench->message };
    token_write(bench->token, token, STR_NONE, &text);
    need(buf_err(&text), "token");
    buf_done(&text);
}

static int order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double per_s(struct bench *bench, void (*run)(struct bench *))
{
    double rates[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        int64_t began = time_mono_us(), count = 0, now = began;
        for (; now - began < ROUND_US; now = time_mono_us(), count++)
            run(bench);
        rates[i] = (double)count * 1e6 / (double)(now - began);
    }
    qsort(rates, ROUNDS, sizeof rates[0], order);
    return rates[ROUNDS / 2];
}

static void key_make(struct dkim_key **key, enum err (*generate)(struct buf *))
{
    SCOPED(buf_donep) struct buf pem = buf_make(1 << 14);
    need(generate(&pem), "key");
    need(dkim_key_open(key, buf_view(&pem), STR("shop.example"), STR("s1"), NULL), "key");
}

int main(void)
{
    struct bench bench = { .html = buf_make(1 << 20),
                           .arena = arena_open(1 << 20),
                           .out = { .message = buf_make(COMPOSE_BYTES_MAX) } };
    need(token_keys_open(&bench.token, STR("0123456789abcdef0123456789abcdef"), STR_NONE), "keys");
    key_make(&bench.rsa, dkim_key_generate);
    key_make(&bench.ed25519, dkim_key_generate_ed25519);
    html_make(&bench.html);

    double rsa = per_s(&bench, run_sign_rsa), ed25519 = per_s(&bench, run_sign_ed25519);
    double composed = per_s(&bench, run_compose);
    double with_rsa = per_s(&bench, run_compose_rsa), with_ed = per_s(&bench, run_compose_ed25519);
    printf("html of %zu bytes, %d links; one thread, medians of %d rounds\n", bench.html.len, LINKS,
           ROUNDS);
    printf("%-28s %10.0f /s\n", "token", per_s(&bench, run_token));
    printf("%-28s %10.0f /s\n", "html parsed", per_s(&bench, run_parse));
    printf("%-28s %10.0f /s\n", "composed", composed);
    printf("%-28s %10.0f /s\n", "bare rsa-2048 sign", rsa);
    printf("%-28s %10.0f /s  %.2f of bare\n", "composed and rsa-signed", with_rsa, with_rsa / rsa);
    printf("%-28s %10.0f /s\n", "bare ed25519 sign", ed25519);
    printf("%-28s %10.0f /s  %.2f of bare\n", "composed and ed25519-signed", with_ed,
           with_ed / ed25519);

    token_keys_close(bench.token);
    dkim_key_close(bench.rsa);
    dkim_key_close(bench.ed25519);
    buf_done(&bench.html);
    buf_done(&bench.out.message);
    arena_close(bench.arena);
    return 0;
}
