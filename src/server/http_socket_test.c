/*
 * Other ways in: the Unix socket, a port that is taken, TLS.
 */
#include "server/http_rig_test.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

TEST(http, the_data_folder_s_socket_is_the_owner_s_alone)
{
    char               folder[] = "/tmp/dult-http-XXXXXX", text[TEXT_BYTES];
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct stat        facts;
    assert_non_null(mkdtemp(folder));
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", folder);

    int left_over = socket(AF_UNIX, SOCK_STREAM, 0); /* as a crashed server leaves it */
    assert_int_equal(bind(left_over, (struct sockaddr *)&address, sizeof address), 0);
    close(left_over);

    struct rig *rig = rig_open((struct http_conf){ .socket_path = address.sun_path });
    assert_int_equal(stat(address.sun_path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);

    struct http_server *second = NULL;
    struct http_conf conf = { .socket_path = address.sun_path, .loops = 1, .handle = rig_handle };
    assert_int_equal(http_open(&conf, &second, NULL), ERR_CONFLICT);

    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    rig_say(fd, STR("GET / HTTP/1.0\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n"));
    assert_true(rig_hear_all(fd, text, sizeof text));
    assert_non_null(strstr(text, "GET /? local http 0"));
    close(fd);
    rig_close(rig);
    assert_int_equal(stat(address.sun_path, &facts), -1);
    rmdir(folder);
}

TEST(http, a_taken_port_is_said_so)
{
    struct rig         *rig = rig_open((struct http_conf){ 0 });
    struct http_server *second = NULL;
    struct problem      problem = { 0 };
    struct http_conf    conf = {
           .address = "127.0.0.1", .port = http_port(rig->server), .loops = 1, .handle = rig_handle
    };
    assert_int_equal(http_open(&conf, &second, &problem), ERR_CONFLICT);
    assert_non_null(strstr(problem.what, "in use"));
    rig_close(rig);
}

static void write_certificate(const char *certificate_path, const char *key_path, long serial)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509     *certificate = X509_new();
    assert_true(key != NULL && certificate != NULL);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)"x", -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    X509_set_pubkey(certificate, key);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    FILE *file = fopen(certificate_path, "w");
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    fclose(file);
    file = fopen(key_path, "w");
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

/* Sends over TLS, reads until the end; gives the certificate's serial number. */
static long ask_tls(const struct rig *rig, struct str bytes, char *out)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL     *ssl = SSL_new(context);
    int      fd = rig_dial(rig), len = 0, got;
    SSL_set_fd(ssl, fd);
    assert_int_equal(SSL_connect(ssl), 1);
    for (size_t sent = 0; sent < bytes.len;) {
        int wrote = SSL_write(ssl, bytes.ptr + sent, (int)(bytes.len - sent));
        assert_true(wrote > 0);
        sent += (size_t)wrote;
    }
    while ((got = SSL_read(ssl, out + len, TEXT_BYTES - 1 - len)) > 0)
        len += got;
    out[len] = '\0';
    X509 *certificate = SSL_get1_peer_certificate(ssl);
    long  serial = ASN1_INTEGER_get(X509_get_serialNumber(certificate));
    X509_free(certificate);
    SSL_free(ssl);
    SSL_CTX_free(context);
    close(fd);
    return serial;
}

TEST(http, tls_serves_and_takes_a_new_certificate_without_a_restart)
{
    enum { BODY = 200000 };
    char  folder[] = "/tmp/dult-http-XXXXXX", certificate[64], key[64], text[TEXT_BYTES];
    char *large = malloc(BODY + 200);
    assert_non_null(mkdtemp(folder));
    snprintf(certificate, sizeof certificate, "%s/c.pem", folder);
    snprintf(key, sizeof key, "%s/k.pem", folder);
    write_certificate(certificate, key, 1);
    struct rig *rig =
        rig_open((struct http_conf){ .certificate_path = certificate, .key_path = key });
    struct str bytes = STR("GET /t HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_int_equal(ask_tls(rig, bytes, text), 1);
    assert_non_null(strstr(text, "GET /t? 127.0.0.1 https 0"));

    int head = sprintf(large, "POST /denied HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                              "Content-Length: 1\r\n\r\na");
    assert_int_equal(ask_tls(rig, (struct str){ large, (size_t)head }, text), 1);
    assert_non_null(strstr(text, "401"));
    rig->body_bytes_max = BODY;
    head = sprintf(large,
                   "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                   "Content-Length: %d\r\n\r\n",
                   BODY);
    memset(large + head, 'a', BODY);
    assert_int_equal(ask_tls(rig, (struct str){ large, (size_t)(head + BODY) }, text), 1);
    assert_non_null(strstr(text, "Content-Length: 200031\r\n"));

    write_certificate(certificate, key, 2);
    assert_ok(http_reload(rig->server, NULL));
    assert_int_equal(ask_tls(rig, bytes, text), 2);

    struct problem problem = { 0 };
    assert_int_equal(truncate(certificate, 10), 0);
    assert_int_equal(http_reload(rig->server, &problem), ERR_INPUT);
    assert_true(problem.remedy[0] != '\0');
    assert_int_equal(ask_tls(rig, bytes, text), 2);

    int fd = rig_dial(rig); /* plain HTTP to a TLS port ends, it does not hang */
    rig_say(fd, bytes);
    (void)!rig_hear_all(fd, text, sizeof text);
    assert_null(strstr(text, "200 OK"));
    close(fd);
    rig_close(rig);
    unlink(certificate);
    unlink(key);
    rmdir(folder);
    free(large);
}
