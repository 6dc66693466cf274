/*
 * dult doctor: why does nothing arrive, and why does nothing leave?
 *
 * Each look says what it found in a sentence, and where something is wrong what to do. Nothing is
 * changed and nothing is sent.
 */
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include "base/time.h"
#include "run/cli/cli_talk.h"
#include "run/cli/doctor_mail.h"
#include "run/cli/progress.h"
#include "run/send/secrets.h"
#include "run/send/sender_url.h"
#include "run/send/ways_file.h"

enum {
    DISK_FREE_BAD = 256 << 20, /* a day of a small shop; commits fail soon */
    DISK_FREE_NOTE = 1 << 30,
    YEAR_LEAST = 2025, /* of the program itself */
    LISTED = 3,
};

enum found { FOUND_GOOD, FOUND_NOTE, FOUND_BAD };

struct doctor {
    struct talk talk;
    struct cli *cli;
    bool        has_api, has_server, has_no_way, has_wrong, has_said;
};

static void say(struct doctor *doctor, enum found found, const char *about,
                const struct problem *said)
{
    static const char *const words[] = { "ok", "note", "wrong" };
    const struct cli        *cli = doctor->cli;
    doctor->has_wrong = doctor->has_wrong || found == FOUND_BAD;
    if (cli->is_json) {
        SCOPED(buf_donep) struct buf line = buf_make(64 << 10);
        buf_format(&line,
                   "%s{\"about\":\"%s\",\"found\":\"%s\",\"what\":", doctor->has_said ? "," : "",
                   about, words[found]);
        json_write_str(&line, str_of(said->what));
        buf_str(&line, STR(",\"remedy\":"));
        json_write_str(&line, str_of(said->remedy));
        printf("%.*s}", STR_ARG(buf_view(&line)));
    } else {
        printf("%s%-6s%s %-8s %s\n",
               found == FOUND_GOOD  ? cli_good(cli)
               : found == FOUND_BAD ? cli_bad(cli)
                                    : cli_bold(cli),
               words[found], cli_plain(cli), about, said->what);
        if (said->remedy[0] != '\0')
            printf("%16s%s\n", "", said->remedy);
    }
    doctor->has_said = true;
}

static void tell(struct doctor *doctor, enum found found, const char *about, const char *remedy,
                 const char *what_format, ...) __attribute__((format(printf, 5, 6)));

static void tell(struct doctor *doctor, enum found found, const char *about, const char *remedy,
                 const char *what_format, ...)
{
    struct problem said = { .where = "" };
    va_list        args;
    va_start(args, what_format);
    vsnprintf(said.what, sizeof said.what, what_format, args);
    va_end(args);
    snprintf(said.remedy, sizeof said.remedy, "%s", remedy);
    say(doctor, found, about, &said);
}

/* ---- this machine ---- */

static bool look_folder(struct doctor *doctor)
{
    const char *dir = doctor->cli->data;
    struct stat stat_;
    if (stat(dir, &stat_) != 0 || !S_ISDIR(stat_.st_mode)) {
        tell(doctor, FOUND_BAD, "folder", "`dult serve --data DIR` makes one.",
             "There is no data folder at %.150s.", dir);
        return false;
    }
    if (access(dir, R_OK | W_OK | X_OK) != 0) {
        tell(doctor, FOUND_BAD, "folder", "Run Dult as the folder's owner.",
             "This user may not write to %.150s.", dir);
        return false;
    }
    if ((stat_.st_mode & 077) != 0)
        tell(doctor, FOUND_NOTE, "folder", "chmod 700 keeps people's data from other users.",
             "Others on this machine may look into %.150s.", dir);
    else
        tell(doctor, FOUND_GOOD, "folder", "", "%.150s is ours to write.", dir);
    return true;
}

static void look_disk(struct doctor *doctor)
{
    struct statvfs disk;
    if (statvfs(doctor->cli->data, &disk) != 0)
        return;
    uint64_t free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    char     number[PROGRESS_NUMBER_BYTES];
    progress_number((int64_t)(free_bytes >> 20), number);
    if (free_bytes < DISK_FREE_BAD)
        tell(doctor, FOUND_BAD, "disk", "Make room: without it nothing can be taken in.",
             "Only %s MB are free.", number);
    else
        tell(doctor, free_bytes < DISK_FREE_NOTE ? FOUND_NOTE : FOUND_GOOD, "disk", "",
             "%s MB are free.", number);
}

static void look_clock(struct doctor *doctor)
{
    struct timex      state = { .modes = 0 };
    int64_t           now_ms = time_now_ms();
    struct time_parts now = time_split(now_ms);
    char              text[TIME_TEXT_BYTES];
    if (now.year < YEAR_LEAST)
        tell(doctor, FOUND_BAD, "clock", "Set it, and keep it by NTP.",
             "This machine believes it is %s.", time_write(now_ms, text));
    else if (adjtimex(&state) == TIME_ERROR)
        tell(doctor, FOUND_NOTE, "clock", "Keep it by NTP: waits and windows go by it.",
             "It is %s, and nothing keeps the clock right.", time_write(now_ms, text));
    else
        tell(doctor, FOUND_GOOD, "clock", "", "It is %s, kept by NTP.", time_write(now_ms, text));
}

/* ---- arriving ---- */

enum reached { REACHED, NOT_REACHED, NO_SUCH_NAME };

static enum reached tcp_try(const char *host, int port)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
    char            service[8];
    enum reached    reached = NOT_REACHED;
    struct timeval  wait = { .tv_sec = 5 };
    snprintf(service, sizeof service, "%d", port);
    if (getaddrinfo(host, service, &hints, &found) != 0)
        return NO_SUCH_NAME;
    for (struct addrinfo *at = found; at != NULL && reached != REACHED; at = at->ai_next) {
        int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
            continue;
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
        if (connect(fd, at->ai_addr, at->ai_addrlen) == 0)
            reached = REACHED;
        close(fd);
    }
    freeaddrinfo(found);
    return reached;
}

static void look_port(struct doctor *doctor)
{
    const char *listen = config_text(&doctor->cli->config, CONFIG_LISTEN);
    char        host[256];
    int         port;
    if (!config_address_split(listen, host, &port))
        return;
    bool is_any = strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
    bool is_open = tcp_try(is_any ? "localhost" : host, port) == REACHED;
    if (doctor->has_server && is_open)
        tell(doctor, FOUND_GOOD, "server", "", "It runs, and %s takes connections.", listen);
    else if (doctor->has_server)
        tell(doctor, FOUND_BAD, "server",
             "Does it listen somewhere else? Give doctor the same "
             "settings: --listen HOST:PORT",
             "It runs on this folder, and nobody listens on %s.", listen);
    else if (is_open)
        tell(doctor, FOUND_BAD, "server", "Stop that program, or choose another with --listen.",
             "No server runs on this folder, and another program has taken %s.", listen);
    else
        tell(doctor, FOUND_BAD, "server", "Start it: dult serve --data DIR",
             "No server runs on this folder; %s is free.", listen);
}

static void look_public(struct doctor *doctor)
{
    const char *url = config_text(&doctor->cli->config, CONFIG_PUBLIC_URL);
    char        host[256];
    if (url[0] == '\0') {
        tell(doctor, FOUND_NOTE, "address", "Set public_url to the address people reach Dult at.",
             "Nobody outside this machine can follow a link: public_url is not set.");
        return;
    }
    struct str name = sender_host_of(str_of(url));
    str_to_cstr(name, host, sizeof host);
    struct addrinfo *found = NULL;
    if (sender_host_is_loopback(name))
        tell(doctor, FOUND_NOTE, "address", "Set public_url to the address people reach Dult at.",
             "%s is this machine alone: mail to real people is refused.", url);
    else if (getaddrinfo(host, NULL, NULL, &found) != 0)
        tell(doctor, FOUND_BAD, "address", "Is the name right, and is it in the DNS?",
             "%s cannot be found.", host);
    else if (!str_starts(str_of(url), STR("https://")))
        tell(doctor, FOUND_NOTE, "address", "Put https in front, by a proxy or tls_certificate.",
             "%s is not https: links and keys travel in the open.", url);
    else
        tell(doctor, FOUND_GOOD, "address", "", "%s has an address in the DNS.", url);
    if (found != NULL)
        freeaddrinfo(found);
}

static enum err key_count(void *context, const struct json *item)
{
    int *count = context;
    bool is_write = str_eq(json_get_str(item, STR("kind")), STR("write"));
    *count += is_write && json_get(item, STR("revoked")) == NULL;
    return OK;
}

static void look_keys(struct doctor *doctor)
{
    int count = 0;
    talk_path(&doctor->talk, "/api/v1/keys", NULL, NULL);
    enum err err = talk_all(&doctor->talk, key_count, &count);
    if (err != OK)
        say(doctor, FOUND_BAD, "keys", &doctor->talk.problem);
    else if (count == 0)
        tell(doctor, FOUND_BAD, "keys", "dult key create --kind write --name site",
             "There is no write key, so nobody can send events.");
    else
        tell(doctor, FOUND_GOOD, "keys", "", "%d write key%s.", count, count == 1 ? "" : "s");
}

static int64_t number(const struct json *object, const char *key)
{
    int64_t value = 0;
    (void)json_get_int(object, str_of(key), &value);
    return value;
}

/* The index is made anew from the data when there is no snapshot: slower, never wrong. */
static void look_snapshot(struct doctor *doctor)
{
    char        path[4096], size[PROGRESS_NUMBER_BYTES], at[TIME_TEXT_BYTES];
    struct stat stat_;
    snprintf(path, sizeof path, "%s/base.dult", doctor->cli->data);
    if (stat(path, &stat_) != 0)
        tell(doctor, FOUND_NOTE, "index", "",
             "There is no snapshot yet: a start reads all events, which is quick while they are "
             "few.");
    else
        tell(doctor, FOUND_GOOD, "index", "", "Its snapshot has %s KB and is of %.16s.",
             progress_number(stat_.st_size >> 10, size),
             time_write((int64_t)stat_.st_mtime * TIME_SECOND_MS, at));
}

/* How the server finds each way out. */
static void look_way(struct doctor *doctor, const struct json *way)
{
    struct talk *talk = &doctor->talk;
    char         sent[PROGRESS_NUMBER_BYTES], today[PROGRESS_NUMBER_BYTES];
    const char  *name = talk_text(talk, way, "name"), *error = talk_text(talk, way, "error");
    const char  *opens = talk_text(talk, way, "opens");
    progress_number(number(way, "sent"), sent);
    progress_number(number(way, "today"), today);
    bool is_bounded = json_get(way, STR("todayMost")) != NULL;
    if (json_get_bool(way, STR("open"), false))
        tell(doctor, error[0] == '\0' ? FOUND_GOOD : FOUND_NOTE, "way", "",
             "%s is open and has sent %s since the start%s%s%s%s", name, sent,
             is_bounded ? ", today " : "", is_bounded ? today : "",
             error[0] == '\0' ? "." : "; its last trouble: ", error);
    else
        tell(doctor, FOUND_BAD, "way", "Messages go by the next way, or wait.",
             "%s is closed%s%s: %s", name, opens[0] == '\0' ? "" : " until ", opens,
             error[0] == '\0' ? "today's number is used up" : error);
}

static void look_ways(struct doctor *doctor)
{
    const struct json *ways = json_get(&doctor->talk.answer, STR("ways"));
    doctor->has_no_way =
        doctor->has_server && ways != NULL && ways->kind == JSON_ARRAY && ways->count == 0;
    if (doctor->has_no_way)
        tell(doctor, FOUND_NOTE, "way", "Set smtp, outbox, or describe ways in ways.json.",
             "There is no way out: messages wait in the queue.");
    for (uint32_t i = 0; ways != NULL && ways->kind == JSON_ARRAY && i < ways->count; i++)
        look_way(doctor, &ways->items[i]);
}

/* Whom mail reaches. */
static void look_live(struct doctor *doctor)
{
    struct talk *talk = &doctor->talk;
    talk_path(talk, "/api/v1/live", NULL, NULL);
    if (talk_ask(talk, "GET") != OK) {
        say(doctor, FOUND_BAD, "live", &talk->problem);
        return;
    }
    struct str state = json_get_str(&talk->answer, STR("state"));
    if (str_eq(state, STR("live")) && doctor->has_no_way)
        tell(doctor, FOUND_NOTE, "live", "", "Live, but mail reaches nobody without a way out.");
    else if (str_eq(state, STR("live")))
        tell(doctor, FOUND_GOOD, "live", "", "Mail reaches people.");
    else if (str_eq(state, STR("copy")))
        tell(doctor, FOUND_BAD, "live", "Say which it is: dult live --yes, or dult live off",
             "This folder is a copy of one that is live, so nothing is sent from it.");
    else
        tell(doctor, FOUND_NOTE, "live", "When all is well: dult live --yes",
             "On trial: mail reaches the allow list only, the rest is kept in the outbox.");
}

static void look_codes(struct doctor *doctor, const struct json *pool)
{
    const char *name = talk_text(&doctor->talk, pool, "name");
    int64_t     waiting = number(pool, "waiting");
    if (waiting > 0)
        tell(doctor, FOUND_BAD, "codes", "Add some: dult codes import POOL FILE",
             "%lld messages wait for codes of %s.", (long long)waiting, name);
    else
        tell(doctor, FOUND_BAD, "codes", "Add some: dult codes import POOL FILE",
             "Of the codes %s %lld are left.", name, (long long)number(pool, "left"));
}

static void look_stats(struct doctor *doctor)
{
    struct talk *talk = &doctor->talk;
    char         a[PROGRESS_NUMBER_BYTES], b[PROGRESS_NUMBER_BYTES];
    talk_path(talk, "/api/v1/stats", NULL, NULL);
    if (talk_ask(talk, "GET") != OK) {
        say(doctor, FOUND_BAD, "data", &talk->problem);
        return;
    }
    const struct json *sending = json_get(&talk->answer, STR("sending"));
    if (str_eq(json_get_str(sending, STR("state")), STR("stopped")))
        tell(doctor, FOUND_BAD, "sending",
             "Find out which list or template it was, then: dult sending resume",
             "Sending is stopped since %.16s (%s): %s.", talk_text(talk, sending, "since"),
             talk_text(talk, sending, "author"), talk_text(talk, sending, "why"));
    const struct json *domains = json_get(sending, STR("domains"));
    for (uint32_t i = 0; domains != NULL && i < domains->count; i++)
        tell(doctor, FOUND_BAD, "sending",
             "Find out which list or template it was, then: dult sending resume DOMAIN",
             "Sending from %s is stopped: %s.", talk_text(talk, &domains->items[i], "domain"),
             talk_text(talk, &domains->items[i], "why"));
    const struct json *codes = json_get(&talk->answer, STR("codes"));
    for (uint32_t i = 0; codes != NULL && i < codes->count; i++)
        look_codes(doctor, &codes->items[i]);
    int64_t failures = number(&talk->answer, "commitFailures");
    if (failures > 0)
        tell(doctor, FOUND_BAD, "data", "Look at the disk and the server's log.",
             "%s commits failed since the start.", progress_number(failures, a));
    tell(doctor, FOUND_GOOD, "data", "", "%s people, %s events.",
         progress_number(number(&talk->answer, "profiles"), a),
         progress_number(number(&talk->answer, "events"), b));
    tell(doctor, FOUND_GOOD, "start", "", "Loading took %s ms.",
         progress_number(number(&talk->answer, "loadMs"), a));
    look_ways(doctor);
}

/* The newest of a list, for a person to see what kind of thing goes wrong. */
static void look_list(struct doctor *doctor, const char *path, const char *items_name,
                      const char *about, const char *none)
{
    struct talk *talk = &doctor->talk;
    talk_path(talk, path, NULL, NULL);
    if (talk_ask(talk, "GET") != OK) {
        say(doctor, FOUND_BAD, about, &talk->problem);
        return;
    }
    const struct json *items = json_get(&talk->answer, str_of(items_name));
    if (items == NULL || items->kind != JSON_ARRAY || items->count == 0) {
        tell(doctor, FOUND_GOOD, about, "", "%s", none);
        return;
    }
    for (uint32_t i = 0; i < items->count && i < LISTED; i++) {
        const struct json *item = &items->items[i];
        const char *what = talk_text(talk, item, "what"), *reason = talk_text(talk, item, "reason");
        const char *at = talk_text(talk, item, "at");
        tell(doctor, FOUND_NOTE, about, talk_text(talk, item, "remedy"), "%s %s %s%s%s",
             at[0] != '\0' ? at : talk_text(talk, item, "received"),
             what[0] != '\0' ? what : reason, talk_text(talk, item, "field"),
             talk_text(talk, item, "path"), talk_text(talk, item, "to"));
    }
}

/* ---- leaving ---- */

/* True when there is a list of ways, which the server tells of, or which can only be read. */
static bool look_ways_file(struct doctor *doctor)
{
    const struct config *config = &doctor->cli->config;
    const char    *path = config_has(config, CONFIG_WAYS) ? config_text(config, CONFIG_WAYS) : NULL;
    struct problem problem = { .where = "" };
    struct ways_file *file = NULL;
    uint32_t          count;
    enum err          err = ways_file_read(&file, doctor->cli->data, path, &problem);
    if (err == ERR_ABSENT && path == NULL)
        return false;
    if (err != OK) {
        say(doctor, FOUND_BAD, "mail", &problem);
        return true;
    }
    (void)ways_file_ways(file, &count);
    ways_file_close(file);
    tell(doctor, FOUND_GOOD, "mail", "", "%u way%s out, with all settings and secrets.", count,
         count == 1 ? "" : "s");
    return true;
}

static void look_mail(struct doctor *doctor)
{
    const struct config *config = &doctor->cli->config;
    struct problem       problem = { .where = "" };
    if (look_ways_file(doctor))
        return;
    if (config_has(config, CONFIG_OUTBOX))
        tell(doctor, FOUND_NOTE, "mail", "Set smtp to send it to people.",
             "Mail is written to the folder %.150s, and reaches nobody.",
             config_text(config, CONFIG_OUTBOX));
    else if (!config_has(config, CONFIG_SMTP_URL))
        tell(doctor, FOUND_BAD, "mail", "Set smtp, or outbox to try: dult serve --help",
             "Neither smtp nor outbox is set, so messages wait.");
    else if (doctor_mail_try(config, &problem) != OK)
        say(doctor, FOUND_BAD, "mail", &problem);
    else
        tell(doctor, FOUND_GOOD, "mail", "", "The mail server lets us in. Nothing was sent.");
}

/* What `dult domains` tells, in a line each. */
static void domain_each(struct doctor *doctor, const struct json *domain)
{
    struct talk       *talk = &doctor->talk;
    const struct json *records = json_get(domain, STR("records"));
    bool               has_people = config_has(&doctor->cli->config, CONFIG_SMTP_URL);
    for (uint32_t i = 0; records != NULL && i < records->count; i++) {
        const struct json *row = &records->items[i];
        const char        *state = talk_text(talk, row, "state");
        bool               is_wrong = strcmp(state, "missing") == 0 || strcmp(state, "wrong") == 0;
        tell(doctor,
             is_wrong && has_people       ? FOUND_BAD
             : strcmp(state, "good") == 0 ? FOUND_GOOD
                                          : FOUND_NOTE,
             talk_text(talk, row, "about"),
             is_wrong ? "`dult domains` prints the record to publish." : "", "%.120s: %s",
             talk_text(talk, row, "name"), talk_text(talk, row, "what"));
    }
}

static void look_domains(struct doctor *doctor)
{
    struct talk *talk = &doctor->talk;
    talk_path(talk, "/api/v1/domains", NULL, NULL);
    if (talk_ask(talk, "GET") != OK) {
        say(doctor, FOUND_BAD, "dns", &talk->problem);
        return;
    }
    const struct json *items = json_get(&talk->answer, STR("items"));
    for (uint32_t i = 0; items != NULL && i < items->count; i++)
        domain_each(doctor, &items->items[i]);
}

static void look_sender(struct doctor *doctor)
{
    struct talk *talk = &doctor->talk;
    struct json  workspace;
    talk_path(talk, "/api/v1/workspace", NULL, NULL);
    bool has_text = talk_ask(talk, "GET") == OK &&
                    json_parse_once(talk->arena, json_get_str(&talk->answer, STR("text")),
                                    &workspace, NULL) == OK;
    struct str email = STR_NONE;
    if (has_text)
        email = json_get_str(json_get(&workspace, STR("sender")), STR("email"));
    size_t at = str_find_char(email, 0, '@');
    if (at >= email.len) {
        tell(doctor, FOUND_BAD, "sender", "Put it into workspace.json and `dult apply` the folder.",
             "The workspace does not say who sends, so no mail can leave.");
        return;
    }
    tell(doctor, FOUND_GOOD, "sender", "", "Mail comes from %.*s.", STR_ARG(email));
    look_domains(doctor);
}

/* ---- all of it ---- */

static void look_inside(struct doctor *doctor)
{
    look_keys(doctor);
    look_stats(doctor);
    if (doctor->has_server)
        look_live(doctor);
    look_list(doctor, "/api/v1/rejected?limit=3", "items", "events",
              "No event was rejected lately.");
    if (doctor->has_server)
        look_list(doctor, "/api/v1/refused", "refused", "requests",
                  "No request was turned away since the start.");
    look_sender(doctor);
    look_list(doctor, "/api/v1/messages?state=failed&limit=3", "items", "failed",
              "No message failed.");
    look_list(doctor, "/api/v1/messages?state=held&limit=3", "items", "held",
              "No message was held back.");
    look_list(doctor, "/api/v1/messages?state=unknown&limit=3", "items", "unknown",
              "No message is in doubt.");
}

enum cli_exit cli_doctor(struct cli *cli)
{
    struct doctor doctor = { .cli = cli };
    if (cli->is_json)
        printf("{\"looks\":[");
    if (look_folder(&doctor)) {
        look_disk(&doctor);
        enum err err = talk_open(&doctor.talk, cli, false);
        doctor.has_api = err == OK;
        doctor.has_server = doctor.has_api && doctor.talk.reach.serve == NULL;
        if (err != OK)
            say(&doctor, FOUND_BAD, "data", &doctor.talk.problem);
        look_clock(&doctor);
        look_snapshot(&doctor);
        look_port(&doctor);
        look_public(&doctor);
        look_mail(&doctor);
        if (doctor.has_api)
            look_inside(&doctor);
        talk_close(&doctor.talk);
    }
    if (cli->is_json)
        printf("],\"well\":%s}\n", doctor.has_wrong ? "false" : "true");
    return doctor.has_wrong ? CLI_NO : CLI_OK;
}
