/*
 * text: what UTF-8 needs from string filters: characters and their case.
 *
 * Case is ICU's, of every script; no language is asked. Where ICU is out of memory, ASCII's.
 */
#ifndef DULT_TEMPLATE_TEXT_H
#define DULT_TEMPLATE_TEXT_H

#include "base/buf.h"

size_t text_characters(struct str text);
/* The byte at which character `index` begins, or the length. */
size_t text_offset(struct str text, size_t index);

enum text_case { TEXT_UP, TEXT_DOWN, TEXT_TITLE }; /* TITLE: of a word's first character */
void text_write_case(struct buf *out, struct str text, enum text_case to);
/* Bytes of the first character, 0 for none. */
size_t text_first(struct str text);

#endif
