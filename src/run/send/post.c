#include "run/send/post.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/profile/postal.h"
#include "template/locale.h"

#include "run/send/file_def.h"

enum { ADDRESS_MEMBERS = 8, LINES_BYTES_MAX = 4096, PATH_BYTES_MAX = 4200 };

struct address {
    struct json_member *members;
    struct json        *object;
};

static void part_put(struct address *address, const char *key, struct str text)
{
    address->members[address->object->count++] =
        (struct json_member){ str_of(key), { .kind = JSON_STRING, .string = text } };
}

/* The first of the names that the person's address has. */
static struct str part_of(const struct json *address, const char *const *names)
{
    for (; address != NULL && *names != NULL; names++)
        if (json_get_str(address, str_of(*names)).len > 0)
            return json_get_str(address, str_of(*names));
    return STR_NONE;
}

static struct str name_of(const struct json *person, struct arena *arena)
{
    struct str name = json_get_str(person, STR("name"));
    struct str first = json_get_str(person, STR("first_name"));
    struct str last = json_get_str(person, STR("last_name"));
    if (name.len > 0)
        return name;
    return str_format(arena, "%.*s%s%.*s", STR_ARG(first), first.len > 0 && last.len > 0 ? " " : "",
                      STR_ARG(last));
}

const struct json *post_address(const struct json *person, struct str place, struct arena *arena)
{
    static const char *const streets[] = { "street", "line1", "address1", NULL };
    static const char *const codes[] = { "postal_code", "postalCode", "zip", NULL };
    static const char *const states[] = { "state", "province", NULL };
    static const char *const cities[] = { "city", NULL };
    const struct json       *told = json_get(person, STR("address"));
    struct address           address = { ARENA_ARRAY(arena, ADDRESS_MEMBERS, struct json_member),
                                         ARENA_NEW(arena, struct json) };
    if (address.members == NULL || address.object == NULL)
        return NULL;
    *address.object = (struct json){ .kind = JSON_OBJECT, .members = address.members };
    part_put(&address, "name", name_of(person, arena));
    part_put(&address, "street", part_of(told, streets));
    part_put(&address, "city", part_of(told, cities));
    part_put(&address, "postal_code", part_of(told, codes));
    part_put(&address, "state", part_of(told, states));
    part_put(&address, "country", way_destination(CHANNEL_POST, place));
    return address.object;
}

/* ---- on the envelope ---- */

static struct str field_of(const struct json *address, char letter)
{
    switch (letter) {
    case 'A':
        return str_trim(json_get_str(address, STR("street")));
    case 'Z':
        return str_trim(json_get_str(address, STR("postal_code")));
    case 'C':
        return str_trim(json_get_str(address, STR("city")));
    case 'S':
        return str_trim(json_get_str(address, STR("state")));
    default:
        return STR_NONE;
    }
}

/* One line of them; what stands between two fields only where both say something. */
static void line_write(const struct json *address, struct str line, struct buf *out)
{
    size_t     begun = out->len;
    struct str between = STR_NONE;
    for (size_t i = 0; i < line.len; i++) {
        if (str_find_char(STR("AZCS"), 0, line.ptr[i]) == 4) {
            between = str_slice(line, between.len > 0 ? i - between.len : i, i + 1);
            continue;
        }
        struct str field = field_of(address, line.ptr[i]);
        if (field.len > 0 && out->len > begun)
            buf_str(out, between);
        buf_str(out, field);
        between = STR_NONE;
    }
    if (out->len > begun)
        buf_str(out, STR("\n"));
}

enum err post_lines(const struct json *address, const struct provider_origin *from, struct buf *out)
{
    struct str country = json_get_str(address, STR("country"));
    struct str name = str_trim(json_get_str(address, STR("name")));
    struct str line, rest = str_of(postal_lines(country));
    if (name.len > 0)
        buf_format(out, "%.*s\n", STR_ARG(name));
    while (rest.len > 0 && str_split(&rest, '\n', &line))
        line_write(address, line, out);
    if (!str_eq_nocase(country, from->country))
        locale_country_write(country, from->language, out);
    return buf_err(out);
}

/* ---- its images ---- */

static enum err image_fault(struct problem *problem, const char *what)
{
    return problem_set(problem, ERR_INPUT, "image", what,
                       "Put it into files/ and write {{ files.NAME.image }}.");
}

static bool is_sha(struct str name)
{
    bool is_hex = name.len == FILE_SHA_BYTES;
    for (size_t i = 0; is_hex && i < name.len; i++)
        is_hex = name.ptr[i] != '\0' && strchr("0123456789abcdef", name.ptr[i]) != NULL;
    return is_hex;
}

static enum err whole_read(int fd, size_t bytes, struct arena *arena, struct str *out)
{
    char  *copy = arena_bytes(arena, bytes);
    size_t have = 0;
    while (copy != NULL && have < bytes) {
        ssize_t got = read(fd, copy + have, bytes - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return ERR_IO;
        have += (size_t)got;
    }
    *out = (struct str){ copy, bytes };
    return copy == NULL ? ERR_MEMORY : OK;
}

/* A file of the shelf (api/file_shelf.h): what has this name never changes. */
static enum err image_read(void *context, struct str name, struct arena *arena, struct str *out,
                           struct problem *problem)
{
    char        path[PATH_BYTES_MAX];
    struct stat is;
    if (!is_sha(name))
        return image_fault(problem, "an image of the letter is named by hand");
    snprintf(path, sizeof path, "%.4000s/files/%.*s", (const char *)context, STR_ARG(name));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return image_fault(problem, "an image of the letter is not here any more");
    if (fd < 0)
        return ERR_IO;
    enum err err = fstat(fd, &is) != 0 ? ERR_IO : OK;
    if (err == OK && is.st_size > PDF_IMAGE_BYTES_MAX)
        err = problem_set(problem, ERR_INPUT, "image", "an image of the letter has over 4 MB",
                          "Save it smaller: 2,000 pixels across are sharp on paper.");
    if (err == OK)
        err = whole_read(fd, (size_t)is.st_size, arena, out);
    close(fd);
    return err;
}

/* ---- the letter ---- */

static enum err lost_of(const struct rendered *made, uint32_t *lost, struct problem *problem)
{
    uint32_t front, back;
    TRY(pdf_lost(made->html, &front, problem));
    TRY(pdf_lost(made->back, &back, problem));
    *lost = front | back;
    return OK;
}

enum err post_paper_make(const struct post_in *in, struct arena *arena, struct post_paper *out,
                         struct problem *problem)
{
    const struct way_conf       *way = in->way;
    const struct rendered       *made = in->made;
    SCOPED(buf_donep) struct buf file = buf_make(PDF_BYTES_MAX);
    SCOPED(buf_donep) struct buf lines = buf_make(LINES_BYTES_MAX);
    const struct json           *address = post_address(made->person, in->place, arena);
    struct post_paper            paper = { .pages = 0 };
    struct provider_origin       from;
    const struct pdf_pictures    pictures = { image_read, (char *)(uintptr_t)in->dir };
    struct pdf_letter            letter = { .front = made->html,
                                            .back = made->back,
                                            .at_ms = in->at_ms,
                                            .pictures = in->dir == NULL ? NULL : &pictures };
    if (address == NULL)
        return ERR_MEMORY;
    TRY(provider_pdf_origin(way->provider, &way->settings, arena, &from));
    if (post_lines(address, &from, &lines) != OK)
        return problem_set(problem, ERR_INPUT, "address", "the address is too long",
                           "Shorten its longest line.");
    letter.address = str_trim(buf_view(&lines));
    TRY(provider_pdf_form(way->provider, &way->settings, arena, &letter.form, problem));
    TRY(lost_of(made, &paper.lost, problem));
    TRY(pdf_write(&letter, &file, &paper.pages, problem));
    TRY(buf_err(&file));
    paper.pdf = str_copy(arena, buf_view(&file));
    if (paper.pdf.ptr == NULL)
        return ERR_MEMORY;
    *out = paper;
    return OK;
}
