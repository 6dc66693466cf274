#include "run/api/machine_network.h"

#include <stdio.h>
#include <stdlib.h>

#include "run/cli/files.h"

__asm__(".section .rodata\n"
        ".global dult_scanners\n"
        "dult_scanners:\n"
        ".incbin \"" DULT_SCANNERS "\"\n"
        ".byte 0\n"
        ".previous\n");
extern const char dult_scanners[];

enum { WIDTH = 128, WIDTH_V4 = 32 };

struct reading {
    struct machine_networks *networks;
    const char              *where;
    uint32_t                 line;
    bool                     has_source; /* a line `from` stood before */
    struct problem          *problem;
};

static enum err fault(const struct reading *reading, struct str line, const char *what,
                      const char *remedy)
{
    char where[120];
    snprintf(where, sizeof where, "%s:%u", reading->where, reading->line);
    return problem_format(reading->problem, ERR_INPUT, where, remedy, "\"%.*s\": %s",
                          STR_ARG(str_slice(line, 0, 60)), what);
}

static bool is_same(const struct proxy_net *a, const struct proxy_net *b)
{
    return a->bits == b->bits && proxy_net_has(a, &b->address);
}

/* All of IPv4, as it lies in IPv6. */
static const struct proxy_net all_v4 = { .address.bytes = { [10] = 0xff, [11] = 0xff },
                                         .bits = WIDTH - WIDTH_V4 };

/* A network of IPv6 that IPv4 is a part of has every client of it: none is narrow enough. */
static bool is_too_wide(const struct proxy_net *net)
{
    if (proxy_net_has(&all_v4, &net->address))
        return net->bits < all_v4.bits + MACHINE_NETWORK_BITS_LEAST;
    return net->bits < MACHINE_NETWORK_BITS6_LEAST || proxy_net_has(net, &all_v4.address);
}

static enum err leave_out(struct reading *reading, struct str line, struct str text)
{
    struct machine_networks *networks = reading->networks;
    struct proxy_net         net;
    uint32_t                 kept = 0;
    if (proxy_net_parse(text, &net) != OK)
        return fault(reading, line, "this is no network.", "Write it as 192.0.2.0/24.");
    for (uint32_t i = 0; i < networks->count; i++)
        if (!is_same(&networks->items[i], &net))
            networks->items[kept++] = networks->items[i];
    if (kept == networks->count)
        return fault(reading, line, "no network above is this one.",
                     "Name it as it stands there: those of the program are in "
                     "src/run/api/scanners.txt.");
    networks->count = kept;
    return OK;
}

static enum err add(struct reading *reading, struct str line)
{
    struct machine_networks *networks = reading->networks;
    struct proxy_net         net;
    if (proxy_net_parse(line, &net) != OK)
        return fault(reading, line, "this is no network.",
                     "Write 192.0.2.0/24, 2001:db8::/32, or `from`, `not`, `only these`.");
    if (is_too_wide(&net))
        return fault(reading, line, "people are in a network so wide, too.",
                     "Name the scanners' own: at least /8, of IPv6 /20.");
    if (!reading->has_source)
        return fault(reading, line, "nothing says where this is known from.",
                     "Put a line before it, such as `from our own mail gateway`.");
    if (networks->count == MACHINE_NETWORKS_MAX)
        return fault(reading, line, "these are more than 1024 networks.",
                     "Join those that touch, or say `only these`.");
    networks->items[networks->count++] = net;
    return OK;
}

static enum err line_read(struct reading *reading, struct str line)
{
    static const struct str from = STR("from "), not = STR("not ");
    if (str_is_empty(line))
        return OK;
    if (str_starts(line, from)) {
        reading->has_source = true;
        return OK;
    }
    if (str_starts(line, not ))
        return leave_out(reading, line, str_trim(str_slice(line, not .len, line.len)));
    if (str_eq(line, STR("only these"))) {
        reading->networks->count = 0;
        return OK;
    }
    return add(reading, line);
}

enum err machine_networks_parse(struct machine_networks *networks, const char *where,
                                struct str text, struct problem *problem)
{
    struct machine_networks grown = *networks;
    struct reading          reading = { .networks = &grown, .where = where, .problem = problem };
    struct str              line;
    while (str_split(&text, '\n', &line)) {
        reading.line++;
        TRY(line_read(&reading, str_trim(str_slice(line, 0, str_find_char(line, 0, '#')))));
    }
    *networks = grown;
    return OK;
}

enum err machine_networks_shipped(struct machine_networks *out, struct problem *problem)
{
    out->count = 0;
    return machine_networks_parse(out, MACHINE_NETWORKS_FILE, str_of(dult_scanners), problem);
}

/* The operator's own; without the file there are none. */
static enum err own_read(struct machine_networks *networks, const char *dir,
                         struct problem *problem)
{
    SCOPED(arena_closep)
    struct arena *arena = arena_open(4 * MACHINE_NETWORKS_FILE_BYTES_MAX);
    char          path[4096];
    struct str    text;
    if (arena == NULL)
        return ERR_MEMORY;
    snprintf(path, sizeof path, "%s/" MACHINE_NETWORKS_FILE, dir);
    enum err err = files_read_one(arena, path, MACHINE_NETWORKS_FILE_BYTES_MAX, &text, problem);
    if (err == ERR_ABSENT)
        return OK;
    return err == OK ? machine_networks_parse(networks, path, text, problem) : err;
}

enum err machine_networks_read(struct machine_networks **out, const char *dir,
                               struct problem *problem)
{
    struct machine_networks *networks = malloc(sizeof *networks);
    if (networks == NULL)
        return ERR_MEMORY;
    enum err err = machine_networks_shipped(networks, problem);
    if (err == OK)
        err = own_read(networks, dir, problem);
    if (err == OK)
        *out = networks;
    else
        free(networks);
    return err;
}

bool machine_network(const struct machine_networks *networks, struct str address)
{
    struct proxy_address parsed;
    if (networks == NULL || proxy_address_parse(address, &parsed) != OK)
        return false;
    for (uint32_t i = 0; i < networks->count; i++)
        if (proxy_net_has(&networks->items[i], &parsed))
            return true;
    return false;
}
