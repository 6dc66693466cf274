/*
 * machine_network: networks from which mail is scanned, and nobody reads it.
 *
 * As their owners publish them for the firewalls of others, so these are where their gateways
 * stand: Exchange Online Protection, Proofpoint, Barracuda. People who read behind such a service
 * come from their own networks.
 */
#ifndef DULT_RUN_API_MACHINE_NETWORK_H
#define DULT_RUN_API_MACHINE_NETWORK_H

#include "base/str.h"

bool machine_network(struct str address); /* as http_peer has it */

#endif
