/*
 * inlined: what inline_styles makes of HTML, for test/inline_test.mjs.
 *
 * Standard input has texts, each ended by a NUL; standard output their results in the same way.
 */
#include <stdio.h>
#include <stdlib.h>

#include "message/html.h"
#include "message/inline.h"

enum { INPUT_BYTES_MAX = 64 << 20 };

int main(void)
{
    SCOPED(buf_donep) struct buf input = buf_make(INPUT_BYTES_MAX), out = buf_make(HTML_BYTES_MAX);
    char                         piece[1 << 16];
    for (size_t got; (got = fread(piece, 1, sizeof piece, stdin)) > 0;)
        buf_str(&input, (struct str){ piece, got });
    if (buf_err(&input) != OK)
        return EXIT_FAILURE;
    struct str rest = buf_view(&input), html;
    while (rest.len > 0 && str_split(&rest, '\0', &html)) {
        struct problem problem = { .what = "" };
        buf_reset(&out);
        if (inline_styles(html, &out, &problem) != OK) {
            fprintf(stderr, "%s\n", problem.what);
            return EXIT_FAILURE;
        }
        fwrite(out.ptr, 1, out.len, stdout);
        putchar('\0');
    }
    return EXIT_SUCCESS;
}
