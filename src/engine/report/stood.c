#include "engine/report/stood.h"

#include "engine/behaviour/view.h"
#include "engine/own.h"
#include "engine/vec.h"

void stood_done(struct stood *stood)
{
    VEC_DONE(&stood->steps);
}

static enum err step_read(struct stood *stood, const struct letters_said *said, struct bag bag)
{
    const struct stood_question *question = stood->question;
    struct stood_step            step = { .at_ms = said->at_ms, .seq = said->seq };
    int64_t                      journey, what;
    if (!bag_int(bag, OWN_KEY_WHAT, &what) || what != OWN_AT ||
        !bag_int(bag, OWN_KEY_JOURNEY, &journey) || !bag_int(bag, OWN_KEY_ID, &step.entry) ||
        journey < 0 || journey >= question->journeys_count)
        return OK;
    step.journey = (uint32_t)journey;
    step.took = bag_text(bag, question->took);
    struct str                  id = bag_text(bag, OWN_KEY_NODE);
    const struct stood_journey *of = &question->journeys[journey];
    for (step.node = of->from; step.node < of->from + of->count; step.node++)
        if (str_eq(question->nodes[step.node].id, id))
            return VEC_ADD(&stood->steps, step);
    return OK;
}

enum err stood_read(struct stood *stood, const struct letters *letters)
{
    stood->steps.count = 0;
    for (uint32_t i = 0; i < letters->said.count; i++)
        if (letters->said.items[i].name == OWN_JOURNEY)
            TRY(step_read(stood, &letters->said.items[i],
                          bag_at(letters->report->view->bags, letters->said.items[i].bag)));
    return OK;
}

static bool is_before(const struct stood_step *step, const struct letter *letter)
{
    return step->at_ms < letter->sent_ms ||
           (step->at_ms == letter->sent_ms && step->seq <= letter->seq);
}

static bool node_sends(const struct stood_node *node, struct str template)
{
    for (uint32_t i = 0; i < node->templates_count; i++)
        if (str_eq(node->templates[i], template))
            return true;
    return false;
}

uint32_t stood_of(const struct stood *stood, const struct letter *letter)
{
    const struct stood_question *question = stood->question;
    if (str_is_empty(letter->journey))
        return STOOD_NOWHERE;
    for (uint32_t i = stood->steps.count; i > 0; i--) {
        const struct stood_step *step = &stood->steps.items[i - 1];
        if (is_before(step, letter) && (letter->entry == 0 || letter->entry == step->entry) &&
            str_eq(question->journeys[step->journey].name, letter->journey) &&
            node_sends(&question->nodes[step->node], letter->template))
            return i - 1;
    }
    return STOOD_NOWHERE;
}

const struct stood_step *stood_dealt(const struct stood *stood, const struct letter *letter,
                                     uint32_t step, uint32_t *at)
{
    const struct stood_step *of = &stood->steps.items[step];
    while (*at < stood->steps.count) {
        const struct stood_step *dealt = &stood->steps.items[(*at)++];
        bool                     is_first = dealt->entry == of->entry && dealt->took.len > 0 &&
                        stood->question->nodes[dealt->node].is_experiment &&
                        is_before(dealt, letter);
        for (uint32_t i = 0; is_first && i + 1 < *at; i++)
            is_first = stood->steps.items[i].entry != dealt->entry ||
                       stood->steps.items[i].node != dealt->node ||
                       stood->steps.items[i].took.len == 0;
        if (is_first)
            return dealt;
    }
    return NULL;
}
