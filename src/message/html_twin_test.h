/*
 * html_twin: what gumbo, a whole HTML parser, reads in the same text, as a tree of ours.
 *
 * Gumbo builds what a browser does: it copies and moves nodes where elements overlap or words stand
 * between the cells of a table, which ours leaves in the order they are written in. `odd` tells
 * what it met, so that what must be equal then can be said.
 */
#ifndef DULT_MESSAGE_HTML_TWIN_TEST_H
#define DULT_MESSAGE_HTML_TWIN_TEST_H

#include "message/html.h"

enum {
    TWIN_OVERLAPS = 1, /* <b><p></b></p> */
    TWIN_FOSTERS = 2,  /* <table>words<tr> */
    TWIN_MISENDED = 8, /* gumbo 0.10 takes no notice of </form>, and takes </x> for </y> */
    TWIN_STRANGE = 4,  /* drawings, frames and lists to choose from have rules of their own */
};

/* Close it with html_close. False where gumbo would need more than the memory it is given. */
bool html_twin_parse(struct html **out, struct str text, unsigned *odd);

/*
 * True when both read the same: links with the same places and values, and either the same plain
 * text or, where elements overlap or are moved, the same letters. Otherwise says why on stderr.
 * True also for what is not compared: control characters, bytes that are not UTF-8, what is
 * refused.
 */
bool html_twin_agrees(struct str text);

#endif
