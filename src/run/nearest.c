#include "run/nearest.h"

#include <string.h>

struct nearest nearest_make(struct str wanted)
{
    size_t reach = wanted.len / 3 > 0 ? wanted.len / 3 : 1;
    return (struct nearest){ .wanted = wanted, .best_steps = reach + 1 };
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t nearest_steps(struct str a, struct str b)
{
    size_t rows[3][NEAREST_BYTES_MAX + 1];
    if (a.len > NEAREST_BYTES_MAX || b.len > NEAREST_BYTES_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *higher = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t change = above[j - 1] + (a.ptr[i - 1] != b.ptr[j - 1]);
            row[j] = least(change, least(above[j], row[j - 1]) + 1);
            bool swapped =
                i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1];
            if (swapped)
                row[j] = least(row[j], higher[j - 2] + 1);
        }
    }
    return rows[a.len % 3][b.len];
}

void nearest_offer(struct nearest *nearest, const char *word)
{
    size_t steps = nearest_steps(nearest->wanted, str_of(word));
    if (steps < nearest->best_steps) {
        nearest->best_steps = steps;
        nearest->best = word;
    }
}
