/*
 * maildir: a folder instead of the world, for development; a channel like the pool.
 *
 *      DIR/tmp/<name>  written, synced  --link-->  DIR/new/<name>, folder synced
 *
 * The name is made of the Message-ID, so a message that is already there is not written a second
 * time: linking refuses what exists. Every mail reader opens the folder. Lines are put in front:
 * Return-Path and Delivered-To, for they are all that remains of the envelope, and the message's
 * number, where it has one, so that it can be found (an erasure does).
 *
 * Always true   "sent" means it survives a power cut.
 * Cost          one thread; two syncs a message.
 */
#ifndef DULT_DELIVERY_MAILDIR_H
#define DULT_DELIVERY_MAILDIR_H

#include "delivery/delivery.h"

enum {
    MAILDIR_PLACES = 16,          /* syncs are slow; more claims would only grow old */
    MAILDIR_NAME_BYTES_MAX = 200, /* most file systems take 255 */
};

#define MAILDIR_NUMBER "X-Dult-Message: "

/* Makes the folder and its tmp, new and cur where missing. ERR_IO with *problem; ERR_MEMORY. */
MUST enum err maildir_open(const char *path, const struct channel_calls *calls,
                           struct channel **out, struct problem *problem);

/* Writes one message at once, without a channel; makes the folder where it is missing. The same
 * outcome as the channel's. */
struct delivery_outcome maildir_write(const char *path, const struct delivery_message *message);

/* The file name of a Message-ID: itself where it is plain and short, else escaped or hashed.
 * `out` has MAILDIR_NAME_BYTES_MAX + 1. */
void maildir_name(struct str message_id, char *out);

#endif
