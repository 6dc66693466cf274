#include "delivery/maildir.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

struct maildir {
    struct channel       channel; /* first */
    struct channel_calls calls;
    int                  dir, tmp, new;
    pthread_t            thread;

    pthread_mutex_t          lock; /* guards what follows */
    pthread_cond_t           moved;
    struct delivery_message *first, **last;
    uint32_t                 waiting, outstanding, offered;
    bool                     stopping, ended;
    struct channel_stats     stats;
};

static struct maildir *maildir_of(struct channel *channel)
{
    return (struct maildir *)channel;
}

void maildir_name(struct str message_id, char *out)
{
    size_t len = 0;
    for (size_t i = 0; i < message_id.len; i++) {
        unsigned char c = (unsigned char)message_id.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '@' || c == '-' || c == '_' || (c == '.' && len > 0);
        if (len + 3 > MAILDIR_NAME_BYTES_MAX) {
            snprintf(out, MAILDIR_NAME_BYTES_MAX + 1, "%%%016llx%016llx",
                     (unsigned long long)hash_str(message_id, 1),
                     (unsigned long long)hash_str(message_id, 2));
            return;
        }
        if (plain)
            out[len++] = (char)c;
        else
            len += (size_t)sprintf(out + len, "%%%02x", c);
    }
    out[len] = '\0';
}

/* --- writing one message --- */

static bool write_all(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes = str_slice(bytes, (size_t)n, bytes.len);
    }
    return true;
}

static bool write_message(int fd, const struct delivery_message *message)
{
    char envelope[2 * DELIVERY_ADDRESS_BYTES_MAX + 128];
    int  len = snprintf(envelope, sizeof envelope, "Return-Path: <%.*s>\r\nDelivered-To: %.*s\r\n",
                        STR_ARG(message->from), STR_ARG(message->to));
    if (message->id != 0)
        len += snprintf(envelope + len, sizeof envelope - (size_t)len, MAILDIR_NUMBER "%llu\r\n",
                        (unsigned long long)message->id);
    return write_all(fd, (struct str){ envelope, (size_t)len }) && write_all(fd, message->data) &&
           fsync(fd) == 0;
}

static struct delivery_outcome trouble(const char *step)
{
    char why[DELIVERY_TEXT_BYTES_MAX];
    snprintf(why, sizeof why, "the outbox folder: %s: %s", step, strerror(errno));
    return delivery_outcome_make(DELIVERY_DEFERRED, BLAME_CONNECTION, why);
}

static struct delivery_outcome link_in(struct maildir *maildir, const char *name)
{
    if (linkat(maildir->tmp, name, maildir->new, name, 0) != 0 && errno != EEXIST)
        return trouble("link");
    /* The link may be ours from before a power cut; either way it must be on disk now. */
    if (fsync(maildir->new) != 0)
        return trouble("sync");
    return delivery_outcome_make(DELIVERY_SENT, BLAME_NONE, name);
}

static struct delivery_outcome store(struct maildir                *maildir,
                                     const struct delivery_message *message)
{
    char           name[MAILDIR_NAME_BYTES_MAX + 1];
    struct problem problem;
    if (delivery_message_check(message, &problem) != OK)
        return delivery_outcome_make(
            DELIVERY_FAILED, strcmp(problem.where, "to") == 0 ? BLAME_RECIPIENT : BLAME_POLICY,
            problem.what);
    maildir_name(message->message_id, name);
    if (name[0] == '\0')
        return delivery_outcome_make(DELIVERY_FAILED, BLAME_POLICY,
                                     "a message without a Message-ID has no name");

    int fd = openat(maildir->tmp, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0)
        return trouble("open");
    bool                    written = write_message(fd, message);
    struct delivery_outcome outcome = written ? link_in(maildir, name) : trouble("write");
    close(fd);
    unlinkat(maildir->tmp, name, 0);
    return outcome;
}

/* --- the thread --- */

static void finish(struct maildir *maildir, struct delivery_message *message,
                   const struct delivery_outcome *outcome)
{
    pthread_mutex_lock(&maildir->lock);
    maildir->outstanding--;
    maildir->stats.results[outcome->result]++;
    pthread_mutex_unlock(&maildir->lock);
    maildir->calls.done(maildir->calls.ctx, message, outcome);
}

static void offer(struct maildir *maildir)
{
    uint32_t more = 0;
    pthread_mutex_lock(&maildir->lock);
    if (!maildir->stopping)
        more = MAILDIR_PLACES - maildir->offered - maildir->outstanding;
    maildir->offered += more;
    pthread_mutex_unlock(&maildir->lock);
    if (more > 0)
        maildir->calls.room(maildir->calls.ctx, more);
}

/* The next message, or NULL when stopped and empty. */
static struct delivery_message *take(struct maildir *maildir, bool *stopping)
{
    pthread_mutex_lock(&maildir->lock);
    while (maildir->first == NULL && !maildir->stopping)
        pthread_cond_wait(&maildir->moved, &maildir->lock);
    struct delivery_message *message = maildir->first;
    if (message != NULL) {
        maildir->first = message->next;
        if (maildir->first == NULL)
            maildir->last = &maildir->first;
        maildir->waiting--;
    }
    *stopping = maildir->stopping;
    pthread_mutex_unlock(&maildir->lock);
    return message;
}

static void *run(void *ctx)
{
    struct maildir          *maildir = ctx;
    struct delivery_message *message;
    bool                     stopping;
    offer(maildir);
    while ((message = take(maildir, &stopping)) != NULL) {
        struct delivery_outcome outcome =
            stopping
                ? delivery_outcome_make(DELIVERY_RETURNED, BLAME_NONE, "the channel is stopping")
                : store(maildir, message);
        finish(maildir, message, &outcome);
        offer(maildir);
    }
    return NULL;
}

/* --- the channel's face --- */

static void wait_add(struct maildir *maildir, struct delivery_message *message)
{
    struct delivery_message **link = maildir->last;
    if (message->is_urgent)
        for (link = &maildir->first; *link != NULL && (*link)->is_urgent;)
            link = &(*link)->next;
    message->next = *link;
    *link = message;
    if (message->next == NULL)
        maildir->last = &message->next;
}

static enum err give(struct channel *channel, struct delivery_message *message)
{
    struct maildir *maildir = maildir_of(channel);
    enum err        err = OK;
    pthread_mutex_lock(&maildir->lock);
    if (maildir->stopping) {
        err = ERR_WAIT;
    } else if (maildir->offered == 0) {
        err = ERR_LIMIT;
    } else {
        maildir->offered--;
        maildir->outstanding++;
        maildir->waiting++;
        wait_add(maildir, message);
        pthread_cond_signal(&maildir->moved);
    }
    pthread_mutex_unlock(&maildir->lock);
    return err;
}

static struct delivery_message *take_back(struct maildir *maildir, uint64_t id)
{
    struct delivery_message *found = NULL;
    pthread_mutex_lock(&maildir->lock);
    for (struct delivery_message **link = &maildir->first; *link != NULL; link = &(*link)->next)
        if ((*link)->id == id) {
            found = *link;
            *link = found->next;
            if (found->next == NULL)
                maildir->last = link;
            maildir->waiting--;
            break;
        }
    pthread_mutex_unlock(&maildir->lock);
    return found;
}

/* Called back from the caller's thread: the one exception to "from the channel's own". */
static void recall(struct channel *channel, const uint64_t *ids, size_t count)
{
    static const struct delivery_outcome recalled = { .result = DELIVERY_RETURNED,
                                                      .text = "recalled" };
    struct maildir                      *maildir = maildir_of(channel);
    for (size_t i = 0; i < count; i++) {
        struct delivery_message *found = take_back(maildir, ids[i]);
        if (found != NULL)
            finish(maildir, found, &recalled);
    }
    offer(maildir);
}

/* A disk is waited for, whatever time it takes. */
static void end(struct channel *channel, bool in_time)
{
    struct maildir *maildir = maildir_of(channel);
    (void)in_time;
    pthread_mutex_lock(&maildir->lock);
    maildir->stopping = true;
    pthread_cond_broadcast(&maildir->moved);
    pthread_mutex_unlock(&maildir->lock);
}

static void stop(struct channel *channel)
{
    struct maildir *maildir = maildir_of(channel);
    pthread_mutex_lock(&maildir->lock);
    bool first = !maildir->ended;
    maildir->stopping = true;
    maildir->ended = true;
    pthread_cond_broadcast(&maildir->moved);
    pthread_mutex_unlock(&maildir->lock);
    if (first)
        pthread_join(maildir->thread, NULL);
}

static void stats(struct channel *channel, struct channel_stats *out)
{
    struct maildir *maildir = maildir_of(channel);
    pthread_mutex_lock(&maildir->lock);
    *out = maildir->stats;
    out->places = MAILDIR_PLACES;
    out->offered = maildir->offered;
    out->waiting = maildir->waiting;
    out->stopped = maildir->stopping && maildir->outstanding == 0;
    out->in_flight = maildir->outstanding - maildir->waiting;
    pthread_mutex_unlock(&maildir->lock);
}

static void maildir_free(struct maildir *maildir)
{
    const int fds[] = { maildir->dir, maildir->tmp, maildir->new };
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    pthread_cond_destroy(&maildir->moved);
    pthread_mutex_destroy(&maildir->lock);
    free(maildir);
}

static void close_channel(struct channel *channel)
{
    stop(channel);
    maildir_free(maildir_of(channel));
}

static const struct channel_ops maildir_ops = { give, recall, end, stop, stats, close_channel };

/* --- opening --- */

static int open_folder(int at, const char *name)
{
    if (mkdirat(at, name, 0750) != 0 && errno != EEXIST)
        return -1;
    return openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool open_folders(struct maildir *maildir, const char *path)
{
    maildir->dir = open_folder(AT_FDCWD, path);
    if (maildir->dir < 0)
        return false;
    maildir->tmp = open_folder(maildir->dir, "tmp");
    maildir->new = open_folder(maildir->dir, "new");
    int cur = open_folder(maildir->dir, "cur");
    if (cur >= 0)
        close(cur);
    return maildir->tmp >= 0 && maildir->new >= 0 && cur >= 0 && fsync(maildir->dir) == 0;
}

enum err maildir_open(const char *path, const struct channel_calls *calls, struct channel **out,
                      struct problem *problem)
{
    struct maildir *maildir = calloc(1, sizeof *maildir);
    if (maildir == NULL)
        return ERR_MEMORY;
    maildir->channel.ops = &maildir_ops;
    maildir->calls = *calls;
    maildir->last = &maildir->first;
    maildir->dir = maildir->tmp = maildir->new = -1;
    pthread_mutex_init(&maildir->lock, NULL);
    pthread_cond_init(&maildir->moved, NULL);
    if (!open_folders(maildir, path)) {
        problem_format(problem, ERR_IO, path, "Name a folder that can be made and written.",
                       "the outbox folder cannot be opened: %s", strerror(errno));
        maildir_free(maildir);
        return ERR_IO;
    }
    *out = &maildir->channel; /* before the thread: its first call may want it */
    if (pthread_create(&maildir->thread, NULL, run, maildir) != 0) {
        *out = NULL;
        maildir_free(maildir);
        return ERR_MEMORY;
    }
    return OK;
}

struct delivery_outcome maildir_write(const char *path, const struct delivery_message *message)
{
    struct maildir          maildir = { .dir = -1, .tmp = -1, .new = -1 };
    struct delivery_outcome outcome =
        open_folders(&maildir, path) ? store(&maildir, message) : trouble("open");
    const int fds[] = { maildir.dir, maildir.tmp, maildir.new };
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    return outcome;
}
