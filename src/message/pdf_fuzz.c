/*
 * pdf_fuzz: a letter of any HTML, with images of any bytes.
 *
 * What stands behind the first NUL is the image that "file:a" names. It is a file of at most fifty
 * pages that begins and ends as one does, or it is said why not; and what a letter would lose can
 * be told of whatever can be printed.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "message/pdf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BYTES_MAX = 16 << 10 };

static void need(bool holds)
{
    if (!holds)
        abort();
}

static enum err image_read(void *context, struct str name, struct arena *arena, struct str *out,
                           struct problem *problem)
{
    const struct str *bytes = context;
    if (!str_eq(name, STR("a")))
        return problem_set(problem, ERR_INPUT, "image", "there is none", "Put it there.");
    *out = str_copy(arena, *bytes);
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str                   text = { (const char *)data, size > BYTES_MAX ? BYTES_MAX : size };
    size_t                       end = str_find_char(text, 0, '\0');
    struct str                   image = str_slice(text, end + 1, text.len);
    const struct pdf_pictures    pictures = { image_read, &image };
    const struct pdf_letter      letter = { .form = { 22, 60, 85.5, 25.5, STR_NONE },
                                            .address = STR("Ada\nBergen"),
                                            .front = str_slice(text, 0, end),
                                            .back = str_slice(text, 0, end / 2),
                                            .pictures = &pictures };
    SCOPED(buf_donep) struct buf out = buf_make(PDF_BYTES_MAX);
    struct problem               problem;
    uint32_t                     pages, lost;
    enum err                     err = pdf_write(&letter, &out, &pages, &problem);
    need(err == OK || err == ERR_INPUT);
    need(err == OK || (problem.what[0] != '\0' && problem.remedy[0] != '\0'));
    if (err != OK)
        return 0;
    need(pages >= 1 && pages <= PDF_PAGES_MAX);
    need(str_starts(buf_view(&out), STR("%PDF-")) && str_ends(buf_view(&out), STR("%%EOF\n")));
    need(pdf_lost(letter.front, &lost, &problem) == OK);
    return 0;
}
