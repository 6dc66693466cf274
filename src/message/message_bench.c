/*
 * message_bench: how many e-mails a core composes, and what of it is the signature.
 *
 * A newsletter of 24 KB with 30 links, and one of 10 KB with 12, each copy for another person. The
 * signature is measured bare beside it (same keys, same process), because it is the floor of any
 * signed mail: the ratio says what composing adds to it. Medians of ROUNDS rounds, in each of which
 * everything is measured once, by the thread's own processor time: so another's load changes
 * little.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "message/compose.h"

enum { ROUNDS = 7, ROUND_US = 200000, AT_ONCE = 16, BYTES_A_LINK = 820 };

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

static void html_make(struct buf *html, size_t bytes)
{
    int links = (int)(bytes / BYTES_A_LINK);
    buf_reset(html);
    buf_str(html, STR("<!DOCTYPE html><html><head><style>p{margin:0}</style></head><body>"
                      "<table role=\"presentation\" width=\"600\">\n"));
    for (int i = 0; i < links; i++) {
        size_t until = (size_t)(i + 1) * BYTES_A_LINK;
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

/* What is measured, in the order of the table. */
enum step { TOKEN, PARSED, COMPOSED, RSA, WITH_RSA, ED25519, WITH_ED25519, STEPS };

static void (*const runs[STEPS])(struct bench *bench) = {
    [TOKEN] = run_token,
    [PARSED] = run_parse,
    [COMPOSED] = run_compose,
    [RSA] = run_sign_rsa,
    [WITH_RSA] = run_compose_rsa,
    [ED25519] = run_sign_ed25519,
    [WITH_ED25519] = run_compose_ed25519,
};

/* Processor time of this thread: the rate of a core that nobody else uses. */
static int64_t spent_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static double per_s(struct bench *bench, enum step step)
{
    int64_t began = spent_us(), count = 0, now = began;
    for (; now - began < ROUND_US; now = spent_us(), count += AT_ONCE)
        for (int i = 0; i < AT_ONCE; i++)
            runs[step](bench);
    return (double)count * 1e6 / (double)(now - began);
}

static int order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(const double rates[ROUNDS])
{
    double sorted[ROUNDS];
    memcpy(sorted, rates, sizeof sorted);
    qsort(sorted, ROUNDS, sizeof sorted[0], order);
    return sorted[ROUNDS / 2];
}

/* Of each round by itself, because what was compared was measured one after the other. */
static double ratio(double rates[STEPS][ROUNDS], enum step part, enum step whole)
{
    double ratios[ROUNDS];
    for (int i = 0; i < ROUNDS; i++)
        ratios[i] = rates[part][i] / rates[whole][i];
    return median(ratios);
}

static void key_make(struct dkim_key **key, enum err (*generate)(struct buf *))
{
    SCOPED(buf_donep) struct buf pem = buf_make(1 << 14);
    need(generate(&pem), "key");
    need(dkim_key_open(key, buf_view(&pem), STR("shop.example"), STR("s1"), NULL), "key");
}

static const char *const names[STEPS] = { "token",
                                          "html parsed",
                                          "composed",
                                          "bare rsa-2048 sign",
                                          "composed and rsa-signed",
                                          "bare ed25519 sign",
                                          "composed and ed25519-signed" };

static void measure(struct bench *bench, size_t bytes)
{
    html_make(&bench->html, bytes);
    double rates[STEPS][ROUNDS];
    for (int round = 0; round < ROUNDS; round++)
        for (int step = 0; step < STEPS; step++)
            rates[step][round] = per_s(bench, (enum step)step);
    printf("html of %zu bytes, %d links; one thread, its processor time, medians of %d rounds\n",
           bench->html.len, (int)(bytes / BYTES_A_LINK), ROUNDS);
    for (int step = 0; step < STEPS; step++)
        printf("%-28s %10.0f /s\n", names[step], median(rates[step]));
    printf("with rsa %.2f of bare, with ed25519 %.2f of bare\n", ratio(rates, WITH_RSA, RSA),
           ratio(rates, WITH_ED25519, ED25519));
}

int main(void)
{
    struct bench bench = { .html = buf_make(1 << 20),
                           .arena = arena_open(1 << 20),
                           .out = { .message = buf_make(COMPOSE_BYTES_MAX) } };
    need(token_keys_open(&bench.token, STR("0123456789abcdef0123456789abcdef"), STR_NONE), "keys");
    key_make(&bench.rsa, dkim_key_generate);
    key_make(&bench.ed25519, dkim_key_generate_ed25519);
    measure(&bench, 10 << 10);
    measure(&bench, 24 << 10);

    token_keys_close(bench.token);
    dkim_key_close(bench.rsa);
    dkim_key_close(bench.ed25519);
    buf_done(&bench.html);
    buf_done(&bench.out.message);
    arena_close(bench.arena);
    return 0;
}
