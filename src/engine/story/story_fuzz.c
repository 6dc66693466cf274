/*
 * Any text taken as a file of stories is refused with what to do, or every story in it comes true
 * or says why not; told again it says the same.
 */
#include <stdlib.h>

#include "engine/story/story.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 256 << 20 };

static void must(bool holds)
{
    if (!holds)
        abort();
}

static enum err tell(struct arena *arena, struct str text, struct story_results *out,
                     struct problem *problem)
{
    static const struct story_definition shop[] = {
        { DEFINE_SEGMENT, { "s", 1 }, { "did \"B\"", 7 }, "s" },
        { DEFINE_TEMPLATE,
          { "m", 1 },
          { "subject: m\ntransactional: yes\n--- html\nm\n", 41 },
          "m" },
        { DEFINE_JOURNEY,
          { "j", 1 },
          { "{\"journey\":\"j\",\"trigger\":{\"event\":\"A\"},\"reentry\":\"always\",\"nodes\":["
            "{\"id\":\"w\",\"wait\":\"1 day\"},{\"id\":\"m\",\"email\":\"m\"}]}",
            117 },
          "j" },
    };
    struct story_world world = { shop, 3, NULL };
    return story_tell_all(arena, text, &world, out, problem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(ARENA_BYTES);
    struct str                         text = { (const char *)data, size };
    struct story_results               first, again;
    struct problem                     problem = { .where = "" };
    if (tell(arena, text, &first, &problem) != OK) {
        must(problem.what[0] != '\0' && problem.remedy[0] != '\0');
        return 0;
    }
    must(first.count > 0 && tell(arena, text, &again, &problem) == OK);
    for (uint32_t i = 0; i < first.count; i++) {
        must(first.items[i].passed == (first.items[i].said.len == 0));
        must(str_eq(first.items[i].said, again.items[i].said));
    }
    return 0;
}
