#include "run/api/running.h"

#include "base/json.h"
#include "base/time.h"
#include "server/http.h"

void running_init(struct running *running)
{
    *running = (struct running){ .first = NULL };
    pthread_mutex_init(&running->lock, NULL);
}

void running_done(struct running *running)
{
    pthread_mutex_destroy(&running->lock);
}

void running_begin(struct running *running, struct running_one *one)
{
    one->begun_us = time_mono_us();
    pthread_mutex_lock(&running->lock);
    one->number = ++running->numbers;
    one->next = running->first;
    running->first = one;
    pthread_mutex_unlock(&running->lock);
}

void running_end(struct running *running, struct running_one *one)
{
    pthread_mutex_lock(&running->lock);
    struct running_one **place = &running->first;
    while (*place != one)
        place = &(*place)->next;
    *place = one->next;
    pthread_mutex_unlock(&running->lock);
}

bool running_is_over(const struct running_one *one)
{
    return atomic_load(&one->is_stopped) || (one->request != NULL && http_is_left(one->request));
}

bool running_stop(struct running *running, uint64_t number)
{
    bool is_found = false;
    pthread_mutex_lock(&running->lock);
    for (struct running_one *one = running->first; one != NULL; one = one->next)
        if (one->number == number) {
            atomic_store(&one->is_stopped, true);
            is_found = true;
        }
    pthread_mutex_unlock(&running->lock);
    return is_found;
}

void running_write(struct running *running, struct buf *out)
{
    pthread_mutex_lock(&running->lock);
    for (struct running_one *one = running->first; one != NULL; one = one->next) {
        buf_format(out, "{\"id\":%llu,\"report\":", (unsigned long long)one->number);
        json_write_str(out, one->what);
        buf_format(out, ",\"seconds\":%.3f,\"done\":%u,\"people\":%u}%s",
                   (double)(time_mono_us() - one->begun_us) / 1e6, atomic_load(&one->done),
                   atomic_load(&one->all), one->next == NULL ? "" : ",");
    }
    pthread_mutex_unlock(&running->lock);
}
