/* A score has crossed a line: who stands on which side of it now is told. */
#include "engine/inside.h"

static enum err crossed_write(struct step *step, const struct json *values, struct str *out)
{
    SCOPED(buf_donep) struct buf text = buf_make(BAG_BYTES_MAX);
    buf_str(&text, STR("{\"properties\":"));
    json_write(&text, values);
    buf_char(&text, '}');
    TRY(buf_err(&text));
    *out = str_copy(step->out->arena, buf_view(&text));
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

static struct json text_of(struct str text)
{
    return (struct json){ .kind = JSON_STRING, .string = text };
}

/* By now it may have crossed back: what is told is where it stands. */
enum err score_crossed(struct step *step, uint32_t segment)
{
    const struct program      *program = step->engine->program;
    const struct segment_def  *line = &program->segments.items[segment];
    const struct computed_def *score;
    struct str                 names[2], body;
    int64_t                    until_ms;
    struct json_member         members[4] = { { .key = STR("score") },
                                              { .key = STR("line") },
                                              { .key = STR("way") },
                                              { .key = STR("points") } };
    struct json                values = { .kind = JSON_OBJECT, .members = members, .count = 4 };
    if (line->arena == NULL)
        return OK;
    program_line_names(program_name(program, NAME_SEGMENT, segment), &names[0], &names[1]);
    score = program_computed(program, line->tree->compare.key);
    if (score == NULL)
        return OK;
    members[0].value = text_of(names[0]);
    members[1].value = text_of(names[1]);
    members[2].value = text_of(membership_of(step, segment).in ? STR("up") : STR("down"));
    (void)segment_value(&score->program, step_facts(step), &members[3].value, &until_ms);
    TRY(crossed_write(step, &values, &body));
    return step_tell(step, false, EVENT_SCORE_CROSSED, &values, body);
}
