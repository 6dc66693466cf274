#include "run/config.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/time.h"
#include "run/nearest.h"
#include "server/proxy.h"

const struct config_key CONFIG_KEYS[CONFIG_IDS] = {
    [CONFIG_LISTEN] = { "listen", CONFIG_ADDRESS, "HOST:PORT", "where to listen",
                        .absent = "127.0.0.1:8080" },
    [CONFIG_PUBLIC_URL] = { "public_url", CONFIG_URL, "URL",
                            "the address people reach Dult at; every link in a mail begins so" },
    [CONFIG_TRUSTED_PROXY] = { "trusted_proxy", CONFIG_NETS, "NETS",
                               "proxies whose forwarded headers count, such as 10.0.0.0/8" },
    [CONFIG_TLS_CERTIFICATE] = { "tls_certificate", CONFIG_PATH, "FILE",
                                 "PEM certificate chain; SIGHUP reads it again" },
    [CONFIG_TLS_KEY] = { "tls_key", CONFIG_PATH, "FILE", "PEM key of that certificate" },
    [CONFIG_SMTP_URL] = { "smtp", CONFIG_SMTP, "URL",
                          "the mail server: smtp://user:password@mail.example:587" },
    [CONFIG_SMTP_CONNECTIONS] = { "smtp_connections", CONFIG_COUNT, "N", "connections kept to it",
                                  .absent = "4", 1, 64 },
    [CONFIG_SMTP_RATE] = { "smtp_rate", CONFIG_COUNT, "N", "messages a second at most; 0: no bound",
                           .absent = "0", 0, 1000000 },
    [CONFIG_SMTP_DOMAIN_MAX] = { "smtp_domain_max", CONFIG_COUNT, "N",
                                 "messages under way to one recipient domain; 0: no bound",
                                 .absent = "0", 0, 64 },
    [CONFIG_SMTP_RETRY] = { "smtp_retry_first", CONFIG_LENGTH, "TIME",
                            "the wait before each next try of a put-off message, or of an alert; "
                            "else 1 minute and growing",
                            .least = 100, .most = TIME_DAY_MS },
    [CONFIG_SMTP_TIMEOUT] = { "smtp_timeout", CONFIG_LENGTH, "TIME",
                              "how long the mail server may take for any answer; else 2 to 10 "
                              "minutes, by what was asked (RFC 5321)",
                              .least = TIME_SECOND_MS, .most = 10 * TIME_MINUTE_MS },
    [CONFIG_SMTP_TLS] = { "smtp_tls", CONFIG_WORD, "chosen|off|offered|required",
                          "chosen: required with a password, else taken where offered",
                          .absent = "chosen" },
    [CONFIG_SMTP_CA] = { "smtp_ca", CONFIG_PATH, "FILE",
                         "PEM file of who may vouch for the mail server; else the system's" },
    [CONFIG_SMTP_NAME] = { "smtp_name", CONFIG_TEXT, "NAME",
                           "how we greet the mail server; else this machine's name" },
    [CONFIG_RETURN_DOMAIN] = { "return_domain", CONFIG_TEXT, "NAME",
                               "where bounces come back to; else the sender's address" },
    [CONFIG_DNS_SERVERS] = { "dns_servers", CONFIG_TEXT, "HOST:PORT,...",
                             "who is asked about the DNS of sending domains; else the system's" },
    [CONFIG_BOUNCE_LISTEN] = { "bounce_listen", CONFIG_TEXT, "HOST:PORT",
                               "where a mail server hands in what came back, by SMTP or LMTP" },
    [CONFIG_SENDGRID_KEY] = { "sendgrid_key", CONFIG_TEXT, "KEY",
                              "its public key for signed events; takes its bounces" },
    [CONFIG_SES_TOPIC] = { "ses_topic", CONFIG_TEXT, "ARN,...",
                           "topics of Amazon SNS that tell SES's bounces; takes them" },
    [CONFIG_SES_CERTIFICATE] = { "ses_certificate", CONFIG_PATH, "FILE",
                                 "SNS's signing certificate, where it cannot be fetched" },
    [CONFIG_MAILGUN_KEY] = { "mailgun_key", CONFIG_TEXT, "KEY",
                             "its key for signing webhooks; takes its bounces" },
    [CONFIG_CHANNELS] = { "channels", CONFIG_PATH, "FILE",
                          "no more: services are ways of ways.json" },
    [CONFIG_POSTMARK_PASSWORD] = { "postmark_password", CONFIG_TEXT, "NAME:PASSWORD",
                                   "what its webhook comes with; takes its bounces" },
    [CONFIG_TRACKING] = { "tracking", CONFIG_WORD, "yes|no", "count opens and clicks",
                          .absent = "yes" },
    [CONFIG_OUTBOX] = { "outbox", CONFIG_PATH, "DIR",
                        "write mail to this Maildir instead of sending it" },
    [CONFIG_TRIAL_ALLOW] = { "trial_allow", CONFIG_TEXT, "ADDRESSES",
                             "until `dult live`, only these and @domains are delivered to" },
    [CONFIG_ALERT_TO] = { "alert_to", CONFIG_TEXT, "ADDRESSES",
                          "who is told that sending stopped or codes run out; or slack" },
    [CONFIG_STATUS_URL] = { "status_url", CONFIG_TEXT, "URL",
                            "is told what became of messages that programs asked for" },
    [CONFIG_STATUS_SECRET] = { "status_secret", CONFIG_TEXT, "TEXT",
                               "what it is told is signed with; at least 16 characters" },
    [CONFIG_WAYS] = { "ways", CONFIG_PATH, "FILE",
                      "several ways out, in order; else ways.json of the data folder" },
    [CONFIG_DKIM_DOMAIN] = { "dkim_domain", CONFIG_TEXT, "NAME", "the domain that signs mail" },
    [CONFIG_DKIM_SELECTOR] = { "dkim_selector", CONFIG_TEXT, "NAME",
                               "which of its keys: NAME._domainkey.DOMAIN" },
    [CONFIG_DKIM_KEY_FILE] = { "dkim_key_file", CONFIG_PATH, "FILE", "PEM key that signs" },
    [CONFIG_HIT_WAIT] = { "hit_wait", CONFIG_COUNT, "SECONDS",
                          "how long opens and clicks wait to be told from a scanner's; 0: not at "
                          "all",
                          .absent = "5", 0, 60 },
    [CONFIG_LATENESS] = { "lateness", CONFIG_LENGTH, "TIME",
                          "older events update people and start nothing", .absent = "1 day",
                          TIME_MINUTE_MS, 365 * TIME_DAY_MS },
    [CONFIG_GEO_FILE] = { "geo_file", CONFIG_PATH, "FILE",
                          "countries of IP addresses, a .mmdb file; none: the network tells none" },
    [CONFIG_THREADS] = { "threads", CONFIG_COUNT, "N",
                         "threads that read requests; 0: one a processor", .absent = "0", 0, 64 },
    [CONFIG_REPORT_THREADS] = { "report_threads", CONFIG_COUNT, "N",
                                "threads that answer reports, beside the engine", .absent = "2", 1,
                                64 },
    [CONFIG_CONNECTIONS_MAX] = { "connections_max", CONFIG_COUNT, "N", "connections in all",
                                 .absent = "10000", 1, 1000000 },
    [CONFIG_ADDRESS_CONNECTIONS_MAX] = { "address_connections_max", CONFIG_COUNT, "N",
                                         "connections from one address", .absent = "256", 1,
                                         1000000 },
    [CONFIG_HELD_MAX] = { "held_max", CONFIG_BYTES, "BYTES", "bodies not yet answered, together",
                          .absent = "512M", 4 << 20, INT64_C(1) << 40 },
};

void config_init(struct config *config)
{
    memset(config, 0, sizeof *config);
    for (int id = 0; id < CONFIG_IDS; id++)
        if (CONFIG_KEYS[id].absent != NULL)
            str_to_cstr(str_of(CONFIG_KEYS[id].absent), config->values[id],
                        sizeof config->values[id]);
}

static bool same_name(struct str name, const char *key)
{
    size_t i = 0;
    for (; i < name.len && key[i] != '\0'; i++)
        if (name.ptr[i] != key[i] && !(name.ptr[i] == '-' && key[i] == '_'))
            return false;
    return i == name.len && key[i] == '\0';
}

enum config_id config_find(struct str name)
{
    int id = 0;
    while (id < CONFIG_IDS && !same_name(name, CONFIG_KEYS[id].name))
        id++;
    return (enum config_id)id;
}

const char *config_nearest(struct str name)
{
    struct nearest nearest = nearest_make(name);
    for (int id = 0; id < CONFIG_IDS; id++)
        nearest_offer(&nearest, CONFIG_KEYS[id].name);
    return nearest.best;
}

/* ---- what a value may be ---- */

bool config_address_split(const char *address, char *host, int *port)
{
    const char *colon = strrchr(address, ':');
    int64_t     number;
    if (colon == NULL || colon == address || colon - address > 255 ||
        str_to_int(str_of(colon + 1), &number) != OK || number < 0 || number > 65535)
        return false;
    struct str name = { address, (size_t)(colon - address) };
    bool       is_bracketed = name.ptr[0] == '[' && name.ptr[name.len - 1] == ']';
    if (is_bracketed)
        name = str_slice(name, 1, name.len - 1);
    else if (memchr(name.ptr, ':', name.len) != NULL)
        return false; /* which colon is the port's? brackets say it */
    str_to_cstr(name, host, 256);
    *port = (int)number;
    return name.len > 0;
}

static bool read_bytes(struct str value, int64_t *out)
{
    static const char units[] = "KMGT";
    int               shift = 0;
    const char *unit = value.len == 0 ? NULL : strchr(units, toupper(value.ptr[value.len - 1]));
    if (unit != NULL && *unit != '\0') {
        shift = 10 * (int)(unit - units + 1);
        value.len--;
    }
    if (str_to_int(value, out) != OK || *out < 0 || *out > INT64_MAX >> shift)
        return false;
    *out <<= shift;
    return true;
}

static bool read_number(const struct config_key *key, struct str value, int64_t *out)
{
    switch (key->kind) {
    case CONFIG_COUNT:
        return str_to_int(value, out) == OK;
    case CONFIG_LENGTH:
        return time_length_parse(value, out) == OK;
    case CONFIG_BYTES:
        return read_bytes(value, out);
    default:
        return false;
    }
}

static bool is_url(struct str value, struct str scheme)
{
    struct str rest = str_slice(value, scheme.len, value.len);
    return str_starts(value, scheme) && rest.len > 0 && rest.ptr[0] != '/' &&
           str_find_char(value, 0, ' ') == value.len;
}

static bool is_one_of(struct str value, const char *words)
{
    struct str rest = str_of(words), word;
    while (str_split(&rest, '|', &word))
        if (str_eq(word, value))
            return true;
    return false;
}

/* NULL when it fits, else what was expected. */
static const char *misfit(const struct config_key *key, struct str value, char *text)
{
    struct proxy_trust trust = { .count = 0 };
    char               host[256];
    int                port;
    int64_t            number;
    switch (key->kind) {
    case CONFIG_ADDRESS:
        str_to_cstr(value, text, CONFIG_VALUE_BYTES_MAX);
        return config_address_split(text, host, &port) ? NULL : "an address such as 127.0.0.1:8080";
    case CONFIG_URL:
        if (str_find_char(value, 0, '?') < value.len || str_find_char(value, 0, '#') < value.len)
            return "an address without ? or #";
        return is_url(value, STR("https://")) || is_url(value, STR("http://"))
                   ? NULL
                   : "an address such as https://go.example.com";
    case CONFIG_SMTP:
        return is_url(value, STR("smtp://")) || is_url(value, STR("smtps://"))
                   ? NULL
                   : "an address such as smtp://user:password@mail.example.com:587";
    case CONFIG_NETS:
        return proxy_trust_parse(&trust, value, NULL) == OK ? NULL
                                                            : "networks such as 10.0.0.0/8, ::1";
    case CONFIG_WORD:
        snprintf(text, CONFIG_VALUE_BYTES_MAX, "one of %s", key->sample);
        return is_one_of(value, key->sample) ? NULL : text;
    case CONFIG_COUNT:
    case CONFIG_LENGTH:
    case CONFIG_BYTES:
        if (read_number(key, value, &number) && number >= key->least && number <= key->most)
            return NULL;
        if (key->kind == CONFIG_LENGTH)
            return "a length of time such as \"90 seconds\" or \"1 day\"";
        snprintf(text, CONFIG_VALUE_BYTES_MAX, "%s from %" PRId64 " to %" PRId64,
                 key->kind == CONFIG_COUNT ? "a whole number" : "bytes such as 64K or 512M,",
                 key->least, key->most);
        return text;
    default:
        return NULL;
    }
}

static enum err unknown(struct str name, const char *place, struct problem *problem)
{
    const char *near = config_nearest(name);
    char        remedy[160];
    if (near != NULL)
        snprintf(remedy, sizeof remedy, "Did you mean %s?", near);
    else
        snprintf(remedy, sizeof remedy, "`dult serve --help` lists all settings.");
    return problem_format(problem, ERR_ABSENT, place, remedy, "There is no setting called %.*s.",
                          STR_ARG(str_slice(name, 0, 60)));
}

enum err config_set(struct config *config, struct str name, struct str value, const char *place,
                    struct problem *problem)
{
    enum config_id id = config_find(name);
    if (id == CONFIG_IDS)
        return unknown(name, place, problem);
    const struct config_key *key = &CONFIG_KEYS[id];
    char                     text[CONFIG_VALUE_BYTES_MAX];
    if (value.len >= sizeof text || memchr(str_is_empty(value) ? "" : value.ptr, 0, value.len))
        return problem_format(problem, ERR_INPUT, place, "Shorten it.",
                              "%s is longer than %d bytes.", key->name, CONFIG_VALUE_BYTES_MAX - 1);
    const char *expected = str_is_empty(value) ? NULL : misfit(key, value, text);
    if (expected != NULL) {
        char remedy[200];
        snprintf(remedy, sizeof remedy, "Give %.180s.", expected);
        /* The value of smtp holds a password, so it is not said again. */
        if (key->kind == CONFIG_SMTP)
            return problem_format(problem, ERR_INPUT, place, remedy,
                                  "The value of smtp is no address of a mail server.");
        return problem_format(problem, ERR_INPUT, place, remedy, "%s cannot be \"%.*s\".",
                              key->name, STR_ARG(str_slice(value, 0, 80)));
    }
    if (str_is_empty(value) && key->absent != NULL)
        value = str_of(key->absent);
    while (key->kind == CONFIG_URL && str_ends(value, STR("/")))
        value.len--; /* links add their own */
    str_to_cstr(value, config->values[id], sizeof config->values[id]);
    snprintf(config->places[id], sizeof config->places[id], "%s", place);
    return OK;
}

/* ---- the three places ---- */

static enum err read_line(struct config *config, const char *place, struct str line,
                          struct problem *problem)
{
    line = str_trim(line);
    if (str_is_empty(line) || line.ptr[0] == '#' || line.ptr[0] == ';')
        return OK;
    size_t equals = str_find_char(line, 0, '=');
    if (line.ptr[0] == '[')
        return problem_set(problem, ERR_INPUT, place, "This file has no sections.",
                           "Leave this line out; each setting has a name of its own.");
    if (equals == line.len)
        return problem_set(problem, ERR_INPUT, place, "This line has no \"=\".",
                           "Write: key = value");
    struct str value = str_trim(str_slice(line, equals + 1, line.len));
    if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
        value = str_slice(value, 1, value.len - 1);
    else if (str_find(value, 0, STR(" #")) < value.len)
        value = str_trim(str_slice(value, 0, str_find(value, 0, STR(" #"))));
    return config_set(config, str_trim(str_slice(line, 0, equals)), value, place, problem);
}

enum err config_read_text(struct config *config, const char *path, struct str text,
                          struct problem *problem)
{
    struct str line;
    char       place[160];
    if (str_starts(text, STR("\xef\xbb\xbf")))
        text = str_slice(text, 3, text.len); /* some editors begin a file so */
    for (int number = 1; str_split(&text, '\n', &line); number++) {
        snprintf(place, sizeof place, "%.140s:%d", path, number);
        enum err err = read_line(config, place, line, problem);
        if (err != OK)
            return ERR_INPUT;
    }
    return OK;
}

enum err config_read_file(struct config *config, const char *path, struct problem *problem)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return problem_format(problem, errno == ENOENT ? ERR_ABSENT : ERR_IO, path,
                              "Is the path right, and may this user read it?",
                              "The configuration cannot be read: %s.", strerror(errno));
    SCOPED(buf_donep) struct buf text = buf_make(CONFIG_FILE_BYTES_MAX + 1);
    char                        *room = buf_reserve(&text, CONFIG_FILE_BYTES_MAX + 1);
    ssize_t got = room == NULL ? -1 : read(fd, room, CONFIG_FILE_BYTES_MAX + 1);
    close(fd);
    if (got < 0)
        return problem_set(problem, ERR_IO, path, "The configuration cannot be read.",
                           "Is it a plain file?");
    if (got > CONFIG_FILE_BYTES_MAX)
        return problem_set(problem, ERR_INPUT, path, "The configuration is longer than 64 KB.",
                           "Is this the right file?");
    buf_added(&text, (size_t)got);
    return config_read_text(config, path, buf_view(&text), problem);
}

enum err config_read_environment(struct config *config, char *const *environment,
                                 struct problem *problem)
{
    for (; *environment != NULL; environment++) {
        struct str entry = str_of(*environment);
        size_t     equals = str_find_char(entry, 0, '=');
        if (!str_starts(entry, STR("DULT_")) || equals == entry.len ||
            equals - 5 >= CONFIG_NAME_BYTES_MAX)
            continue;
        char name[CONFIG_NAME_BYTES_MAX], place[64];
        for (size_t i = 5; i < equals; i++)
            name[i - 5] = (char)tolower((unsigned char)entry.ptr[i]);
        name[equals - 5] = '\0';
        if (config_find(str_of(name)) == CONFIG_IDS)
            continue;
        snprintf(place, sizeof place, "%.*s", (int)equals, entry.ptr);
        TRY(config_set(config, str_of(name), str_slice(entry, equals + 1, entry.len), place,
                       problem));
    }
    return OK;
}

enum err config_check(const struct config *config, struct problem *problem)
{
    bool certificate = config_has(config, CONFIG_TLS_CERTIFICATE);
    if (certificate != config_has(config, CONFIG_TLS_KEY))
        return problem_set(problem, ERR_INPUT, certificate ? "tls_key" : "tls_certificate",
                           "A certificate and its key belong together, and one is missing.",
                           "Give both tls_certificate and tls_key, or neither.");
    int dkim = config_has(config, CONFIG_DKIM_DOMAIN) + config_has(config, CONFIG_DKIM_SELECTOR) +
               config_has(config, CONFIG_DKIM_KEY_FILE);
    if (dkim != 0 && dkim != 3)
        return problem_set(problem, ERR_INPUT, "dkim_domain",
                           "Signing mail needs dkim_domain, dkim_selector and dkim_key_file, and "
                           "only some of them are given.",
                           "Give all three, or none.");
    if (config_has(config, CONFIG_SMTP_URL) && config_has(config, CONFIG_OUTBOX))
        return problem_set(problem, ERR_INPUT, "outbox",
                           "Mail cannot both be sent by smtp and be written to an outbox.",
                           "Leave one of them out. An empty value does so: --smtp ''");
    return OK;
}

const char *config_text(const struct config *config, enum config_id id)
{
    assert(id < CONFIG_IDS);
    return config->values[id];
}

bool config_has(const struct config *config, enum config_id id)
{
    return config_text(config, id)[0] != '\0';
}

int64_t config_number(const struct config *config, enum config_id id)
{
    int64_t number = 0;
    return read_number(&CONFIG_KEYS[id], str_of(config_text(config, id)), &number) ? number : 0;
}
