/*
 * config: what the operator decided, from three places.
 *
 *     dult.conf           listen = 0.0.0.0:8080          lowest
 *     environment         DULT_LISTEN=0.0.0.0:8080
 *     command line        --listen 0.0.0.0:8080          highest
 *
 * The file has a line "key = value" for each setting, '#' begins a comment, a value in double
 * quotes keeps its blanks. One name serves all three: public_url, DULT_PUBLIC_URL, --public-url.
 * CONFIG_KEYS is the whole list, and `dult serve --help` prints it.
 *
 * Always true   a config that was read has only known keys, each value of its kind and within its
 *               bounds; a problem names the place it stands and the nearest known key.
 *               In a variable an unknown name is left alone: DULT_ belongs to scripts, too.
 * Knows not     what the values are used for.
 */
#ifndef DULT_RUN_CONFIG_H
#define DULT_RUN_CONFIG_H

#include "base/str.h"

enum {
    CONFIG_FILE_BYTES_MAX = 64 * 1024, /* it is written by hand */
    CONFIG_VALUE_BYTES_MAX = 1024,     /* a long list of proxies, an SMTP url with its password */
    CONFIG_NAME_BYTES_MAX = 32,
};

#define CONFIG_FILE_NAME "dult.conf"

enum config_kind {
    CONFIG_TEXT,
    CONFIG_ADDRESS, /* host:port, [v6]:port */
    CONFIG_URL,     /* http:// or https:// without a path's end */
    CONFIG_SMTP,    /* smtp:// or smtps:// */
    CONFIG_NETS,    /* 10.0.0.0/8, 2001:db8::/32 */
    CONFIG_PATH,
    CONFIG_WORD,   /* one of those in its sample, "a|b|c" */
    CONFIG_COUNT,  /* a whole number within its bounds */
    CONFIG_LENGTH, /* of time: "90s", "1 day" */
    CONFIG_BYTES,  /* 64K, 512M, 2G */
};

/* The order is that of CONFIG_KEYS in config.c. */
enum config_id {
    CONFIG_LISTEN,
    CONFIG_PUBLIC_URL,
    CONFIG_TRUSTED_PROXY,
    CONFIG_TLS_CERTIFICATE,
    CONFIG_TLS_KEY,
    CONFIG_SMTP_URL,
    CONFIG_SMTP_CONNECTIONS,
    CONFIG_SMTP_RATE,
    CONFIG_SMTP_DOMAIN_MAX,
    CONFIG_SMTP_RETRY,
    CONFIG_SMTP_TIMEOUT,
    CONFIG_SMTP_TLS,
    CONFIG_SMTP_CA,
    CONFIG_SMTP_NAME,
    CONFIG_RETURN_DOMAIN,
    CONFIG_DNS_SERVERS,
    CONFIG_BOUNCE_LISTEN,
    CONFIG_SENDGRID_KEY,
    CONFIG_SES_TOPIC,
    CONFIG_SES_CERTIFICATE,
    CONFIG_MAILGUN_KEY,
    CONFIG_POSTMARK_PASSWORD,
    CONFIG_CHANNELS,
    CONFIG_TRACKING,
    CONFIG_OUTBOX,
    CONFIG_TRIAL_ALLOW,
    CONFIG_ALERT_TO,
    CONFIG_STATUS_URL,
    CONFIG_STATUS_SECRET,
    CONFIG_WAYS,
    CONFIG_DKIM_DOMAIN,
    CONFIG_DKIM_SELECTOR,
    CONFIG_DKIM_KEY_FILE,
    CONFIG_HIT_WAIT,
    CONFIG_LATENESS,
    CONFIG_GEO_FILE,
    CONFIG_THREADS,
    CONFIG_REPORT_THREADS,
    CONFIG_CONNECTIONS_MAX,
    CONFIG_ADDRESS_CONNECTIONS_MAX,
    CONFIG_HELD_MAX,
    CONFIG_IDS,
};

struct config_key {
    const char      *name; /* "public_url" */
    enum config_kind kind;
    const char      *sample;      /* what stands for the value in the help */
    const char      *about;       /* one line */
    const char      *absent;      /* the value when none is given; NULL: there is none */
    int64_t          least, most; /* COUNT, BYTES; LENGTH in ms */
};

extern const struct config_key CONFIG_KEYS[CONFIG_IDS];

struct config {
    char values[CONFIG_IDS][CONFIG_VALUE_BYTES_MAX]; /* terminated; empty: not given */
    char places[CONFIG_IDS][160]; /* where it was said: "dult.conf:3", "DULT_LISTEN" */
};

/* Everything at its default. */
void config_init(struct config *config);

/* Takes one value, replacing an earlier one. ERR_ABSENT: no such key; ERR_INPUT: no such value. */
MUST enum err config_set(struct config *config, struct str name, struct str value,
                         const char *place, struct problem *problem);

/* Reads the text of a file called `path`. ERR_INPUT with its line. */
MUST enum err config_read_text(struct config *config, const char *path, struct str text,
                               struct problem *problem);
/* Reads the file. ERR_ABSENT when there is none; ERR_IO. */
MUST enum err config_read_file(struct config *config, const char *path, struct problem *problem);
/* Takes the DULT_ variables of `environment` ("NAME=value", NULL at the end). */
MUST enum err config_read_environment(struct config *config, char *const *environment,
                                      struct problem *problem);
/* What only makes sense together. ERR_INPUT. */
MUST enum err config_check(const struct config *config, struct problem *problem);

/* The value; empty when none was given and there is no default. */
const char *config_text(const struct config *config, enum config_id id);
bool        config_has(const struct config *config, enum config_id id);
int64_t     config_number(const struct config *config, enum config_id id); /* 0 when not given */

/* The id of a key by its name, '-' and '_' alike; CONFIG_IDS when there is none. */
enum config_id config_find(struct str name);
/* The name most like it, or NULL when none is near. */
const char *config_nearest(struct str name);

/* "host:port" apart; `host` has room for 256. False when it is not of that form. */
bool config_address_split(const char *address, char *host, int *port);

#endif
