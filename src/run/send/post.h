/*
 * post: where a message on paper goes, and the letter that a provider prints (message/pdf.h).
 *
 *     the person's address, the rendered sides, the way's settings --> PDF
 */
#ifndef DULT_RUN_POST_H
#define DULT_RUN_POST_H

#include "base/arena.h"
#include "base/json.h"
#include "run/send/render.h"
#include "run/send/way.h"

/* As the claim found it: complete. {name, street, city, postal_code, state, country}, the country
 * in two letters, as `place` (the claim's address) has it. NULL: no memory. */
const struct json *post_address(const struct json *person, struct str place, struct arena *arena);

/* In lines as its country writes them (engine/profile/postal.h), and the country at the end in
 * capitals and the sender's language: none where the sender's country is the same. */
MUST enum err post_lines(const struct json *address, const struct provider_origin *from,
                         struct buf *out);

struct post_paper {
    struct str pdf; /* in the arena */
    uint32_t   pages;
    uint32_t   lost; /* bits of enum pdf_lost */
};

struct post_in {
    const struct way_conf *way; /* whose provider takes a letter */
    const struct rendered *made;
    struct str             place; /* the claim's address */
    int64_t                at_ms;
    const char            *dir; /* the data folder, whose files/ has the images; NULL: none */
};

/* ERR_INPUT: it cannot be printed; ERR_IO: an image cannot be read now; ERR_MEMORY. */
MUST enum err post_paper_make(const struct post_in *in, struct arena *arena, struct post_paper *out,
                              struct problem *problem);

#endif
