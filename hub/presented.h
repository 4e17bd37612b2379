/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Tokens that are shown to us: whoever issued them, in whichever format, they are verified and read in one place. */
#ifndef FG_HUB_PRESENTED_H
#define FG_HUB_PRESENTED_H

#include "hub/issuer.h"

/* Puts the assertion that was encrypted to us in the place of its encryption; any other element stays. */
bool fg_presented_decrypt(fg_exchange_t *ex, xmlNode **element, fg_err_t *err) FG_MUST_CHECK;

/* What a token must be like besides well signed. */
typedef struct fg_presented_rules {
    const fg_str_t *audiences;
    size_t audience_count;
    bool any_of_ours;       /* also a token for us, and one of our own for any partner */
    int64_t late_ms;        /* how long it is read after its end */
    unsigned confirmations; /* as of fg_assertion_trust_t */
    fg_str_t recipient;     /* likewise */
    bool once;              /* it is good one time */
    const char *type;       /* which a JWT of ours must have (typ); NULL: an access token, or one of WS-Trust */
} fg_presented_rules_t;

typedef struct fg_presented {
    bool jwt;
    fg_saml_version_t version;    /* if not */
    const fg_home_realm_t *realm; /* of its issuer; NULL: ours */
    fg_identity_t identity;       /* as the realm's acceptance rules leave it */
    fg_str_t id;
    fg_str_t audience;
    int64_t expires_ms;
    bool cancellable;              /* one of ours, which was looked up among those that are cancelled */
    const json_t *payload;         /* of a JWT */
    fg_assertion_read_t assertion; /* if not jwt */
} fg_presented_t;

/* Verifies and reads: signature, issuer, times, audience, conditions; one of ours that was cancelled is refused.
 * element: an assertion, or one that is encrypted to us. */
bool fg_presented_read(fg_exchange_t *ex, xmlNode *element, const fg_presented_rules_t *rules, fg_presented_t *out,
                       fg_err_t *err) FG_MUST_CHECK;
bool fg_presented_read_jwt(fg_exchange_t *ex, fg_str_t token, const fg_presented_rules_t *rules, fg_presented_t *out,
                           fg_err_t *err) FG_MUST_CHECK;

#endif
