#include "run/send/sender_house_test.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/json.h"
#include "base/test.h"

/* ---- the mail server ---- */

struct caller {
    struct post *post;
    int          fd;
};

static bool say(int fd, const char *text)
{
    return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

/* What the server does when it has read the dot. False: it hangs up. */
static bool dot_answer(struct post *post, int fd, const char *mail)
{
    pthread_mutex_lock(&post->lock);
    enum fault fault = post->fault;
    post->dots++;
    pthread_cond_broadcast(&post->moved);
    while (fault == FAULT_STALLS_AFTER_DOT && !post->released && !post->closing)
        pthread_cond_wait(&post->moved, &post->lock);
    if (fault != FAULT_CUTS_AFTER_DOT && post->count < MAILS_MAX) {
        post->mails[post->count] = strdup(mail);
        post->at_us[post->count++] = time_mono_us();
    }
    pthread_mutex_unlock(&post->lock);
    if (fault == FAULT_CUTS_AFTER_DOT || !say(fd, "250 2.0.0 queued as POST\r\n"))
        return false;
    pthread_mutex_lock(&post->lock);
    pthread_cond_broadcast(&post->moved);
    pthread_mutex_unlock(&post->lock);
    return true;
}

static bool command_answer(struct post *post, int fd, const char *line, bool *data)
{
    if (strncmp(line, "EHLO", 4) == 0)
        return say(fd, "250-post.example\r\n250 PIPELINING\r\n");
    if (strncmp(line, "RCPT", 4) == 0 && post->fault == FAULT_REFUSES_RCPT)
        return say(fd, "550 5.1.1 no such person\r\n");
    if (strncmp(line, "DATA", 4) == 0) {
        *data = post->fault != FAULT_REFUSES_RCPT;
        return say(fd, *data ? "354 go\r\n" : "554 5.5.1 no recipients\r\n");
    }
    if (strncmp(line, "QUIT", 4) == 0)
        return say(fd, "221 bye\r\n") && false;
    return say(fd, "250 ok\r\n");
}

static void *caller_run(void *arg)
{
    struct caller caller = *(struct caller *)arg;
    FILE         *in = fdopen(dup(caller.fd), "r");
    char          line[4096], *mail = calloc(1, MAIL_BYTES);
    size_t        len = 0;
    bool          data = false, on = say(caller.fd, "220 post.example ESMTP\r\n");
    free(arg);
    while (on && fgets(line, sizeof line, in) != NULL) {
        if (!data) {
            len = 0;
            on = command_answer(caller.post, caller.fd, line, &data);
        } else if (strcmp(line, ".\r\n") == 0) {
            data = false;
            on = dot_answer(caller.post, caller.fd, mail);
        } else if (len + strlen(line) < MAIL_BYTES) {
            len += (size_t)snprintf(mail + len, MAIL_BYTES - len, "%s", line);
        }
    }
    shutdown(caller.fd, SHUT_RDWR);
    fclose(in);
    free(mail);
    return NULL;
}

static void *accept_run(void *arg)
{
    struct post *post = arg;
    int          fd;
    while ((fd = accept(post->listener, NULL, NULL)) >= 0) {
        struct caller *caller = calloc(1, sizeof *caller);
        int            one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* each reply at once */
        *caller = (struct caller){ post, fd };
        pthread_mutex_lock(&post->lock);
        assert(post->callers_count < CALLERS_MAX);
        post->fds[post->callers_count] = fd;
        assert_int_equal(
            pthread_create(&post->callers[post->callers_count++], NULL, caller_run, caller), 0);
        pthread_mutex_unlock(&post->lock);
    }
    return NULL;
}

/* A port of 0: any. */
struct post *post_open(enum fault fault, uint16_t port)
{
    struct post       *post = calloc(1, sizeof *post);
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t          len = sizeof address;
    int                one = 1;
    post->fault = fault;
    pthread_mutex_init(&post->lock, NULL);
    pthread_cond_init(&post->moved, NULL);
    post->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(post->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    assert_int_equal(bind(post->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(post->listener, 16), 0);
    assert_int_equal(getsockname(post->listener, (struct sockaddr *)&address, &len), 0);
    post->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&post->accepter, NULL, accept_run, post), 0);
    return post;
}

void post_stop(struct post *post)
{
    pthread_mutex_lock(&post->lock);
    post->closing = true;
    pthread_cond_broadcast(&post->moved);
    pthread_mutex_unlock(&post->lock);
    shutdown(post->listener, SHUT_RDWR);
    pthread_join(post->accepter, NULL);
    close(post->listener);
    for (int i = 0; i < post->callers_count; i++) {
        shutdown(post->fds[i], SHUT_RDWR);
        pthread_join(post->callers[i], NULL);
        close(post->fds[i]);
    }
}

void post_close(struct post *post)
{
    if (!post->closing)
        post_stop(post);
    for (int i = 0; i < post->count; i++)
        free(post->mails[i]);
    pthread_cond_destroy(&post->moved);
    pthread_mutex_destroy(&post->lock);
    free(post);
}

static void deadline_make(struct timespec *out, int64_t wait_ms)
{
    int64_t at_ms = time_now_ms() + wait_ms;
    *out = (struct timespec){ .tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000 };
}

/* Waits for so many dots; how many there are. */
int post_wait(struct post *post, int dots, int64_t wait_ms)
{
    struct timespec deadline;
    deadline_make(&deadline, wait_ms);
    pthread_mutex_lock(&post->lock);
    while (post->dots < dots && pthread_cond_timedwait(&post->moved, &post->lock, &deadline) == 0)
        ;
    int have = post->dots;
    pthread_mutex_unlock(&post->lock);
    return have;
}

/* A little later, when the sender is stopping already. */
void *post_release(void *arg)
{
    struct post *post = arg;
    usleep(100000);
    pthread_mutex_lock(&post->lock);
    post->released = true;
    pthread_cond_broadcast(&post->moved);
    pthread_mutex_unlock(&post->lock);
    return NULL;
}

/* ---- a running house ---- */

static void open_as(struct house *house, const char *dir, const struct sender_conf *wanted,
                    bool is_on_trial)
{
    struct problem     problem = { 0 };
    struct sender_conf conf = *wanted;
    struct core_conf   core_conf = { 0 };
    *house = (struct house){ .arena = arena_open(64 << 20) };
    snprintf(house->dir, sizeof house->dir, "%s", dir == NULL ? "/tmp/dult-sender-XXXXXX" : dir);
    if (dir == NULL)
        assert_non_null(mkdtemp(house->dir));
    core_conf.dir = house->dir;
    assert_ok(core_open(&house->core, &core_conf, &problem));
    assert_ok(secrets_open(&house->secrets, house->dir, &problem));
    if (is_on_trial)
        assert_ok(trial_open(&house->trial, core_store(house->core), house->dir, "", &problem));
    conf.trial = house->trial;
    conf.secrets = house->secrets;
    if (conf.public_url == NULL)
        conf.public_url = "http://127.0.0.1:8080";
    assert_ok(sender_open(&house->sender, house->core, &conf, &problem));
    assert_ok(core_start(house->core));
    assert_ok(sender_start(house->sender, &problem));
}

void house_open(struct house *house, const char *dir, const struct sender_conf *wanted)
{
    open_as(house, dir, wanted, false);
}

void house_open_on_trial(struct house *house, const struct sender_conf *wanted)
{
    open_as(house, NULL, wanted, true);
}

void house_stop(struct house *house)
{
    sender_close(house->sender);
    trial_close(house->trial);
    core_close(house->core);
    secrets_close(house->secrets);
    arena_close(house->arena);
}

void house_remove(const struct house *house)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", house->dir);
    assert_int_equal(system(command), 0);
}

void house_close(struct house *house)
{
    house_stop(house);
    house_remove(house);
}

static struct str text_of(struct house *house, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static struct str text_of(struct house *house, const char *format, ...)
{
    char    text[8192];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return str_copy(house->arena, str_of(text));
}

void house_tell(struct house *house, struct record record, const char *key, const char *json)
{
    struct entry entry = { .record = record, .body = STR("{}") };
    struct task  task = { .entries = &entry, .entries_count = 1 };
    struct json *value = ARENA_NEW(house->arena, struct json);
    entry.record.at_ms = entry.record.received_ms = time_now_ms();
    if (json != NULL) {
        assert_ok(json_parse_once(house->arena, str_of(json), value, NULL));
        entry.record.properties = value;
        entry.body = text_of(house, "{\"%s\":%s}", key, json);
    }
    assert_ok(core_run(house->core, &task));
    if (task.refused > 0)
        print_error("%s: %s\n", task.problem.where, task.problem.what);
    assert_int_equal(task.refused, 0);
}

void house_define(struct house *house, enum definition_kind kind, const char *name,
                  const char *text)
{
    house_tell(house,
               (struct record){ .kind = RECORD_DEFINE,
                                .definition_kind = kind,
                                .name = str_of(name),
                                .body = str_of(text) },
               NULL, NULL);
}

void house_shop(struct house *house, const char *template)
{
    house_define(house, DEFINE_WORKSPACE, "workspace",
                 "{\"name\":\"Tents & Co\",\"address\":\"1 Harbour Road, Bergen\","
                 "\"sender\":{\"name\":\"Ada of Tents\",\"email\":\"ada@tents.example\"}}");
    house_define(house, DEFINE_TEMPLATE, "welcome", template);
    house_define(
        house, DEFINE_JOURNEY, "welcome",
        "{\"journey\":\"welcome\",\"trigger\":{\"event\":\"Signed Up\"},\"reentry\":\"always\","
        "\"nodes\":[{\"id\":\"hello\",\"email\":\"welcome\"},{\"id\":\"done\",\"exit\":true}]}");
}

void house_identify(struct house *house, const char *user, const char *traits)
{
    house_tell(house, (struct record){ .kind = RECORD_IDENTIFY, .user_id = str_of(user) }, "traits",
               traits);
}

void house_sign_up(struct house *house, const char *user)
{
    house_tell(
        house,
        (struct record){ .kind = RECORD_TRACK, .user_id = str_of(user), .name = STR("Signed Up") },
        "properties", "{\"plan\":\"Gold & more\"}");
}

void house_ada_signs_up(struct house *house)
{
    house_identify(house, "ada", "{\"email\":\"ada@example.com\",\"first_name\":\"A\\n<da>\"}");
    house_sign_up(house, "ada");
}

struct sender_conf house_conf(const struct post *post, char *url, size_t room)
{
    snprintf(url, room, "smtp://127.0.0.1:%u", post->port);
    return (struct sender_conf){ .smtp_url = url, .connections = 2 };
}

static enum err count_each(void *ctx, const struct store_decision *row)
{
    struct house_count *count = ctx;
    if (row->kind != count->kind)
        return OK;
    count->count++;
    str_to_cstr(row->detail, count->detail, sizeof count->detail);
    return OK;
}

struct house_count house_decisions(struct house *house, uint32_t kind)
{
    struct store_reader *reader = NULL;
    struct house_count   count = { .kind = kind };
    assert_ok(store_reader_open(core_store(house->core), "test", &reader));
    assert_ok(store_decisions_read(reader, 0, INT64_MAX, count_each, &count));
    store_reader_close(reader);
    return count;
}

void house_newcomer(struct house *house, int number)
{
    char user[16], traits[96];
    snprintf(user, sizeof user, "u%d", number);
    snprintf(traits, sizeof traits, "{\"email\":\"u%d@example.com\",\"first_name\":\"U%d\"}",
             number, number);
    house_identify(house, user, traits);
    house_sign_up(house, user);
}

static struct entry crowd_entry(struct house *house, struct record record, const char *key,
                                struct str json)
{
    struct json *value = ARENA_NEW(house->arena, struct json);
    assert_ok(json_parse_once(house->arena, json, value, NULL));
    record.at_ms = record.received_ms = time_now_ms();
    record.properties = value;
    return (struct entry){ .record = record,
                           .body = text_of(house, "{\"%s\":%.*s}", key, STR_ARG(json)) };
}

void house_crowd(struct house *house, int count)
{
    enum { TOGETHER = 250 };
    struct entry entries[2 * TOGETHER];
    for (int from = 0; from < count; from += TOGETHER) {
        struct task task = { .entries = entries };
        for (int i = from; i < from + TOGETHER && i < count; i++) {
            struct str user = text_of(house, "u%d", i);
            struct str traits =
                text_of(house, "{\"email\":\"u%d@example.com\",\"first_name\":\"U%d\"}", i, i);
            entries[task.entries_count++] =
                crowd_entry(house, (struct record){ .kind = RECORD_IDENTIFY, .user_id = user },
                            "traits", traits);
            entries[task.entries_count++] = crowd_entry(
                house,
                (struct record){ .kind = RECORD_TRACK, .user_id = user, .name = STR("Signed Up") },
                "properties", STR("{\"plan\":\"Gold\"}"));
        }
        assert_ok(core_run(house->core, &task));
        assert_int_equal(task.refused, 0);
    }
}
