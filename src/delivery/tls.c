#include "delivery/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>

static bool load_authorities(SSL_CTX *context, const char *ca_file)
{
    if (ca_file == NULL)
        return SSL_CTX_set_default_verify_paths(context) == 1;
    return SSL_CTX_load_verify_locations(context, ca_file, NULL) == 1;
}

SSL_CTX *tls_client_open(const struct tls_conf *conf, struct problem *problem)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL) {
        problem_set(problem, ERR_MEMORY, "tls", "no memory for TLS", "Free some memory.");
        return NULL;
    }
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, conf->no_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    if (!conf->no_verify && !load_authorities(context, conf->ca_file)) {
        problem_set(problem, ERR_IO, conf->ca_file == NULL ? "tls" : conf->ca_file,
                    "the certificates of the authorities cannot be read",
                    "Install ca-certificates, or name a readable PEM file.");
        SSL_CTX_free(context);
        ERR_clear_error();
        return NULL;
    }
    return context;
}

static bool is_address(const char *host)
{
    unsigned char bytes[16];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

SSL *tls_client_to(SSL_CTX *context, const char *host)
{
    SSL *ssl = SSL_new(context);
    if (ssl == NULL)
        return NULL;
    bool ok = is_address(host)
                  ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1
                  : SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
    if (!ok) {
        SSL_free(ssl);
        return NULL;
    }
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return ssl;
}

void tls_why(const SSL *ssl, unsigned long code, char *out, size_t out_bytes)
{
    long verdict = ssl == NULL ? X509_V_OK : SSL_get_verify_result(ssl);
    if (verdict != X509_V_OK)
        snprintf(out, out_bytes, "the server's certificate is not trusted: %s",
                 X509_verify_cert_error_string(verdict));
    else if (code != 0 && ERR_reason_error_string(code) != NULL)
        snprintf(out, out_bytes, "the TLS handshake failed: %s", ERR_reason_error_string(code));
    else
        snprintf(out, out_bytes, "the connection was lost in the TLS handshake");
}
