/*
 * Domains that nothing is sent from (engine/brake.h). Who a message is from is known when it is
 * made, not when it is claimed: so it is claimed, made, and goes back to wait for its domain.
 */
#include <stdio.h>

#include "message/address.h"
#include "run/send/sender_inside.h"

struct asking {
    struct sender *sender;
};

static bool sending_ask(struct engine *engine, struct task *task)
{
    struct asking *asking = task->context;
    pthread_mutex_lock(&asking->sender->lock);
    asking->sender->sending = engine_program(engine)->sending;
    pthread_mutex_unlock(&asking->sender->lock);
    return true;
}

enum err sender_stops_open(struct sender *sender)
{
    struct asking asking = { sender };
    struct task   task = { .ask = sending_ask, .context = &asking };
    return core_run(sender->core, &task);
}

bool sender_stops_have(struct sender *sender, struct job *job)
{
    bool receipt = job->claim.transactional && !sender->sending.stops_receipts;
    job->is_stopped = job->trying == NULL && !job->is_doubt && !receipt &&
                      brake_has_stopped(&sender->sending, job->from);
    return job->is_stopped;
}

bool sender_stops_pass(struct sender *sender, struct job *job)
{
    pthread_mutex_lock(&sender->lock);
    job->from = job_is_letter(job) ? STR_NONE : address_domain(job->rendered.from);
    bool stopped = sender_stops_have(sender, job);
    pthread_mutex_unlock(&sender->lock);
    if (stopped)
        sender_come_back(sender, job);
    return !stopped;
}
