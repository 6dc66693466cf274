/*
 * notice: a mail whose body is a service's notification in JSON (Amazon SES by SNS).
 *
 *     {"notificationType":"Bounce","bounce":{"bounceType":"Permanent",
 *        "bouncedRecipients":[{"emailAddress":"a@x.example","status":"5.1.1",
 *                              "action":"failed","diagnosticCode":"smtp; 550 ..."}]},"mail":{...}}
 *
 * "Complaint" names complainedRecipients, "Delivery" recipients. What it says is turned into the
 * same items that a delivery status gives.
 */
#ifndef DULT_BOUNCE_NOTICE_H
#define DULT_BOUNCE_NOTICE_H

#include "bounce/report.h"

enum notice_kind { NOTICE_NONE, NOTICE_BOUNCE, NOTICE_COMPLAINT, NOTICE_DELIVERY };

/* Adds to *report what the JSON object in `text` says; NOTICE_NONE where there is none. */
enum notice_kind notice_read(struct arena *arena, struct str text, struct report *report);

#endif
