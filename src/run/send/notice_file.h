/*
 * notice_file: a template that is no e-mail, in one file.
 *
 *     channel: sms                channel: webhook              channel: post
 *     topic: news                 method: PUT                   topic: offers
 *     --- text                    url: https://crm.example/     size: 4x6
 *     Hi {{ person.name }}          people/{{ person.id }}      --- front
 *                                 --- headers                   <img src="...">
 *     channel: staff              X-Key: abc                    --- back
 *     to: sales@shop.example      --- body                      <p>Hello ...
 *     subject: A big order        {"plan": "{{ event.plan }}"}
 *     --- text
 *     {{ person.name }} bought
 *
 * `to` of staff is an e-mail address, or "slack". Everything below "---" is Liquid, and so are url
 * and subject; only front and back escape what is put in. topic and transactional are as in an
 * e-mail.
 *
 * It is read into a struct email_file: text and body are `text`, front is `html`.
 */
#ifndef DULT_RUN_NOTICE_FILE_H
#define DULT_RUN_NOTICE_FILE_H

#include "run/send/email_file.h"

/* Does the head name a channel other than e-mail? */
bool notice_file_is_one(struct str source);

/* ERR_INPUT with where = "templates/hello.email:3:1". */
MUST enum err notice_file_parse(struct str name, struct str source, struct email_file *out,
                                struct problem *problem);

#endif
