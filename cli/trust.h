/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whom `fedgate token verify` believes: what --trust names. */
#ifndef FG_CLI_TRUST_H
#define FG_CLI_TRUST_H

#include "cli/input.h"
#include "cli/piece.h"
#include "gateway/gateway.h"
#include "hub/entity.h"
#include "token/jwt.h"

#define FG_TRUST_KEYS 32u

typedef struct fg_trust {
    const fg_key_t *keys[FG_TRUST_KEYS]; /* certificates and bare keys, for XML */
    size_t key_count;
    fg_jwk_t jwks[FG_TRUST_KEYS]; /* the same, and those of JWK sets, for JWTs */
    size_t jwk_count;
    fg_str_t issuer;         /* whose keys they are; .n 0: not known */
    fg_str_t audience;       /* of a partner: who we are to it; .n 0: not known */
    const char *from;        /* for people: "certificate FILE" */
    bool allow_sha1;         /* of a partner: as configured */
    int64_t max_lifetime_ms; /* likewise; 0: no limit */
    int64_t skew_ms;         /* of a configuration; negative: none was read */
    /* a configuration's */
    fg_gateway_t *gateway;
    const fg_partner_t *partner;     /* whose keys they are, of a relying party; NULL: of somebody else */
    const fg_partner_t *for_partner; /* for whom something would be issued; NULL: not asked */
} fg_trust_t;

typedef struct fg_trust_options {
    fg_cli_repeated_t names; /* FILE, URL or PARTNER */
    const char *config;
    const char *for_partner; /* title of a relying party; NULL: not given */
    const char *tls_ca; /* CAs to believe at URL in place of the system's; NULL: those */
    bool network;
} fg_trust_options_t;

/* Of whom what is judged is; who_asks: it is a request for a sign-in, so of a relying party. */
typedef struct fg_trust_sender {
    fg_str_t issuer;
    bool who_asks;
} fg_trust_sender_t;

/* Reads what is named.  sender: to choose among several entities, and in a configuration.  Failure: *err, whose code
 * tells files from what cannot be believed (an expired document).  With a gateway: fg_trust_end. */
bool fg_trust_read(fg_trust_t *trust, const fg_trust_options_t *options, const fg_env_t *env, fg_arena_t *arena,
                   const fg_trust_sender_t *sender, fg_err_t *err) FG_MUST_CHECK;
void fg_trust_end(fg_trust_t *trust);

/* The relying party of that title; NULL: *err names the nearest. */
const fg_partner_t *fg_trust_find_partner(const fg_hub_t *hub, const char *title, fg_err_t *err) FG_MUST_CHECK;

#endif
