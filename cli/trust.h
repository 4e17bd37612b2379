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
} fg_trust_t;

typedef struct fg_trust_options {
    fg_cli_repeated_t names; /* FILE, URL or PARTNER */
    const char *config;
    bool network;
} fg_trust_options_t;

/* Reads what is named.  issuer: of the token, to choose among several entities.  Failure: *err, whose code tells files
 * from what cannot be believed (an expired document).  With a gateway: fg_trust_end. */
bool fg_trust_read(fg_trust_t *trust, const fg_trust_options_t *options, const fg_env_t *env, fg_arena_t *arena,
                   fg_str_t issuer, fg_err_t *err) FG_MUST_CHECK;
void fg_trust_end(fg_trust_t *trust);

#endif
