#include "run/core/minting.h"

#include <string.h>
#include <sys/random.h>

#include "base/hash.h"
#include "base/map.h"

enum { SIGNS = sizeof CODES_ALPHABET - 1, BYTES_EVEN = 256 / SIGNS * SIGNS };

/* One sign after another, each as likely as any other. */
static enum err signs_draw(char *out, uint32_t count)
{
    unsigned char chance[64];
    uint32_t      done = 0;
    while (done < count) {
        if (getrandom(chance, sizeof chance, 0) != (ssize_t)sizeof chance)
            return ERR_IO;
        for (size_t i = 0; i < sizeof chance && done < count; i++)
            if (chance[i] < BYTES_EVEN)
                out[done++] = CODES_ALPHABET[chance[i] % SIGNS];
    }
    return OK;
}

static enum err code_draw(const struct codes_def *def, struct arena *arena, struct store_code *out)
{
    size_t prefix = strlen(def->text), len = prefix + def->length;
    char  *text = arena_alloc(arena, len), *fold = arena_alloc(arena, CODE_BYTES_MAX);
    if (text == NULL || fold == NULL)
        return ERR_MEMORY;
    memcpy(text, def->text, prefix);
    TRY(signs_draw(text + prefix, def->length));
    struct str code = { text, len };
    *out = (struct store_code){ .text = code, .fold = codes_fold(code, fold) };
    return OK;
}

static enum err taken_each(void *ctx, const struct store_code *row)
{
    (void)row;
    *(bool *)ctx = true;
    return ERR_LIMIT;
}

static bool is_same(const void *owner, uint32_t value, const void *wanted)
{
    return str_eq(((const struct store_code *)owner)[value].fold, *(const struct str *)wanted);
}

static enum err is_taken(struct store_reader *reader, const struct map *drawn,
                         const struct store_code *codes, struct str fold, bool *out)
{
    *out = map_find(drawn, hash_str(fold, 0), is_same, codes, &fold) != MAP_NONE;
    if (*out)
        return OK;
    enum err err = store_codes_named(reader, fold, taken_each, out);
    return err == ERR_LIMIT ? OK : err;
}

static enum err all_draw(struct store_reader *reader, const struct codes_def *def,
                         struct arena *arena, uint32_t count, struct store_code *codes,
                         struct map *drawn)
{
    for (uint32_t i = 0; i < count;) {
        bool taken;
        TRY(code_draw(def, arena, &codes[i]));
        TRY(is_taken(reader, drawn, codes, codes[i].fold, &taken));
        if (taken)
            continue;
        TRY(map_add(drawn, hash_str(codes[i].fold, 0), i));
        i++;
    }
    return OK;
}

enum err minting_draw(struct store_reader *reader, const struct codes_def *def, struct arena *arena,
                      uint32_t count, struct store_code **out)
{
    struct store_code *codes = ARENA_ARRAY(arena, count, struct store_code);
    struct map         drawn = map_make();
    enum err err = codes == NULL ? ERR_MEMORY : all_draw(reader, def, arena, count, codes, &drawn);
    map_done(&drawn);
    if (err == OK)
        *out = codes;
    return err;
}
