/*
 * doctor_mail: would the mail server let us in?
 *
 * Connects, greets, secures, signs in and says goodbye; no message is begun.
 */
#ifndef DULT_RUN_DOCTOR_MAIL_H
#define DULT_RUN_DOCTOR_MAIL_H

#include "run/config.h"

enum { DOCTOR_MAIL_WAIT_S = 20 };

/* ERR_IO, ERR_DENIED, ERR_INPUT with what the server said in *problem. */
MUST enum err doctor_mail_try(const struct config *config, struct problem *problem);

#endif
