#include "delivery/look.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "delivery/guard.h"

static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static void library_begin(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct opening {
    bool lets_inside, was_inside;
};

static curl_socket_t socket_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct opening *opening = ctx;
    (void)purpose;
    if (!opening->lets_inside && !guard_is_outside(&address->addr)) {
        opening->was_inside = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* The status is known: nothing more is wanted. */
static size_t enough(char *bytes, size_t size, size_t count, void *ctx)
{
    (void)bytes, (void)size, (void)count, (void)ctx;
    return 0;
}

static struct look ask(CURL *curl, const char *url, struct opening *opening, bool by_get)
{
    struct look look = { .status = 0 };
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOBODY, by_get ? 0L : 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPGET, by_get ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_NOBODY, by_get ? 0L : 1L);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &look.status);
    if (code != CURLE_OK && code != CURLE_WRITE_ERROR) {
        look.status = 0;
        snprintf(look.why, sizeof look.why, "%s",
                 opening->was_inside ? "it leads into a private network"
                                     : curl_easy_strerror(code));
    }
    return look;
}

struct look look_at(const char *url, bool lets_inside)
{
    struct opening opening = { .lets_inside = lets_inside };
    pthread_once(&library_once, library_begin);
    CURL *curl = curl_easy_init();
    if (curl == NULL)
        return (struct look){ .why = "there is no memory" };
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)LOOK_WAIT_MS);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)LOOK_REDIRECTS_MAX);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* the guard must see the address itself */
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "Mozilla/5.0 (compatible; Dult link check)");
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, socket_open);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &opening);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, enough);
    struct look look = ask(curl, url, &opening, false);
    /* Some servers know no HEAD, and some say so by an odd status. */
    if (look.status >= 400)
        look = ask(curl, url, &opening, true);
    curl_easy_cleanup(curl);
    return look;
}
