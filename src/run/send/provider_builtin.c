/* The descriptions in providers/, as they are; the list is made by CMake of what lies there. */
#include <string.h>

#include "run/send/provider.h"

#define PROVIDER(number, name, file)                                                               \
    __asm__(".section .rodata\n"                                                                   \
            ".global dult_provider_" #number "\ndult_provider_" #number ":\n"                      \
            ".incbin \"" file "\"\n"                                                               \
            ".byte 0\n"                                                                            \
            ".previous\n");                                                                        \
    extern const char dult_provider_##number[];
#include DULT_PROVIDERS
#undef PROVIDER

static const struct {
    const char *name, *text;
} providers[] = {
#define PROVIDER(number, name, file) { name, dult_provider_##number },
#include DULT_PROVIDERS
#undef PROVIDER
    { NULL, NULL },
};

struct str provider_builtin(struct str name)
{
    for (size_t i = 0; providers[i].name != NULL; i++)
        if (str_eq(name, str_of(providers[i].name)))
            return str_of(providers[i].text);
    return STR_NONE;
}

const char *provider_builtin_name(uint32_t index)
{
    return index < sizeof providers / sizeof providers[0] ? providers[index].name : NULL;
}
