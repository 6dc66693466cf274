/*
 * sms: how many parts a text message is, and what makes it so many.
 *
 *      GSM 03.38, 7 bits a character     160 in one part, 153 in each of several
 *      its second table ({ } [ ] ~ \ | ^ and the euro)       two of these
 *      anything else: UCS-2, 16 bits                          70 in one part, 67 in each of several
 *
 * One character outside the two tables (a curly quote, an emoji) makes the whole text UCS-2 and
 * may treble its price; which one, is told. Nothing that is two units long is divided between two
 * parts, so that parts may end one unit early.
 *
 * Source: 3GPP TS 23.038 6.2.1, TS 23.040 9.2.3.24.1. Pure; no allocation.
 */
#ifndef DULT_MESSAGE_SMS_H
#define DULT_MESSAGE_SMS_H

#include "base/str.h"

enum {
    SMS_TEXT_BYTES_MAX = 6400,
    SMS_PARTS_MAX = 10, /* what carriers put together again */
};

enum sms_encoding { SMS_GSM, SMS_UCS2 };

struct sms_measure {
    enum sms_encoding encoding;
    uint32_t          characters; /* as a person counts: code points */
    uint32_t          units;      /* of 7 or 16 bits, without what is lost at ends of parts */
    uint32_t          parts;      /* 0: the text is empty */
    uint32_t          left;       /* units until one part more is needed */
    struct str        culprit; /* the first character that GSM does not have; empty for SMS_GSM */
};

/* `text` is UTF-8. */
struct sms_measure sms_measure(struct str text);

const char *sms_encoding_name(enum sms_encoding encoding); /* "GSM-7", "UCS-2" */

/*
 * What people answer to a text message, and what has to come of it: STOP, START and HELP, the words
 * of carriers and those of the four languages (en, nb, de, fr), whatever their case, with a full
 * stop, quotes or an accent more or less. "stop it please" is none: only a word that stands alone
 * is.
 */
enum sms_word { SMS_WORD_NONE, SMS_WORD_STOP, SMS_WORD_START, SMS_WORD_HELP };

enum sms_word sms_word_of(struct str text);
const char   *sms_word_name(enum sms_word word); /* "stop", "start", "help", or "" */

#endif
