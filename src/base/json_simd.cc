/* The only C++ in the house: simdjson's DOM, copied into the plain tree of json.h. */
#include <simdjson.h>

#include <cstring>
#include <new>

extern "C" {
#include "base/json.h"
}

struct json_parser {
    simdjson::dom::parser dom;
};

namespace
{

/*
 * Where the tree goes. Its strings lie together in one piece as long as the text: unescaped they
 * are never longer, and the two quotes make room for the NUL. (An allocation each cost a third of
 * the time of reading an event.)
 */
struct target {
    struct arena *arena;
    char         *strings;
};

enum err fill(target &to, const simdjson::dom::element &from, struct json *out, int depth);

struct str copy(target &to, std::string_view text)
{
    char *at = to.strings;
    memcpy(at, text.data(), text.size());
    at[text.size()] = '\0';
    to.strings = at + text.size() + 1;
    return str{ at, text.size() };
}

/* size() stops counting at this many. */
constexpr size_t SIZE_SATURATED = 0xFFFFFF;

template <typename Container> size_t count_of(const Container &from)
{
    size_t count = from.size();
    if (count < SIZE_SATURATED)
        return count;
    count = 0;
    for (auto item : from) {
        (void)item;
        count++;
    }
    return count;
}

enum err fill_array(target &to, simdjson::dom::array from, struct json *out, int depth)
{
    size_t count = count_of(from);
    auto  *items = static_cast<struct json *>(arena_array(to.arena, count, sizeof(struct json)));
    if (items == nullptr)
        return ERR_MEMORY;
    size_t i = 0;
    for (auto item : from)
        TRY(fill(to, item, &items[i++], depth + 1));
    out->kind = JSON_ARRAY;
    out->count = static_cast<uint32_t>(count);
    out->items = items;
    return OK;
}

enum err fill_object(target &to, simdjson::dom::object from, struct json *out, int depth)
{
    size_t count = count_of(from);
    auto  *members =
        static_cast<struct json_member *>(arena_array(to.arena, count, sizeof(struct json_member)));
    if (members == nullptr)
        return ERR_MEMORY;
    size_t i = 0;
    for (auto field : from) {
        members[i].key = copy(to, field.key);
        TRY(fill(to, field.value, &members[i].value, depth + 1));
        i++;
    }
    out->kind = JSON_OBJECT;
    out->count = static_cast<uint32_t>(count);
    out->members = members;
    return OK;
}

enum err fill(target &to, const simdjson::dom::element &from, struct json *out, int depth)
{
    using simdjson::dom::element_type;
    if (depth > JSON_DEPTH_MAX)
        return ERR_LIMIT;
    switch (from.type()) {
    case element_type::NULL_VALUE:
        out->kind = JSON_NULL;
        return OK;
    case element_type::BOOL:
        out->kind = JSON_BOOL;
        out->truth = bool(from);
        return OK;
    case element_type::INT64:
        out->kind = JSON_INT;
        out->integer = int64_t(from);
        return OK;
    case element_type::UINT64:
        out->kind = JSON_REAL;
        out->real = static_cast<double>(uint64_t(from));
        return OK;
    case element_type::DOUBLE:
        out->kind = JSON_REAL;
        out->real = double(from);
        return OK;
    case element_type::STRING:
        out->kind = JSON_STRING;
        out->string = copy(to, std::string_view(from));
        return OK;
    case element_type::ARRAY:
        return fill_array(to, simdjson::dom::array(from), out, depth);
    case element_type::OBJECT:
        return fill_object(to, simdjson::dom::object(from), out, depth);
    }
    return ERR_CORRUPT;
}

} // namespace

extern "C" struct json_parser *json_parser_open(void)
{
    return new (std::nothrow) json_parser;
}

extern "C" void json_parser_close(struct json_parser *parser)
{
    delete parser;
}

extern "C" enum err json_parse(struct json_parser *parser, struct arena *arena, struct str text,
                               struct json *out, struct problem *problem)
{
    simdjson::dom::element root;
    simdjson::error_code   code = simdjson::MEMALLOC;
    try {
        code = parser->dom.parse(text.ptr, text.len, true).get(root);
    } catch (const std::exception &) {
        return ERR_MEMORY;
    }
    if (code == simdjson::MEMALLOC)
        return ERR_MEMORY;
    if (code != simdjson::SUCCESS)
        return problem_format(problem, code == simdjson::DEPTH_ERROR ? ERR_LIMIT : ERR_INPUT,
                              "body", "Send one JSON value in UTF-8.", "This is not valid JSON: %s",
                              simdjson::error_message(code));

    struct json value = {};
    target      to = { arena, static_cast<char *>(arena_alloc(arena, text.len)) };
    if (to.strings == nullptr)
        return ERR_MEMORY;
    enum err err = fill(to, root, &value, 1);
    if (err == ERR_LIMIT)
        return problem_format(problem, err, "body", "Send flatter data.",
                              "The JSON is nested deeper than %d levels.", int(JSON_DEPTH_MAX));
    TRY(err);
    *out = value;
    return OK;
}
