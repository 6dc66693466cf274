#include "server/proxy.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const uint8_t MAPPED[12] = { [10] = 0xff, [11] = 0xff };

/* Cuts a port and brackets off: "[v6]:1" and "v4:1"; a bare v6 has more than one colon. */
static struct str without_port(struct str text)
{
    if (text.len > 0 && text.ptr[0] == '[') {
        size_t end = str_find_char(text, 0, ']');
        bool   is_closed = end < text.len && (end + 1 == text.len || text.ptr[end + 1] == ':');
        return is_closed ? str_slice(text, 1, end) : STR_NONE;
    }
    size_t colon = str_find_char(text, 0, ':');
    if (str_find_char(text, colon + 1, ':') < text.len)
        return text;
    return str_slice(text, 0, colon);
}

enum err proxy_address_parse(struct str text, struct proxy_address *out)
{
    char                 copy[PROXY_ADDRESS_BYTES];
    struct proxy_address found = { 0 };

    text = without_port(str_trim(text));
    if (text.len == 0 || text.len >= sizeof copy || memchr(text.ptr, '\0', text.len) != NULL)
        return ERR_INPUT;
    str_to_cstr(text, copy, sizeof copy);
    if (inet_pton(AF_INET, copy, found.bytes + 12) == 1)
        memcpy(found.bytes, MAPPED, sizeof MAPPED);
    else if (inet_pton(AF_INET6, copy, found.bytes) != 1)
        return ERR_INPUT;
    *out = found;
    return OK;
}

char *proxy_address_write(const struct proxy_address *address, char *out)
{
    bool is_v4 = memcmp(address->bytes, MAPPED, sizeof MAPPED) == 0;
    if (inet_ntop(is_v4 ? AF_INET : AF_INET6, address->bytes + (is_v4 ? 12 : 0), out,
                  PROXY_ADDRESS_BYTES) == NULL)
        out[0] = '\0';
    return out;
}

enum err proxy_net_parse(struct str text, struct proxy_net *out)
{
    size_t               slash = str_find_char(text, 0, '/');
    struct str           number = str_slice(text, slash + 1, text.len);
    struct proxy_address address;

    TRY(proxy_address_parse(str_slice(text, 0, slash), &address));
    int64_t width = memcmp(address.bytes, MAPPED, sizeof MAPPED) == 0 ? 32 : 128;
    int64_t bits = width;
    if (slash < text.len)
        TRY(str_to_int(number, &bits));
    if (bits < 0 || bits > width)
        return ERR_INPUT;
    *out = (struct proxy_net){ address, (int)(bits + 128 - width) };
    return OK;
}

enum err proxy_trust_parse(struct proxy_trust *trust, struct str list, struct problem *problem)
{
    struct proxy_trust grown = *trust;
    struct str         piece;

    while (str_split(&list, ',', &piece)) {
        piece = str_trim(piece);
        if (piece.len == 0)
            continue;
        if (grown.count == PROXY_NETS_MAX)
            return problem_set(problem, ERR_LIMIT, "trusted-proxy", "too many networks",
                               "name at most 64, joined where they touch");
        if (proxy_net_parse(piece, &grown.nets[grown.count]) != OK)
            return problem_format(problem, ERR_INPUT, "trusted-proxy",
                                  "write networks as 10.0.0.0/8 or 2001:db8::/32",
                                  "\"%.*s\" is not a network", STR_ARG(str_slice(piece, 0, 60)));
        grown.count++;
    }
    *trust = grown;
    return OK;
}

bool proxy_net_has(const struct proxy_net *net, const struct proxy_address *address)
{
    int whole = net->bits / 8, rest = net->bits % 8;
    if (memcmp(net->address.bytes, address->bytes, (size_t)whole) != 0)
        return false;
    if (rest == 0)
        return true;
    uint8_t mask = (uint8_t)(0xff << (8 - rest));
    return ((net->address.bytes[whole] ^ address->bytes[whole]) & mask) == 0;
}

bool proxy_trust_has(const struct proxy_trust *trust, const struct proxy_address *address)
{
    for (size_t i = 0; trust != NULL && i < trust->count; i++)
        if (proxy_net_has(&trust->nets[i], address))
            return true;
    return false;
}

/* Cuts the last piece after a comma off *rest. Quotes are not looked at: no address holds a comma.
 */
static bool split_last(struct str *rest, struct str *piece)
{
    if (rest->len == 0)
        return false;
    size_t at = rest->len;
    while (at > 0 && rest->ptr[at - 1] != ',')
        at--;
    *piece = str_trim(str_slice(*rest, at, rest->len));
    *rest = str_slice(*rest, 0, at == 0 ? 0 : at - 1);
    return true;
}

/* The value of `name` in one element of Forwarded: for="[2001:db8::1]:80";proto=https */
static struct str forwarded_part(struct str element, struct str name)
{
    struct str pair;
    while (str_split(&element, ';', &pair)) {
        size_t equal = str_find_char(pair, 0, '=');
        if (!str_eq_nocase(str_trim(str_slice(pair, 0, equal)), name))
            continue;
        struct str value = str_trim(str_slice(pair, equal + 1, pair.len));
        if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
            value = str_slice(value, 1, value.len - 1);
        return value;
    }
    return STR_NONE;
}

struct proxy_client proxy_client_of(const struct proxy_trust   *trust,
                                    const struct proxy_address *peer, bool is_peer_https,
                                    const struct proxy_claims *claims)
{
    struct proxy_client client = { *peer, is_peer_https, false };
    bool                is_plain = claims->forwarded_for.ptr != NULL;
    struct str          hops = is_plain ? claims->forwarded_for : claims->forwarded;
    struct str          protos = claims->forwarded_proto, hop, proto;

    if (!proxy_trust_has(trust, peer))
        return client;
    for (int i = 0; i < PROXY_HOPS_MAX && proxy_trust_has(trust, &client.address); i++) {
        struct proxy_address before;
        if (!split_last(&hops, &hop))
            break;
        struct str who = is_plain ? hop : forwarded_part(hop, STR("for"));
        proto = is_plain ? STR_NONE : forwarded_part(hop, STR("proto"));
        if (proto.len > 0)
            client.is_https = str_eq_nocase(proto, STR("https"));
        if (proxy_address_parse(who, &before) != OK)
            break;
        client.address = before;
        client.is_forwarded = true;
    }
    /* The proxy nearest to us speaks last; most write one word only. */
    if ((is_plain || claims->forwarded.ptr == NULL) && split_last(&protos, &proto)) {
        client.is_https = str_eq_nocase(proto, STR("https"));
        client.is_forwarded = true;
    }
    return client;
}
