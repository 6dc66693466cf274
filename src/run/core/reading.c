#include "run/core/reading.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/time.h"

struct reading {
    pthread_mutex_t publishing; /* guards `newest`; held for a moment */
    struct edition *newest;
    pthread_mutex_t viewing; /* guards the rest; held while a view is made */
    struct edition *shown;   /* what `view` was made of */
    struct view    *view;    /* NULL when idle */
    int64_t         asked_us;
};

struct reading *reading_open(void)
{
    struct reading *reading = calloc(1, sizeof *reading);
    if (reading == NULL)
        return NULL;
    pthread_mutex_init(&reading->publishing, NULL);
    pthread_mutex_init(&reading->viewing, NULL);
    return reading;
}

static void view_forget(struct reading *reading)
{
    if (reading->view != NULL)
        view_drop(reading->view);
    edition_drop(reading->shown);
    reading->view = NULL;
    reading->shown = NULL;
}

void reading_close(struct reading *reading)
{
    if (reading == NULL)
        return;
    view_forget(reading);
    edition_drop(reading->newest);
    pthread_mutex_destroy(&reading->publishing);
    pthread_mutex_destroy(&reading->viewing);
    free(reading);
}

struct edition *reading_publish(struct reading *reading, struct edition *edition)
{
    pthread_mutex_lock(&reading->publishing);
    struct edition *before = reading->newest;
    reading->newest = edition;
    pthread_mutex_unlock(&reading->publishing);
    return before;
}

static struct edition *newest_hold(struct reading *reading)
{
    pthread_mutex_lock(&reading->publishing);
    struct edition *edition = reading->newest == NULL ? NULL : edition_hold(reading->newest);
    pthread_mutex_unlock(&reading->publishing);
    return edition;
}

/* Makes the view new where something was published since. */
static enum err view_renew(struct reading *reading)
{
    struct edition *newest = newest_hold(reading);
    struct view    *view = NULL;
    if (newest == NULL)
        return ERR_WAIT;
    if (reading->view != NULL && newest == reading->shown) {
        edition_drop(newest);
        return OK;
    }
    enum err err = view_make(&view, newest, reading->view);
    if (err != OK) {
        edition_drop(newest);
        return err;
    }
    view_forget(reading);
    reading->view = view;
    reading->shown = newest;
    return OK;
}

enum err reading_view(struct reading *reading, struct view **out)
{
    pthread_mutex_lock(&reading->viewing);
    enum err err = view_renew(reading);
    if (err == OK) {
        reading->asked_us = time_mono_us();
        view_hold(reading->view);
        *out = reading->view;
    }
    pthread_mutex_unlock(&reading->viewing);
    return err;
}

void reading_idle(struct reading *reading)
{
    if (pthread_mutex_trylock(&reading->viewing) != 0)
        return; /* somebody asks right now */
    if (reading->view != NULL && time_mono_us() - reading->asked_us > READING_IDLE_US)
        view_forget(reading);
    pthread_mutex_unlock(&reading->viewing);
}
