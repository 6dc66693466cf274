#include "message/address.h"

#include <string.h>

bool address_is_atext(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool is_ascii(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] >= 0x80)
            return false;
    return true;
}

static bool is_label(struct str label)
{
    if (label.len == 0 || label.len > 63 || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++) {
        char c = label.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-'))
            return false;
    }
    return true;
}

enum err address_domain_check(struct str domain, const char *where, struct problem *problem)
{
    if (!is_ascii(domain))
        return problem_set(problem, ERR_INPUT, where, "the domain has letters outside ASCII",
                           "write the domain in its ASCII form (punycode): xn--bcher-kva.de");
    if (domain.len == 0 || domain.len > ADDRESS_DOMAIN_BYTES_MAX)
        return problem_set(problem, ERR_INPUT, where, "the domain is missing or too long",
                           "write it as example.com");
    struct str rest = domain, label;
    while (str_split(&rest, '.', &label))
        if (!is_label(label))
            return problem_set(problem, ERR_INPUT, where, "the domain is not a host name",
                               "use letters, digits, '-' and '.', such as mail.example.com");
    return OK;
}

static bool is_dot_atom(struct str s)
{
    char before = '.';
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '.' ? before == '.' : !address_is_atext(s.ptr[i]))
            return false;
        before = s.ptr[i];
    }
    return before != '.';
}

enum err address_check(struct str address, const char *where, struct problem *problem)
{
    struct str domain = address_domain(address);
    size_t     at = address.len - domain.len;
    if (at < 2)
        return problem_set(problem, ERR_INPUT, where, "it is not an e-mail address",
                           "write it as name@example.com, without spaces or brackets");
    struct str local = str_slice(address, 0, at - 1);
    if (!is_ascii(local))
        return problem_set(problem, ERR_INPUT, where,
                           "the part before '@' has letters outside ASCII, which most mail hosts "
                           "cannot take (SMTPUTF8)",
                           "ask the person for an address in ASCII");
    if (local.len > ADDRESS_LOCAL_BYTES_MAX || address.len > ADDRESS_BYTES_MAX)
        return problem_set(problem, ERR_INPUT, where, "the address is too long",
                           "at most 64 bytes may stand before '@' and 254 in all");
    if (!is_dot_atom(local))
        return problem_set(problem, ERR_INPUT, where,
                           "the part before '@' has a character that is not sent safely",
                           "remove spaces, quotes, brackets, commas, control characters, and dots "
                           "that stand double, first or last");
    return address_domain_check(domain, where, problem);
}

struct str address_domain(struct str address)
{
    for (size_t i = address.len; i > 0; i--)
        if (address.ptr[i - 1] == '@')
            return str_slice(address, i, address.len);
    return STR_NONE;
}
