/*
 * secrets: what nobody but this folder knows, in DIR/secrets/.
 *
 *     workspace.secret   32 bytes in hex: seals every link in every mail ever sent
 *     dkim-rsa.pem       the keys that sign our mail; their public halves go into the DNS
 *     dkim-ed25519.pem
 *     dkim-selectors     two lines: the selectors of the two
 *
 * Made at the first start, each by writing a new file, syncing it and linking it in, so that a
 * power cut leaves all of a file or none. The folder has mode 0700, the files 0600; a file that
 * others may read is refused. Losing workspace.secret makes every link in sent mail dead, so it
 * belongs into the backup.
 *
 * Always true   what was made is on disk when secrets_open returns.
 * Threads       read only after open: any thread.
 */
#ifndef DULT_RUN_SECRETS_H
#define DULT_RUN_SECRETS_H

#include "message/dkim.h"
#include "message/token.h"

enum { SECRETS_DKIM_KEYS = 2 }; /* RSA and Ed25519 */

struct secrets;

MUST enum err secrets_open(struct secrets **out, const char *dir, struct problem *problem);
void          secrets_close(struct secrets *secrets); /* NULL is nothing */
void          secrets_closep(struct secrets **secrets);

/* What DIR/secrets/NAME holds, without white space at its ends: a password or key that the operator
 * put there. ERR_ABSENT; ERR_DENIED when others may read it; ERR_INPUT: not a plain file name. */
MUST enum err secrets_named(const char *dir, struct str name, struct buf *out,
                            struct problem *problem);

/* For links, return paths and Message-IDs; lives as long as the secrets. */
const struct token_keys *secrets_token_keys(const struct secrets *secrets);

/* A key the operator has already, with its record in the DNS. Texts are copied. */
struct secrets_own {
    struct str domain, selector, pem;
};

/* From now on mail is signed with that key alone. Before any other thread uses the secrets.
 * ERR_INPUT when it is no key that can sign. */
MUST enum err secrets_dkim_own(struct secrets *secrets, const struct secrets_own *own,
                               struct problem *problem);

/* How many keys sign: SECRETS_DKIM_KEYS, or 1 that is the operator's own. */
size_t secrets_dkim_count(const struct secrets *secrets);

/* The signing keys for a domain (an own key keeps its own): `keys` has SECRETS_DKIM_KEYS places,
 * those beyond the count become NULL. The caller closes each. */
MUST enum err secrets_dkim_open(const struct secrets *secrets, struct str domain,
                                struct dkim_key **keys, struct problem *problem);

/* What the owner of the domain has to publish, a zone line a key:
 * "dult1._domainkey.shop.example. IN TXT ( "v=DKIM1; ..." )". */
MUST enum err secrets_dns_write(const struct secrets *secrets, struct str domain, struct buf *out);

#endif
