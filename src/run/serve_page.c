#include "run/serve_page.h"

#include "server/asset.h"

static const char PAGE[] =
    "<!doctype html>\n"
    "<html lang=\"en\">\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>Dult</title>\n"
    "<h1>Dult runs here</h1>\n"
    "<p>It takes in what people do, and nudges them at the right moment.</p>\n"
    "<h2>Send a first event</h2>\n"
    "<p>Make a key, in the folder Dult was started in:</p>\n"
    "<pre>dult key create --data ./data --kind write --name site</pre>\n"
    "<p>Tell it that somebody signed up:</p>\n"
    "<pre>curl -u KEY: http://127.0.0.1:8080/v1/track -H 'content-type: application/json' \\\n"
    "    -d '{\"userId\":\"ada\",\"event\":\"Signed Up\"}'</pre>\n"
    "<p>See that person:</p>\n"
    "<pre>dult show --data ./data ada</pre>\n"
    "<p>Any client library for Segment or RudderStack can send, with this address as its "
    "host.</p>\n"
    "<h2>Look around</h2>\n"
    "<ul>\n"
    "<li><a href=\"/healthz\">Is it well?</a></li>\n"
    "<li><a href=\"/api/v1/openapi.json\">All that can be asked of it</a></li>\n"
    "<li><code>dult help</code> lists the commands; <code>dult doctor</code> says why nothing "
    "arrives"
    " or leaves.</li>\n"
    "</ul>\n"
    "</html>\n";

void serve_page(struct http_request *request)
{
    struct http_header headers[ASSET_HEADERS];
    struct http_answer answer = {
        .status = 200,
        .type = STR("text/html; charset=utf-8"),
        .headers = headers,
        .headers_count = asset_security_headers(headers),
        .body = { PAGE, sizeof PAGE - 1 },
        .is_body_lasting = true,
    };
    http_reply(request, &answer);
}
