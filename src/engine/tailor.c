#include "engine/tailor.h"

#include <stdio.h>

#include "engine/profile/place.h"
#include "engine/variant.h"

enum { WHY_BYTES_MAX = 1024, LANGUAGE_BYTES_MAX = TEMPLATE_LANGUAGE_BYTES_MAX };

/* ---- the reader ---- */

struct reader {
    struct variant_reader is;
    const char           *language_from, *country_from; /* "trait", "address" ... */
    char                  language[LANGUAGE_BYTES_MAX + 1], currency[4];
};

static struct str text_told(const struct known *known, uint16_t key)
{
    struct facts_trait trait;
    if (key == DICT_NONE || !known->facts.ops->trait(&known->facts, key, &trait) ||
        trait.value.kind != JSON_STRING)
        return STR_NONE;
    return trait.value.string;
}

/* The more exact of the two, where they do not contradict each other: language en, locale en-GB. */
static void language_find(const struct known *known, struct reader *reader)
{
    struct facts_trait derived;
    enum place_origin  origin = known_place(&known->facts, PLACE_LANGUAGE, &derived);
    struct str language = derived.value.kind == JSON_STRING ? derived.value.string : STR_NONE;
    reader->language_from = place_origin_word(origin);
    if (origin == PLACE_UNKNOWN || language.len > LANGUAGE_BYTES_MAX)
        language = STR_NONE;
    str_to_cstr(language, reader->language, sizeof reader->language);
    struct str locale = text_told(known, PLACE_LOCALE);
    bool       is_exact = locale.len > language.len && locale.len <= LANGUAGE_BYTES_MAX &&
                    str_eq_nocase(str_slice(locale, 0, language.len), str_of(reader->language));
    if (is_exact)
        str_to_cstr(locale, reader->language, sizeof reader->language);
    reader->is.language = str_of(reader->language);
}

static void country_find(const struct known *known, struct reader *reader)
{
    struct facts_trait derived;
    enum place_origin  origin = known_place(&known->facts, PLACE_COUNTRY, &derived);
    const char        *code = NULL;
    reader->country_from = place_origin_word(origin);
    if (origin != PLACE_UNKNOWN && derived.value.kind == JSON_STRING)
        code = place_country_code(derived.value.string);
    reader->is.country = code == NULL ? STR_NONE : str_of(code);
}

static void currency_find(const struct engine *engine, const struct known *known,
                          struct reader *reader)
{
    struct str told =
        text_told(known, dict_find(engine->program->names[NAME_TRAIT], STR("currency")));
    if (told.len == 3)
        str_to_cstr(told, reader->currency, sizeof reader->currency);
    else
        snprintf(reader->currency, sizeof reader->currency, "%s", engine->program->currency);
    reader->is.currency = str_of(reader->currency);
}

static void reader_find(const struct engine *engine, uint32_t person, struct reader *reader)
{
    struct known known;
    known_make(&known, engine, person, engine->now_ms);
    *reader = (struct reader){ .is = { .house = str_of(engine->program->language) } };
    language_find(&known, reader);
    country_find(&known, reader);
    currency_find(engine, &known, reader);
}

/* ---- the choice ---- */

struct choice {
    uint32_t            number, fit;
    struct variant_tags tags; /* empty: the base */
};

static struct choice choose(const struct program *program, uint32_t base,
                            const struct reader *reader)
{
    const struct template_def *def = program_template_at(program, base);
    struct choice              best = { .number = base,
                                        .fit = variant_base_fit(str_of(def->language), &reader->is) };
    for (uint32_t next = def->first_variant; next != 0;) {
        uint32_t                   number = next - 1;
        const struct template_def *variant = program_template_at(program, number);
        struct choice              one = { .number = number };
        struct str                 of;
        next = variant->next_variant;
        if (variant->version == 0 || variant->channel != def->channel ||
            !variant_split(program_name(program, NAME_TEMPLATE, number), &of, &one.tags))
            continue;
        one.fit = variant_fit(&one.tags, &reader->is);
        /* Of two that fit alike (w.nb and w.no) always the one that was there first. */
        if (one.fit > best.fit ||
            (one.fit == best.fit && one.fit > 1 && best.number != base && number < best.number))
            best = one;
    }
    return best;
}

static bool has_variants(const struct program *program, uint32_t base)
{
    for (uint32_t next = program_template_at(program, base)->first_variant; next != 0;) {
        const struct template_def *variant = program_template_at(program, next - 1);
        if (variant->version > 0)
            return true;
        next = variant->next_variant;
    }
    return false;
}

/* "language nb-NO (trait), country NO (address)" */
static void reason_write(const struct choice *choice, const struct reader *reader, bool is_persons,
                         struct buf *out)
{
    const struct variant_tags *tags = &choice->tags;
    const char                *comma = "";
    if (tags->language.len > 0) {
        buf_format(out, "language %.*s (%s)",
                   STR_ARG(is_persons ? reader->is.language : reader->is.house),
                   is_persons ? reader->language_from : "workspace");
        comma = ", ";
    }
    if (tags->country.len > 0) {
        buf_format(out, "%scountry %.*s (%s)", comma, STR_ARG(reader->is.country),
                   reader->country_from);
        comma = ", ";
    }
    if (tags->currency.len > 0)
        buf_format(out, "%scurrency %s", comma, reader->currency);
    if (tags->language.len + tags->country.len + tags->currency.len > 0)
        return;
    if (reader->is.language.len > 0)
        buf_format(out, "the base: no variant fits better language %s (%s)", reader->language,
                   reader->language_from);
    else
        buf_str(out, STR("the base: the language is not known"));
}

static enum err why_write(const struct program *program, const struct choice *choice,
                          const struct reader *reader, struct arena *arena, struct str *out)
{
    SCOPED(buf_donep) struct buf why = buf_make(WHY_BYTES_MAX);
    SCOPED(buf_donep) struct buf reason = buf_make(WHY_BYTES_MAX);
    struct variant_reader        person = reader->is;
    bool                         first = true;
    person.house = STR_NONE;
    reason_write(choice, reader, variant_fit(&choice->tags, &person) > 0, &reason);
    buf_char(&why, '{');
    json_write_key(&why, &first, "name");
    json_write_str(&why, program_name(program, NAME_TEMPLATE, choice->number));
    json_write_key(&why, &first, "id");
    buf_int(&why, choice->number);
    json_write_key(&why, &first, "version");
    buf_int(&why, program_template_at(program, choice->number)->version);
    json_write_key(&why, &first, "why");
    json_write_str(&why, buf_view(&reason));
    buf_char(&why, '}');
    TRY(buf_err(&why));
    *out = str_copy(arena, buf_view(&why));
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

enum err tailor_variant(const struct engine *engine, uint32_t person, uint32_t template_id,
                        struct arena *arena, struct tailored *out)
{
    const struct program *program = engine->program;
    struct reader         reader;
    *out = (struct tailored){ .template_id = template_id,
                              .version = program_template_at(program, template_id)->version };
    if (!has_variants(program, template_id))
        return OK;
    reader_find(engine, person, &reader);
    struct choice choice = choose(program, template_id, &reader);
    out->template_id = choice.number;
    out->version = program_template_at(program, choice.number)->version;
    return why_write(program, &choice, &reader, arena, &out->why);
}

/* ---- blocks ---- */

static bool in_segment(const struct engine *engine, uint32_t person, struct str name)
{
    uint32_t number = program_segment(engine->program, name);
    if (number == SEGMENT_NO_ID)
        return false;
    return memberships_of(&people_state_get(engine->people, person)->memberships, number).in;
}

struct answering {
    const struct engine *engine;
    uint32_t             person;
    struct buf          *out;
    struct str           said[(1 + TEMPLATE_BLOCKS_MAX) * TEMPLATE_BLOCKS_MAX];
    uint32_t             count;
    bool                 asks; /* for any segment */
};

static bool is_said(const struct answering *answering, struct str name)
{
    for (uint32_t i = 0; i < answering->count; i++)
        if (str_eq(answering->said[i], name))
            return true;
    return false;
}

static void segments_write(struct answering *answering, const struct template_blocks *blocks)
{
    for (uint32_t i = 0; i < blocks->count; i++) {
        struct str name = blocks->items[i].name;
        if (blocks->items[i].tree != NULL || blocks->items[i].is_codes)
            continue;
        answering->asks = true;
        if (is_said(answering, name) || !in_segment(answering->engine, answering->person, name) ||
            answering->count == sizeof answering->said / sizeof answering->said[0])
            continue;
        if (answering->count > 0)
            buf_char(answering->out, ',');
        json_write_str(answering->out, name);
        answering->said[answering->count++] = name;
    }
}

/* A condition whose segment or stage is gone holds for nobody. */
static enum err when_write(const struct engine *engine, uint32_t person,
                           const struct template_blocks *blocks, struct buf *out, bool *first)
{
    SCOPED(arena_closep) struct arena *scratch = arena_open(PROGRAM_ARENA_BYTES_MAX);
    struct segment_names               names = program_names(engine->program, false);
    bool                               inner = true;
    if (scratch == NULL)
        return ERR_MEMORY;
    json_write_key(out, first, "$when");
    buf_char(out, '{');
    for (uint32_t i = 0; i < blocks->count; i++) {
        const struct template_block *block = &blocks->items[i];
        struct segment_program       compiled;
        if (block->tree == NULL)
            continue;
        enum err err = segment_compile(scratch, block->tree, &names, &compiled, NULL);
        if (err == ERR_MEMORY)
            return err;
        bool holds = err == OK && engine_ask(engine, &compiled, person, engine->now_ms).holds;
        char name[TEMPLATE_BLOCK_NAME_BYTES_MAX + 1];
        json_write_key(out, &inner, str_to_cstr(block->name, name, sizeof name));
        buf_str(out, holds ? STR("true") : STR("false"));
    }
    buf_char(out, '}');
    return OK;
}

static bool has_conditions(const struct template_blocks *blocks)
{
    for (uint32_t i = 0; i < blocks->count; i++)
        if (blocks->items[i].tree != NULL)
            return true;
    return false;
}

enum err tailor_blocks(const struct engine *engine, uint32_t person,
                       const struct template_blocks *blocks, bool and_snippets, struct buf *out,
                       bool *first)
{
    const struct program *program = engine->program;
    struct answering      answering = { .engine = engine, .person = person, .out = out };
    size_t                begin = out->len;
    bool                  was_first = *first;
    json_write_key(out, first, "segments");
    buf_char(out, '[');
    segments_write(&answering, blocks);
    for (uint32_t i = 0; and_snippets && i < program->snippets.count; i++)
        segments_write(&answering, &program->snippets.items[i].blocks);
    buf_char(out, ']');
    if (!answering.asks) { /* what people were told as "segments" stays theirs */
        out->len = begin;
        *first = was_first;
    }
    if (has_conditions(blocks))
        TRY(when_write(engine, person, blocks, out, first));
    return buf_err(out);
}

uint32_t engine_last_event(const struct engine *engine, uint32_t person, uint16_t name)
{
    struct known known;
    int64_t      at_ms = TIME_NEVER;
    uint32_t     seq = 0;
    known_make(&known, engine, person, engine->now_ms);
    for (uint32_t r = 0; r < known.facts.runs_count; r++) {
        const struct run *run = &known.facts.runs[r];
        uint32_t          i = run_name_last(run, run->count, name);
        bool              is_later = i > 0 && (seq == 0 || run->at_ms[i - 1] > at_ms ||
                                  (run->at_ms[i - 1] == at_ms && run->seq[i - 1] > seq));
        if (is_later) {
            at_ms = run->at_ms[i - 1];
            seq = run->seq[i - 1];
        }
    }
    return seq;
}
