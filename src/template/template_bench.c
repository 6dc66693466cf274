/* Renders of a 3 KB order reminder with a loop of 3 items and 6 variables, parsed once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/time.h"
#include "template/template.h"

enum { RUNS = 5, RENDERS_PER_RUN = 200000, SOURCE_BYTES = 3072 };

static const char HEAD[] =
    "<html><body><h1>Hello {{ person.first_name | default: 'there' }}</h1>\n"
    "<p>Your order {{ order.number }} of {{ order.date }} is still waiting for you.</p>\n"
    "<table>{% for item in order.items %}<tr><td>{{ item.title }}</td><td>{{ item.quantity }}</td>"
    "<td>{{ item.price }}</td></tr>\n{% endfor %}</table>\n"
    "{% if order.total > 100 %}<p>Delivery is free.</p>{% endif %}\n"
    "<p>Total {{ order.total }} {{ order.currency }}.</p>\n";
static const char TAIL[] =
    "<p><a href=\"{{ links.unsubscribe }}\">Unsubscribe</a></p></body></html>\n";
static const char DATA[] =
    "{\"person\":{\"email\":\"ada@example.com\",\"first_name\":\"Ada\",\"country\":\"NO\"},"
    "\"order\":{\"number\":10042,\"date\":\"2026-03-14\",\"total\":149.5,\"currency\":\"EUR\","
    "\"items\":[{\"title\":\"Socks & shoes\",\"quantity\":2,\"price\":49.5},"
    "{\"title\":\"Hat\",\"quantity\":1,\"price\":30},{\"title\":\"Scarf\",\"quantity\":1,"
    "\"price\":20.5}]},\"links\":{\"unsubscribe\":\"https://shop.example/u/abc\"}}";

static struct str source_make(struct arena *arena)
{
    static const char filler[] =
        "<p style=\"margin:0 0 12px\">We keep it for you for some days.</p>\n";
    char  *text = arena_alloc(arena, SOURCE_BYTES + sizeof HEAD + sizeof TAIL + sizeof filler);
    size_t len = sizeof HEAD - 1;
    if (text == NULL)
        abort();
    memcpy(text, HEAD, len);
    for (; len + sizeof TAIL < SOURCE_BYTES; len += sizeof filler - 1)
        memcpy(text + len, filler, sizeof filler - 1);
    memcpy(text + len, TAIL, sizeof TAIL - 1);
    return (struct str){ text, len + sizeof TAIL - 1 };
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The thread's own time, so that a busy machine does not change the figure. */
static int64_t cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static double run(const struct template *t, const struct json *data, bool escape, size_t *bytes,
                  double *cpu_rate)
{
    static struct template_report report;
    struct arena                 *scratch = arena_open((size_t)1 << 24);
    struct buf                    out = buf_make(TEMPLATE_OUTPUT_BYTES_MAX);
    struct template_render_conf   conf = { .escape_html = escape };
    int64_t                       begin_us = time_mono_us(), begin_cpu_us = cpu_us();
    for (int i = 0; i < RENDERS_PER_RUN; i++) {
        buf_reset(&out);
        arena_reset(scratch);
        if (template_render(t, scratch, data, &conf, &out, &report) != OK)
            abort();
    }
    int64_t took_us = time_mono_us() - begin_us;
    *cpu_rate = RENDERS_PER_RUN * 1e6 / (double)(cpu_us() - begin_cpu_us);
    *bytes = out.len;
    buf_done(&out);
    arena_close(scratch);
    return RENDERS_PER_RUN * 1e6 / (double)took_us;
}

/* ---- one round for bench/liquid: a template and data from files ---- */

static struct str file_read(struct arena *arena, const char *path)
{
    FILE  *file = fopen(path, "rb");
    char  *text = arena_alloc(arena, (size_t)1 << 20);
    size_t len = file == NULL || text == NULL ? 0 : fread(text, 1, (size_t)1 << 20, file);
    if (len == 0)
        abort();
    fclose(file);
    return (struct str){ text, len };
}

static double round_run(const struct template *t, const struct json *data, struct buf *out,
                        int64_t for_us)
{
    static struct template_report report;
    struct arena                 *scratch = arena_open((size_t)1 << 24);
    struct template_render_conf   conf = { .escape_html = true };
    int64_t                       begin_us = time_mono_us(), took_us = 0;
    int64_t                       renders = 0;
    while (took_us < for_us) {
        for (int i = 0; i < 1000; i++) {
            buf_reset(out);
            arena_reset(scratch);
            if (template_render(t, scratch, data, &conf, out, &report) != OK)
                abort();
        }
        renders += 1000;
        took_us = time_mono_us() - begin_us;
    }
    arena_close(scratch);
    return (double)renders * 1e6 / (double)took_us;
}

/* template_bench TEMPLATE DATA SECONDS OUT */
static int round_main(char **words)
{
    struct arena    *arena = arena_open((size_t)1 << 24);
    struct template *t = NULL;
    struct json      data;
    struct buf       out = buf_make(TEMPLATE_OUTPUT_BYTES_MAX);
    FILE            *file = fopen(words[4], "wb");
    if (file == NULL || json_parse_once(arena, file_read(arena, words[2]), &data, NULL) != OK ||
        template_parse(&t, file_read(arena, words[1]), NULL, NULL) != OK)
        abort();
    double rate = round_run(t, &data, &out, (int64_t)(atof(words[3]) * 1e6));
    if (fwrite(out.ptr, 1, out.len, file) != out.len)
        abort();
    fclose(file);
    printf("{\"renders_per_s\":%.0f}\n", rate);
    buf_done(&out);
    template_close(t);
    arena_close(arena);
    return 0;
}

int main(int count, char **words)
{
    if (count == 5)
        return round_main(words);
    struct arena    *arena = arena_open((size_t)1 << 24);
    struct template *t = NULL;
    struct json      data;
    struct problem   problem = { 0 };
    struct str       source = source_make(arena);
    size_t           bytes = 0;
    if (json_parse_once(arena, str_of(DATA), &data, NULL) != OK ||
        template_parse(&t, source, NULL, &problem) != OK) {
        fprintf(stderr, "%s %s\n", problem.where, problem.what);
        return 1;
    }
    for (int escape = 0; escape < 2; escape++) {
        double rates[RUNS], cpu_rates[RUNS];
        for (int i = 0; i < RUNS; i++)
            rates[i] = run(t, &data, escape, &bytes, &cpu_rates[i]);
        qsort(rates, RUNS, sizeof rates[0], by_value);
        qsort(cpu_rates, RUNS, sizeof cpu_rates[0], by_value);
        printf("template: %zu bytes in, %zu out, escaping %s: %.0f renders/s "
               "(median of %d, %.0f to %.0f), %.0f a second of its own CPU time\n",
               source.len, bytes, escape ? "on" : "off", rates[RUNS / 2], RUNS, rates[0],
               rates[RUNS - 1], cpu_rates[RUNS / 2]);
    }
    template_close(t);
    arena_close(arena);
    return 0;
}
