#include "delivery/dns_peer_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/test.h"

enum { PACKET = 4096, UDP_MAX = 512, HEADER = 12 };

struct dns_peer {
    const struct dns_zone *zones;
    int                    udp, tcp;
    pthread_t              thread;
    atomic_bool            stops;
    atomic_uint            asked;
};

struct packet {
    unsigned char bytes[PACKET];
    size_t        len;
};

static void put(struct packet *packet, const void *bytes, size_t count)
{
    assert_true(packet->len + count <= PACKET);
    memcpy(packet->bytes + packet->len, bytes, count);
    packet->len += count;
}

static void put_16(struct packet *packet, unsigned value)
{
    unsigned char two[] = { (unsigned char)(value >> 8), (unsigned char)value };
    put(packet, two, 2);
}

static void put_name(struct packet *packet, const char *name)
{
    while (*name != '\0') {
        size_t        length = strcspn(name, ".");
        unsigned char one = (unsigned char)length;
        put(packet, &one, 1);
        put(packet, name, length);
        name += length + (name[length] == '.');
    }
    put(packet, "", 1);
}

static void put_data(struct packet *packet, const struct dns_zone *zone)
{
    struct packet data = { .len = 0 };
    if (zone->type == DNS_A || zone->type == DNS_AAAA) {
        unsigned char address[16];
        assert_int_equal(inet_pton(zone->type == DNS_A ? AF_INET : AF_INET6, zone->text, address),
                         1);
        put(&data, address, zone->type == DNS_A ? 4 : 16);
    } else if (zone->type == DNS_MX) {
        put_16(&data, (unsigned)atoi(zone->text));
        put_name(&data, strchr(zone->text, ' ') + 1);
    } else if (zone->type == DNS_CNAME) {
        put_name(&data, zone->text);
    } else
        for (const char *at = zone->text; at == zone->text || *at != '\0';) {
            size_t        length = strlen(at) > 255 ? 255 : strlen(at);
            unsigned char one = (unsigned char)length;
            put(&data, &one, 1);
            put(&data, at, length);
            at += length;
            if (length == 0)
                break;
        }
    put_16(packet, (unsigned)data.len);
    put(packet, data.bytes, data.len);
}

static enum dns_type type_of(unsigned code)
{
    return code == 16 ? DNS_TXT : code == 15 ? DNS_MX : code == 28 ? DNS_AAAA : DNS_A;
}

static unsigned code_of(enum dns_type type)
{
    return type == DNS_TXT     ? 16
           : type == DNS_MX    ? 15
           : type == DNS_AAAA  ? 28
           : type == DNS_CNAME ? 5
                               : 1;
}

/* False: no answer. */
static bool answer(struct dns_peer *peer, const struct packet *asked, struct packet *out,
                   size_t bytes_max)
{
    char   name[300] = "";
    size_t at = HEADER, len = 0;
    while (at < asked->len && asked->bytes[at] != 0) {
        size_t part = asked->bytes[at];
        if (len > 0)
            name[len++] = '.';
        memcpy(name + len, asked->bytes + at + 1, part);
        len += part;
        at += part + 1;
    }
    name[len] = '\0';
    enum dns_type type = type_of((unsigned)asked->bytes[at + 1] << 8 | asked->bytes[at + 2]);
    size_t        end = at + 5;
    unsigned      answers = 0;
    bool          exists = false;
    *out = (struct packet){ .len = 0 };
    put(out, asked->bytes, end);
    atomic_fetch_add(&peer->asked, 1);
    for (const struct dns_zone *zone = peer->zones; zone->name != NULL; zone++) {
        if (strcasecmp(zone->name, name) != 0)
            continue;
        exists = true;
        if (zone->text == NULL)
            return false;
        if (zone->type != type && !(zone->type == DNS_CNAME && type == DNS_A))
            continue;
        put_16(out, 0xC000 | HEADER);
        put_16(out, code_of(zone->type));
        put_16(out, 1);
        put(out, "\0\0\0\x3c", 4);
        put_data(out, zone);
        answers++;
    }
    bool          is_cut = out->len > bytes_max;
    unsigned char flags[] = { (unsigned char)(0x84 | (is_cut ? 2 : 0)),
                              (unsigned char)(0x80 | (exists ? 0 : 3)),
                              0,
                              1,
                              0,
                              (unsigned char)(is_cut ? 0 : answers),
                              0,
                              0,
                              0,
                              0 };
    memcpy(out->bytes + 2, flags, sizeof flags);
    if (is_cut)
        out->len = end;
    return true;
}

static void udp_serve(struct dns_peer *peer)
{
    struct packet           asked, out;
    struct sockaddr_storage from;
    socklen_t               from_len = sizeof from;
    ssize_t n = recvfrom(peer->udp, asked.bytes, PACKET, 0, (struct sockaddr *)&from, &from_len);
    asked.len = n > 0 ? (size_t)n : 0;
    if (n > HEADER && answer(peer, &asked, &out, UDP_MAX))
        (void)!sendto(peer->udp, out.bytes, out.len, 0, (struct sockaddr *)&from, from_len);
}

static void tcp_serve(struct dns_peer *peer)
{
    struct packet asked, out;
    unsigned char two[2];
    int           fd = accept(peer->tcp, NULL, NULL);
    if (recv(fd, two, 2, MSG_WAITALL) == 2) {
        asked.len = (size_t)two[0] << 8 | two[1];
        if (recv(fd, asked.bytes, asked.len, MSG_WAITALL) == (ssize_t)asked.len &&
            answer(peer, &asked, &out, PACKET)) {
            two[0] = (unsigned char)(out.len >> 8);
            two[1] = (unsigned char)out.len;
            (void)!send(fd, two, 2, MSG_NOSIGNAL);
            (void)!send(fd, out.bytes, out.len, MSG_NOSIGNAL);
        }
    }
    close(fd);
}

static void *serve(void *ctx)
{
    struct dns_peer *peer = ctx;
    while (!atomic_load(&peer->stops)) {
        struct pollfd polled[] = { { .fd = peer->udp, .events = POLLIN },
                                   { .fd = peer->tcp, .events = POLLIN } };
        if (poll(polled, 2, 50) <= 0)
            continue;
        if (polled[0].revents != 0)
            udp_serve(peer);
        if (polled[1].revents != 0)
            tcp_serve(peer);
    }
    return NULL;
}

/* Both on the same port. */
static bool ports_open(struct dns_peer *peer, int *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t          len = sizeof at;
    peer->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    peer->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = bind(peer->udp, (struct sockaddr *)&at, sizeof at) == 0 &&
                getsockname(peer->udp, (struct sockaddr *)&at, &len) == 0 &&
                bind(peer->tcp, (struct sockaddr *)&at, sizeof at) == 0 &&
                listen(peer->tcp, 8) == 0;
    *port = ntohs(at.sin_port);
    if (!good) {
        close(peer->udp);
        close(peer->tcp);
    }
    return good;
}

struct dns_peer *dns_peer_open(const struct dns_zone *zones, char servers[32])
{
    struct dns_peer *peer = calloc(1, sizeof *peer);
    int              port = 0, tries = 0;
    assert_non_null(peer);
    peer->zones = zones;
    while (!ports_open(peer, &port))
        assert_true(++tries < 20);
    snprintf(servers, 32, "127.0.0.1:%d", port);
    assert_int_equal(pthread_create(&peer->thread, NULL, serve, peer), 0);
    return peer;
}

void dns_peer_close(struct dns_peer *peer)
{
    atomic_store(&peer->stops, true);
    pthread_join(peer->thread, NULL);
    close(peer->udp);
    close(peer->tcp);
    free(peer);
}

unsigned dns_peer_asked(struct dns_peer *peer)
{
    return atomic_load(&peer->asked);
}
