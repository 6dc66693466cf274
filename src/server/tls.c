#include "server/http_inside.h"

#include <openssl/err.h>

static enum err tls_problem(struct problem *problem, const char *path, const char *remedy)
{
    char text[160];
    ERR_error_string_n(ERR_get_error(), text, sizeof text);
    ERR_clear_error();
    return problem_format(problem, ERR_INPUT, path, remedy, "TLS: %s", text);
}

enum err tls_load(const char *certificate_path, const char *key_path, SSL_CTX **out,
                  struct problem *problem)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    enum err err = OK;
    if (context == NULL)
        return ERR_MEMORY;

    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_id_context(context, (const unsigned char *)"dult", 4);
    if (SSL_CTX_use_certificate_chain_file(context, certificate_path) != 1)
        err = tls_problem(problem, certificate_path,
                          "give a PEM file: the certificate, then the "
                          "authority's intermediate ones");
    else if (SSL_CTX_use_PrivateKey_file(context, key_path, SSL_FILETYPE_PEM) != 1 ||
             SSL_CTX_check_private_key(context) != 1)
        err = tls_problem(problem, key_path,
                          "give the PEM private key of that certificate, "
                          "readable by this program's user");
    if (err != OK) {
        SSL_CTX_free(context);
        return err;
    }
    *out = context;
    return OK;
}
