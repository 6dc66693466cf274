/*
 * machine_network: networks from which mail is scanned, and nobody reads it.
 *
 *      scanners.txt (part of the program)  +  scanners.txt of the data folder
 *
 *          from Exchange Online Protection: learn.microsoft.com, ID 10
 *          40.92.0.0/15
 *          not 104.47.0.0/17           in the second only: this one above is none
 *          only these                  in the second only: none above is
 *
 * A line is a network, one of these words with what belongs to it, empty, or a comment after '#'.
 *
 * Always true   whoever reads the file is told where each network is known from, or it is refused;
 * a network so wide that people must be in it is refused, too. Threads       never changed once
 * read: any thread.
 */
#ifndef DULT_RUN_API_MACHINE_NETWORK_H
#define DULT_RUN_API_MACHINE_NETWORK_H

#include "server/proxy.h"

enum {
    MACHINE_NETWORKS_MAX = 1024,             /* each hit is compared with all: 10 us */
    MACHINE_NETWORKS_FILE_BYTES_MAX = 65536, /* 1024 lines of 60 characters */
    MACHINE_NETWORK_BITS_LEAST = 8,          /* of IPv4: a network of 16 million */
    MACHINE_NETWORK_BITS6_LEAST = 20,        /* what the registries give to the largest */
};

#define MACHINE_NETWORKS_FILE "scanners.txt"

struct machine_networks {
    struct proxy_net items[MACHINE_NETWORKS_MAX];
    uint32_t         count;
};

/* Those of the program and of the folder's file, where there is one. ERR_INPUT with its line;
 * ERR_IO; ERR_MEMORY. Owned by the caller: free(). */
MUST enum err machine_networks_read(struct machine_networks **out, const char *dir,
                                    struct problem *problem);
/* Those of the program alone. */
MUST enum err machine_networks_shipped(struct machine_networks *out, struct problem *problem);
/* Adds what a text says; `where` is its name. ERR_INPUT, ERR_LIMIT: nothing is changed. */
MUST enum err machine_networks_parse(struct machine_networks *networks, const char *where,
                                     struct str text, struct problem *problem);

/* `address` as http_peer has it. Without networks nobody is in one. */
bool machine_network(const struct machine_networks *networks, struct str address);

#endif
