/*
 * Whatever stands in the headers and the query: without trust the client is the peer; with trust in
 * everybody an address comes out that reads back as itself; a decoded value is never longer.
 */
#include <assert.h>
#include <string.h>

#include "server/auth.h"
#include "server/proxy.h"
#include "server/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_proxy(struct str text)
{
    static const struct proxy_trust nobody;
    struct proxy_trust              all = { .count = 0 };
    struct proxy_address            peer, again;
    char                            written[PROXY_ADDRESS_BYTES];
    size_t                          half = text.len / 2;
    struct proxy_claims             claims[2] = {
                    { str_slice(text, 0, half), str_slice(text, half, text.len), STR_NONE },
                    { STR_NONE, str_slice(text, 0, half), str_slice(text, half, text.len) },
    };
    assert(proxy_address_parse(STR("192.0.2.1"), &peer) == OK);
    assert(proxy_trust_parse(&all, STR("::/0,0.0.0.0/0"), NULL) == OK);
    for (int i = 0; i < 2; i++) {
        struct proxy_client client = proxy_client_of(&nobody, &peer, true, &claims[i]);
        assert(memcmp(&client.address, &peer, sizeof peer) == 0 && client.is_https);
        client = proxy_client_of(&all, &peer, false, &claims[i]);
        assert(proxy_address_parse(str_of(proxy_address_write(&client.address, written)), &again) ==
               OK);
        assert(memcmp(&client.address, &again, sizeof again) == 0);
    }
    struct proxy_trust kept = all;
    if (proxy_trust_parse(&kept, text, NULL) != OK)
        assert(kept.count == all.count);
}

static void check_query(struct str text)
{
    struct str rest = text, name, value;
    size_t     total = 0;
    while (query_next(&rest, &name, &value)) {
        SCOPED(buf_donep) struct buf out = buf_make(text.len + 1);
        total += name.len + value.len;
        if (query_get(text, name, &out))
            assert(out.len <= text.len);
    }
    assert(total <= text.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str        text = { (const char *)data, size };
    struct auth_claim claim;
    check_proxy(text);
    if (size < 2000)
        check_query(text);
    auth_claim_read(text, &claim);
    assert(auth_claim_write_key(&claim).len <= AUTH_SECRET_BYTES_MAX);
    return 0;
}
