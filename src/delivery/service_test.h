/*
 * service: a mail service by HTTP that does what a test tells it: answers, stalls, hangs up after
 * the body, refuses. One thread a connection, kept alive, on 127.0.0.1. It counts what it took by
 * recipient ("to=m<number>@..." in the body), so that a test can ask whether anyone was mailed
 * twice.
 */
#ifndef DULT_DELIVERY_SERVICE_TEST_H
#define DULT_DELIVERY_SERVICE_TEST_H

#include "base/str.h"

enum service_fault {
    SERVICE_FINE,
    SERVICE_SAYS,   /* `says` instead of a yes; the message is not taken */
    SERVICE_DROPS,  /* takes the message, hangs up without an answer */
    SERVICE_STALLS, /* takes it, and never answers */
    SERVICE_CUTS,   /* hangs up before the body was read */
};

struct service_conf {
    enum service_fault fault;
    int                from, faults; /* the fault meets so many requests, beginning with that one */
    const char        *says;         /* a whole answer: "HTTP/1.1 429 ...\r\n\r\n" */
    int                late_ms;      /* before each answer */
    bool               by_key;       /* a message with a Key that was here is not taken again */
};

enum { SERVICE_RECIPIENTS_MAX = 4096 };

struct service_counts {
    int connections, requests, taken, doubles, at_once_most;
};

struct service;
struct service       *service_open(const struct service_conf *conf); /* asserts */
uint16_t              service_port(const struct service *service);
struct service_counts service_counts(struct service *service);
/* The number of the n-th recipient taken, from 0; -1. */
int  service_taken(struct service *service, int n);
void service_close(struct service *service);

#endif
