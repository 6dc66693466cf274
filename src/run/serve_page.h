/*
 * serve_page: what a browser sees at "/": that Dult runs, and what to do first.
 *
 * Always true   the page is part of the program; it asks for nothing from anywhere.
 */
#ifndef DULT_RUN_SERVE_PAGE_H
#define DULT_RUN_SERVE_PAGE_H

#include "server/http.h"

void serve_page(struct http_request *request);

#endif
