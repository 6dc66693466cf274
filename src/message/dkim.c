#include "message/dkim.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The plain hash of the library, as in token.c: the body is hashed piece by piece. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "base/encode.h"
#include "base/time.h"
#include "message/address.h"
#include "message/bytes.h"

enum {
    SIGNATURE_BYTES_MAX = 1024, /* RSA-8192; a key beyond that is a mistake */
    PEM_BYTES_MAX = 32 << 10,
    RECORD_STRING_BYTES_MAX = 255,
    BASE64_LINE_BYTES = 72,
    CANON_BYTES_MAX = 64 << 20,
    FIELDS_MAX = 100, /* our own messages have 20 */
};

struct dkim_key {
    EVP_PKEY *pkey;
    bool      ed25519;
    char      domain[ADDRESS_DOMAIN_BYTES_MAX + 1];
    char      selector[DKIM_SELECTOR_BYTES_MAX + 1];
};

/* In the order of h=; `over` is how often more than it occurs a name is listed. */
static const struct {
    struct str name;
    int        over;
} signed_fields[] = {
    { { "From", 4 }, 1 },
    { { "To", 2 }, 1 },
    { { "Subject", 7 }, 1 },
    { { "Date", 4 }, 1 },
    { { "Message-ID", 10 }, 1 },
    { { "Reply-To", 8 }, 1 },
    { { "MIME-Version", 12 }, 0 },
    { { "Content-Type", 12 }, 0 },
    { { "Content-Transfer-Encoding", 25 }, 0 },
    { { "List-Id", 7 }, 0 },
    { { "List-Unsubscribe", 16 }, 0 },
    { { "List-Unsubscribe-Post", 21 }, 0 },
    { { "Feedback-ID", 11 }, 0 },
    { { "X-Dult-Message", 14 }, 0 },
    { { "Auto-Submitted", 14 }, 0 },
};

enum { SIGNED_FIELDS = sizeof signed_fields / sizeof signed_fields[0] };

/* --- keys --------------------------------------------------------------------------------- */

static enum err pkey_check(EVP_PKEY *pkey, bool *ed25519, struct problem *problem)
{
    int kind = pkey == NULL ? 0 : EVP_PKEY_get_base_id(pkey);
    if (kind != EVP_PKEY_RSA && kind != EVP_PKEY_ED25519)
        return problem_set(problem, ERR_INPUT, "dkim.key",
                           "it is not an RSA or Ed25519 private key",
                           "give a PEM file that begins with -----BEGIN PRIVATE KEY-----, without "
                           "a passphrase");
    int bits = EVP_PKEY_get_bits(pkey);
    if (kind == EVP_PKEY_RSA && (bits < DKIM_RSA_BITS_MIN || bits > SIGNATURE_BYTES_MAX * 8))
        return problem_format(problem, ERR_INPUT, "dkim.key", "make a key of 2048 bits",
                              "an RSA key of %d bits is not accepted by mail hosts", bits);
    *ed25519 = kind == EVP_PKEY_ED25519;
    return OK;
}

/* A passphrase is never asked for on a terminal. */
static int no_passphrase(char *out, int bytes, int writing, void *with)
{
    (void)out;
    (void)bytes;
    (void)writing;
    (void)with;
    return -1;
}

enum err dkim_key_open(struct dkim_key **out, struct str pem, struct str domain,
                       struct str selector, struct problem *problem)
{
    TRY(address_domain_check(domain, "dkim.domain", problem));
    TRY(address_domain_check(selector, "dkim.selector", problem));
    if (selector.len > DKIM_SELECTOR_BYTES_MAX || pem.len > PEM_BYTES_MAX)
        return problem_set(problem, ERR_INPUT, "dkim", "the selector or the key is too long",
                           "use a selector such as dult1");
    struct dkim_key *key = calloc(1, sizeof *key);
    BIO             *bio = BIO_new_mem_buf(pem.len == 0 ? "" : pem.ptr, (int)pem.len);
    if (key != NULL && bio != NULL)
        key->pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    BIO_free(bio);
    if (key == NULL || bio == NULL) {
        dkim_key_close(key);
        return ERR_MEMORY;
    }
    enum err code = pkey_check(key->pkey, &key->ed25519, problem);
    if (code != OK) {
        dkim_key_close(key);
        return code;
    }
    str_to_cstr(domain, key->domain, sizeof key->domain);
    str_to_cstr(selector, key->selector, sizeof key->selector);
    *out = key;
    return OK;
}

void dkim_key_close(struct dkim_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->pkey);
    free(key);
}

void dkim_key_closep(struct dkim_key **key)
{
    dkim_key_close(*key);
}

static enum err pem_write(EVP_PKEY *pkey, struct buf *pem)
{
    BIO     *bio = pkey == NULL ? NULL : BIO_new(BIO_s_secmem());
    char    *bytes;
    enum err code = ERR_MEMORY;
    if (bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) == 1) {
        long len = BIO_get_mem_data(bio, &bytes);
        buf_str(pem, (struct str){ bytes, (size_t)len });
        code = buf_err(pem);
    }
    BIO_free(bio);
    EVP_PKEY_free(pkey);
    return code;
}

enum err dkim_key_generate(struct buf *pem)
{
    return pem_write(EVP_RSA_gen(DKIM_RSA_BITS), pem);
}

enum err dkim_key_generate_ed25519(struct buf *pem)
{
    return pem_write(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), pem);
}

/* --- the record --------------------------------------------------------------------------- */

void dkim_record_name(const struct dkim_key *key, struct buf *out)
{
    buf_format(out, "%s._domainkey.%s", key->selector, key->domain);
}

enum err dkim_record_write(const struct dkim_key *key, struct buf *out)
{
    unsigned char raw[32], *der = NULL;
    size_t        raw_bytes = sizeof raw;
    buf_str(out, key->ed25519 ? STR("v=DKIM1; k=ed25519; p=") : STR("v=DKIM1; k=rsa; p="));
    if (key->ed25519) {
        if (EVP_PKEY_get_raw_public_key(key->pkey, raw, &raw_bytes) != 1)
            return ERR_MEMORY;
        base64_write(out, (struct str){ (const char *)raw, raw_bytes });
        return buf_err(out);
    }
    int bytes = i2d_PUBKEY(key->pkey, &der);
    if (bytes <= 0)
        return ERR_MEMORY;
    base64_write(out, (struct str){ (const char *)der, (size_t)bytes });
    OPENSSL_free(der);
    return buf_err(out);
}

enum err dkim_record_zone_write(const struct dkim_key *key, struct buf *out)
{
    SCOPED(buf_donep) struct buf text = buf_make(4096);
    TRY(dkim_record_write(key, &text));
    for (size_t from = 0; from < text.len; from += RECORD_STRING_BYTES_MAX) {
        buf_str(out, from == 0 ? STR("\"") : STR(" \""));
        buf_str(out, str_slice(buf_view(&text), from, from + RECORD_STRING_BYTES_MAX));
        buf_char(out, '"');
    }
    return buf_err(out);
}

/* --- relaxed forms (RFC 6376, 3.4) -------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/*
 * The relaxed form of a body, told piece by piece, so that a hash needs no copy of it. Line ends
 * are owed, and paid only when more follows: so the empty lines at the end go.
 */
struct relaxed {
    void (*put)(void *ctx, struct str piece);
    void  *ctx;
    size_t owed; /* CRLFs */
    bool   any;  /* was there anything but them? */
};

static void relaxed_put(struct relaxed *relaxed, struct str piece)
{
    if (piece.len == 0)
        return;
    for (; relaxed->owed > 0; relaxed->owed--)
        relaxed->put(relaxed->ctx, STR("\r\n"));
    relaxed->put(relaxed->ctx, piece);
    relaxed->any = true;
}

/* Whole lines that stay as they are. */
static void relaxed_lines(struct relaxed *relaxed, struct str lines)
{
    size_t ends = 0, len = lines.len;
    for (; len >= 2 && lines.ptr[len - 2] == '\r' && lines.ptr[len - 1] == '\n'; len -= 2)
        ends++;
    relaxed_put(relaxed, str_slice(lines, 0, len));
    relaxed->owed += ends;
}

/* One line without the white space at its end, each run of white space as one space. */
static void relaxed_line(struct relaxed *relaxed, struct str line)
{
    while (line.len > 0 && is_blank(line.ptr[line.len - 1]))
        line.len--;
    size_t from = 0;
    for (size_t i = 0; i < line.len; i++) {
        size_t end = i;
        while (end < line.len && is_blank(line.ptr[end]))
            end++;
        if (end == i || (end == i + 1 && line.ptr[i] == ' '))
            continue;
        relaxed_put(relaxed, str_slice(line, from, i));
        relaxed_put(relaxed, STR(" "));
        from = end;
        i = end - 1;
    }
    relaxed_put(relaxed, str_slice(line, from, line.len));
}

/* Where the line with `place` in it begins; `from` begins one. */
static size_t line_begin(struct str body, size_t from, size_t place)
{
    while (place > from &&
           !(place > from + 1 && body.ptr[place - 1] == '\n' && body.ptr[place - 2] == '\r'))
        place--;
    return place;
}

static void body_relaxed(struct str body, struct relaxed *relaxed)
{
    size_t from = 0;
    while (from < body.len) { /* lines that stay as they are in one piece, then one that does not */
        size_t place = bytes_relaxed_end(body, from);
        size_t line = place == body.len ? place : line_begin(body, from, place);
        relaxed_lines(relaxed, str_slice(body, from, line));
        if (line == body.len)
            break;
        size_t end = str_find(body, place, STR("\r\n"));
        relaxed_line(relaxed, str_slice(body, line, end));
        relaxed->owed += end < body.len;
        from = end + 2;
    }
    if (relaxed->any)
        relaxed->put(relaxed->ctx, STR("\r\n"));
}

static void buf_put(void *ctx, struct str piece)
{
    buf_str(ctx, piece);
}

void dkim_body_relaxed(struct str body, struct buf *out)
{
    struct relaxed relaxed = { .put = buf_put, .ctx = out };
    body_relaxed(body, &relaxed);
}

static void hash_put(void *ctx, struct str piece)
{
    SHA256_Update(ctx, piece.ptr, piece.len);
}

static void body_hash_write(struct str body, struct buf *out)
{
    unsigned char  digest[SHA256_DIGEST_LENGTH];
    SHA256_CTX     hash;
    struct relaxed relaxed = { .put = hash_put, .ctx = &hash };
    SHA256_Init(&hash);
    body_relaxed(body, &relaxed);
    SHA256_Final(digest, &hash);
    base64_write(out, (struct str){ (const char *)digest, sizeof digest });
}

void dkim_field_relaxed(struct str field, struct buf *out)
{
    size_t     colon = str_find_char(field, 0, ':');
    struct str name = str_trim(str_slice(field, 0, colon));
    for (size_t i = 0; i < name.len; i++)
        buf_char(out,
                 name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' ? (char)(name.ptr[i] + 32) : name.ptr[i]);
    buf_char(out, ':');
    struct str value = str_trim(str_slice(field, colon + 1, field.len));
    bool       owed = false;
    for (size_t i = 0; i < value.len; i++) {
        size_t from = i;
        while (i < value.len && value.ptr[i] != '\r' && value.ptr[i] != '\n' &&
               !is_blank(value.ptr[i]))
            i++;
        if (i > from && owed)
            buf_char(out, ' ');
        owed = i < value.len && (is_blank(value.ptr[i]) || (owed && i == from));
        buf_str(out, str_slice(value, from, i));
        /* Unfolding takes the line break; the space after it stays. */
    }
}

/* --- signing ------------------------------------------------------------------------------ */

/* Cuts one field with its continuation lines off the front of the head. */
static bool field_take(struct str *head, struct str *field)
{
    if (head->len == 0)
        return false;
    size_t end = str_find(*head, 0, STR("\r\n"));
    while (end + 2 < head->len && is_blank(head->ptr[end + 2]))
        end = str_find(*head, end + 2, STR("\r\n"));
    *field = str_slice(*head, 0, end);
    *head = str_slice(*head, end + 2, head->len);
    return true;
}

/* The head's fields with their names, in order. */
struct field {
    struct str whole, name;
};

struct fields {
    struct field at[FIELDS_MAX];
    int          count;
};

static enum err fields_take(struct fields *fields, struct str head)
{
    struct str field;
    for (fields->count = 0; field_take(&head, &field); fields->count++) {
        if (fields->count == FIELDS_MAX)
            return ERR_LIMIT;
        struct str name = str_trim(str_slice(field, 0, str_find_char(field, 0, ':')));
        fields->at[fields->count] = (struct field){ field, name };
    }
    return OK;
}

/* Appends each occurrence of the name, the last first, in relaxed form; returns how many. */
static int fields_relaxed(const struct fields *fields, struct str name, struct buf *out)
{
    int found = 0;
    for (int i = fields->count - 1; i >= 0; i--) {
        if (!str_eq_nocase(fields->at[i].name, name))
            continue;
        dkim_field_relaxed(fields->at[i].whole, out);
        buf_str(out, STR("\r\n"));
        found++;
    }
    return found;
}

/* Adds a word to a folded tag list. */
static void tag_add(struct buf *out, size_t *column, struct str word)
{
    if (*column + word.len > 76) {
        buf_str(out, STR("\r\n  "));
        *column = 2;
    }
    buf_str(out, word);
    *column += word.len;
}

/* Fills `canon` with the signed fields and `names` with the folded value of h=. */
static void fields_collect(const struct fields *fields, struct buf *canon, struct buf *names)
{
    size_t column = 3;
    bool   first = true;
    for (size_t i = 0; i < SIGNED_FIELDS; i++) {
        int listed = fields_relaxed(fields, signed_fields[i].name, canon) + signed_fields[i].over;
        for (; listed > 0; listed--) {
            if (!first) {
                buf_char(names, ':');
                column++;
            }
            tag_add(names, &column, signed_fields[i].name);
            first = false;
        }
    }
}

enum err dkim_key_sign(const struct dkim_key *key, struct str bytes, struct buf *signature)
{
    unsigned char made[SIGNATURE_BYTES_MAX], digest[SHA256_DIGEST_LENGTH];
    size_t        made_bytes = sizeof made;
    EVP_MD_CTX   *signing = EVP_MD_CTX_new();
    if (signing == NULL)
        return ERR_MEMORY;
    const unsigned char *input = (const unsigned char *)bytes.ptr;
    size_t               input_bytes = bytes.len;
    if (key->ed25519) { /* RFC 8463: the signature is over the hash */
        SHA256(input, input_bytes, digest);
        input = digest;
        input_bytes = sizeof digest;
    }
    const EVP_MD *md = key->ed25519 ? NULL : EVP_sha256();
    bool          done = EVP_DigestSignInit(signing, NULL, md, NULL, key->pkey) == 1 &&
                EVP_DigestSign(signing, made, &made_bytes, input, input_bytes) == 1;
    EVP_MD_CTX_free(signing);
    if (!done)
        return ERR_MEMORY; /* a checked key fails to sign only without memory */
    buf_str(signature, (struct str){ (const char *)made, made_bytes });
    return buf_err(signature);
}

/* What all signatures of a message have in common. */
struct signing {
    struct buf fields; /* relaxed, each ended by CRLF */
    struct buf names;  /* the value of h= */
    struct buf body_hash;
    struct buf input, signature, text; /* scratch of one signature */
    int64_t    at_s;
};

static void signing_donep(struct signing *s)
{
    struct buf *all[] = {
        &s->fields, &s->names, &s->body_hash, &s->input, &s->signature, &s->text
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        buf_done(all[i]);
}

static enum err signature_write(const struct dkim_key *key, struct signing *s, struct buf *out)
{
    size_t from = out->len, column = 3;
    buf_format(out,
               "DKIM-Signature: v=1; a=%s; c=relaxed/relaxed;\r\n d=%s;\r\n s=%s; t=%lld;\r\n"
               " h=%.*s;\r\n bh=%.*s;\r\n b=",
               key->ed25519 ? "ed25519-sha256" : "rsa-sha256", key->domain, key->selector,
               (long long)s->at_s, STR_ARG(buf_view(&s->names)), STR_ARG(buf_view(&s->body_hash)));
    TRY(buf_err(out));
    buf_reset(&s->input);
    buf_reset(&s->signature);
    buf_reset(&s->text);
    buf_str(&s->input, buf_view(&s->fields));
    dkim_field_relaxed(str_slice(buf_view(out), from, out->len), &s->input);
    TRY(buf_err(&s->input));
    TRY(dkim_key_sign(key, buf_view(&s->input), &s->signature));
    base64_write(&s->text, buf_view(&s->signature));
    TRY(buf_err(&s->text));
    for (size_t at = 0; at < s->text.len; at += BASE64_LINE_BYTES, column = 99)
        tag_add(out, &column, str_slice(buf_view(&s->text), at, at + BASE64_LINE_BYTES));
    buf_str(out, STR("\r\n"));
    return buf_err(out);
}

enum err dkim_sign(const struct dkim_key *const *keys, size_t keys_count, struct str message,
                   int64_t at_ms, struct buf *out)
{
    SCOPED(signing_donep)
    struct signing s = { buf_make(CANON_BYTES_MAX),
                         buf_make(4096),
                         buf_make(64),
                         buf_make(CANON_BYTES_MAX),
                         buf_make(SIGNATURE_BYTES_MAX),
                         buf_make(2 * SIGNATURE_BYTES_MAX),
                         at_ms / TIME_SECOND_MS };
    struct fields  fields;
    size_t         end = str_find(message, 0, STR("\r\n\r\n"));
    if (keys_count == 0)
        return OK;

    body_hash_write(str_slice(message, end + 4, message.len), &s.body_hash);
    TRY(fields_take(&fields, str_slice(message, 0, end + 2)));
    fields_collect(&fields, &s.fields, &s.names);
    TRY(buf_err(&s.body_hash));
    TRY(buf_err(&s.fields));
    TRY(buf_err(&s.names));
    for (size_t i = 0; i < keys_count; i++)
        TRY(signature_write(keys[i], &s, out));
    return OK;
}
