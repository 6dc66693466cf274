#include "run/cli/doctor_mail.h"

#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "delivery/smtp.h"
#include "run/send/sender_url.h"

struct visit {
    pthread_mutex_t      lock;
    pthread_cond_t       moved;
    struct loop         *loop;
    struct smtp_conf     conf;
    struct smtp_session *session;
    bool                 is_ready, is_closed;
    struct smtp_trouble  trouble;
};

static void on_ready(void *ctx, struct smtp_session *session)
{
    struct visit *visit = ctx;
    pthread_mutex_lock(&visit->lock);
    visit->is_ready = true;
    pthread_mutex_unlock(&visit->lock);
    smtp_quit(session);
}

static void on_done(void *ctx, struct smtp_session *session, struct delivery_message *message,
                    const struct delivery_outcome *outcome)
{
    (void)ctx;
    (void)session;
    (void)message; /* none was given */
    (void)outcome;
}

static void on_closed(void *ctx, struct smtp_session *session, const struct smtp_trouble *trouble)
{
    struct visit *visit = ctx;
    pthread_mutex_lock(&visit->lock);
    visit->is_closed = true;
    visit->trouble = *trouble;
    visit->session = NULL;
    pthread_cond_signal(&visit->moved);
    pthread_mutex_unlock(&visit->lock);
    smtp_close(session);
}

static const struct smtp_calls CALLS = { .ready = on_ready, .done = on_done, .closed = on_closed };

static void begin(void *ctx)
{
    struct visit *visit = ctx;
    visit->session = smtp_open(visit->loop, &visit->conf, &CALLS, visit);
}

static void give_up(void *ctx)
{
    struct visit *visit = ctx;
    if (visit->session != NULL)
        smtp_lose(visit->session, "it took too long");
}

static bool wait_closed(struct visit *visit)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DOCTOR_MAIL_WAIT_S;
    int code = 0;
    pthread_mutex_lock(&visit->lock);
    while (!visit->is_closed && code == 0)
        code = pthread_cond_timedwait(&visit->moved, &visit->lock, &until);
    bool is_closed = visit->is_closed;
    pthread_mutex_unlock(&visit->lock);
    return is_closed;
}

static enum smtp_tls tls_of(const struct config *config, const struct sender_url *url, bool is_near)
{
    const char *word = config_text(config, CONFIG_SMTP_TLS);
    if (url->tls_at_once)
        return SMTP_TLS_IMPLICIT;
    if (strcmp(word, "off") == 0)
        return SMTP_TLS_OFF;
    if (strcmp(word, "required") == 0)
        return SMTP_TLS_REQUIRED;
    bool is_chosen = strcmp(word, "chosen") == 0;
    return is_chosen && url->user[0] != '\0' && !is_near ? SMTP_TLS_REQUIRED : SMTP_TLS_OFFERED;
}

static enum err talk_to(struct visit *visit, const struct sender_url *url, struct problem *problem)
{
    visit->loop = loop_open();
    if (visit->loop == NULL)
        return ERR_MEMORY;
    loop_call(visit->loop, begin, visit);
    if (visit->session == NULL && !visit->is_closed) {
        loop_close(visit->loop);
        return problem_set(problem, ERR_INPUT, "smtp", "These settings cannot be used.",
                           "Look at the address, the user name and smtp_name.");
    }
    if (!wait_closed(visit))
        loop_call(visit->loop, give_up, visit);
    loop_close(visit->loop);
    if (visit->is_ready)
        return OK;
    bool is_policy = visit->trouble.blame == BLAME_POLICY;
    return problem_format(problem, is_policy ? ERR_DENIED : ERR_IO, url->host,
                          is_policy ? "Look at the user name, the password and smtp_tls."
                                    : "Is the address right, and may this machine call that port?",
                          "The mail server does not let us in: %.180s", visit->trouble.text);
}

enum err doctor_mail_try(const struct config *config, struct problem *problem)
{
    struct sender_url url;
    char              name[256] = "localhost";
    const char       *ca = config_text(config, CONFIG_SMTP_CA);
    TRY(sender_url_parse(str_of(config_text(config, CONFIG_SMTP_URL)), &url, problem));
    bool          is_near = sender_host_is_loopback(str_of(url.host));
    enum smtp_tls tls = tls_of(config, &url, is_near);
    if (config_has(config, CONFIG_SMTP_NAME))
        str_to_cstr(str_of(config_text(config, CONFIG_SMTP_NAME)), name, sizeof name);
    else if (gethostname(name, sizeof name - 1) != 0)
        strcpy(name, "localhost");
    struct tls_conf trust = { .ca_file = ca[0] != '\0' ? ca : NULL,
                              .no_verify = tls == SMTP_TLS_OFFERED || is_near };
    struct visit    visit = {
           .lock = PTHREAD_MUTEX_INITIALIZER,
           .moved = PTHREAD_COND_INITIALIZER,
           .conf = { .host = url.host,
                     .port = url.port,
                     .limits = smtp_limits_make(),
                     .wire = { .ehlo_name = name,
                               .user = url.user[0] != '\0' ? url.user : NULL,
                               .password = url.password[0] != '\0' ? url.password : NULL,
                               .tls = tls,
                               .password_in_clear = is_near } },
    };
    if (tls != SMTP_TLS_OFF && (visit.conf.tls = tls_client_open(&trust, problem)) == NULL)
        return ERR_IO;
    enum err err = talk_to(&visit, &url, problem);
    SSL_CTX_free(visit.conf.tls);
    explicit_bzero(&url, sizeof url);
    return err;
}
