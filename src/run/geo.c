#include "run/geo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct geo {
    MMDB_s database;
};

enum err geo_open(struct geo **out, const char *path, struct problem *problem)
{
    struct geo *geo = calloc(1, sizeof *geo);
    if (geo == NULL)
        return ERR_MEMORY;
    int status = MMDB_open(path, MMDB_MODE_MMAP, &geo->database);
    if (status == MMDB_SUCCESS) {
        *out = geo;
        return OK;
    }
    free(geo);
    if (status == MMDB_OUT_OF_MEMORY_ERROR)
        return ERR_MEMORY;
    bool absent = status == MMDB_FILE_OPEN_ERROR;
    return problem_format(problem, absent ? ERR_ABSENT : ERR_INPUT, "geo_file",
                          "Give the path of a country database in MaxMind's format (.mmdb), or "
                          "leave the setting out.",
                          "%s: %s", path, MMDB_strerror(status));
}

void geo_close(struct geo *geo)
{
    if (geo == NULL)
        return;
    MMDB_close(&geo->database);
    free(geo);
}

static bool address_read(struct str text, struct sockaddr_storage *out)
{
    char                 address[INET6_ADDRSTRLEN];
    struct sockaddr_in  *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    if (text.len == 0 || text.len >= sizeof address)
        return false;
    str_to_cstr(text, address, sizeof address);
    memset(out, 0, sizeof *out);
    v4->sin_family = AF_INET;
    if (inet_pton(AF_INET, address, &v4->sin_addr) == 1)
        return true;
    v6->sin6_family = AF_INET6;
    return inet_pton(AF_INET6, address, &v6->sin6_addr) == 1;
}

static bool is_code(const MMDB_entry_data_s *data)
{
    return data->has_data && data->type == MMDB_DATA_TYPE_UTF8_STRING && data->data_size == 2;
}

struct str geo_country(const struct geo *geo, struct str address)
{
    struct sockaddr_storage place;
    MMDB_entry_data_s       data;
    int                     status;
    if (geo == NULL || !address_read(address, &place))
        return STR_NONE;
    MMDB_lookup_result_s found =
        MMDB_lookup_sockaddr(&geo->database, (const struct sockaddr *)&place, &status);
    if (status != MMDB_SUCCESS || !found.found_entry)
        return STR_NONE;
    bool known =
        (MMDB_get_value(&found.entry, &data, "country", "iso_code", NULL) == MMDB_SUCCESS &&
         is_code(&data)) ||
        (MMDB_get_value(&found.entry, &data, "country_code", NULL) == MMDB_SUCCESS &&
         is_code(&data));
    return known ? (struct str){ data.utf8_string, 2 } : STR_NONE;
}
