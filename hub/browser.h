/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Signing a person in who sits at a browser: which home realm, the sign-in page or the partner's, and the session that
 * comes of it.  Every browser protocol asks here; the pages come back to the protocol's own address, with the same
 * parameters. */
#ifndef FG_HUB_BROWSER_H
#define FG_HUB_BROWSER_H

#include "hub/session.h"
#include "hub/signin.h"
#include "token/authmethod.h"

typedef struct fg_browser_signin fg_browser_signin_t;
struct fg_browser_signin {
    /* set by the protocol */
    fg_str_t path;                     /* of its endpoint, below the base */
    const fg_params_t *params;         /* of the request */
    bool (*is_kept)(fg_str_t name);    /* which of them make it up */
    fg_str_t application;              /* for people */
    fg_str_t user;                     /* the name that the sign-in page begins with; .n 0: none */
    fg_str_t memory;                   /* whose choice of a home realm is remembered (a realm); .n 0: none is */
    const fg_authmethod_t *method;     /* how it must have been; NULL: any */
    int64_t fresh_ms;                  /* at most that long ago; negative: any age */
    const fg_home_realm_t *home_realm; /* where; NULL: any */
    bool passive;                      /* no page is shown: refused with FG_E_SAML_PASSIVE instead */
    bool local;                        /* no partner is asked: refused with FG_E_SAML_PROXY instead */
    unsigned proxy_limit;              /* as in fg_partner_signin_t */
    fg_str_t requester;
    const fg_params_t *form;                                         /* of the sign-in page's POST; NULL: not sent */
    fg_step_t (*finish)(fg_exchange_t *ex, fg_browser_signin_t *in); /* the session is good */
    void (*refuse)(fg_exchange_t *ex, const fg_err_t *err);
    /* what comes of it */
    bool signed_in;
    fg_session_t session; /* the protocol saves it */
};

/* Finishes if there is a session that is good enough; else shows the home realms or the sign-in page, checks the
 * password that was sent, or sends the browser to a partner.  in must live as long as the exchange. */
fg_step_t fg_browser_sign_in(fg_exchange_t *ex, fg_browser_signin_t *in);

/* Refuses (FG_E_WSFED_LOOP) the same relying party for the sixth time within 20 s of one session: it does not take what
 * it gets, and another round will not help.  Counted in the store; where that does not answer, nothing is refused. */
bool fg_browser_check_loop(fg_exchange_t *ex, const fg_browser_signin_t *in, const fg_partner_t *partner,
                           fg_str_t realm, fg_err_t *err) FG_MUST_CHECK;

/* Appends to url, an address of ours, the note that this session's person has just signed in at a partner because the
 * request of that address asked for it: it counts as fresh for a minute, for that request and session only. */
bool fg_browser_fresh_put(fg_exchange_t *ex, const fg_session_t *session, fg_buf_t *url, fg_err_t *err) FG_MUST_CHECK;

/* Likewise the note that the partner, asked without a page, said no to the request of that address; why: for the audit
 * log. */
bool fg_browser_refused_put(fg_exchange_t *ex, fg_str_t why, fg_buf_t *url) FG_MUST_CHECK;

/* What sends people to a partner; of the protocol that the partner speaks.  back: an address of ours, to which the
 * browser returns with a session. */
typedef struct fg_partner_signin {
    const fg_home_realm_t *realm; /* with by_client: NULL is whichever the client goes to */
    bool by_client;               /* no browser: it carries the request there itself (hub/client_signin.h) */
    fg_str_t back;
    const fg_authmethod_t *method; /* asked for, and held against the result (WF-07) */
    int64_t fresh_ms;
    bool passive;         /* the partner is to show no page */
    unsigned proxy_limit; /* how many more gateways may be asked beyond the partner, plus one; 0: not limited */
    fg_str_t requester;   /* with a limit: on whose behalf (an entityID) */
    fg_str_t secret;      /* of the protocol's own, for the way back; .n 0: none */
    /* known on the way back */
    int64_t asked_ms;                  /* when the browser was sent there */
    const fg_session_party_t *parties; /* of the session that the new one takes the place of */
    size_t party_count;
    char (*begun)[FG_ID_SIZE]; /* where the new session's id is to be told; NULL: nowhere */
} fg_partner_signin_t;

/* The state of a round trip to a partner: sealed in a cookie of this browser (WF-08), named by a random word of 32
 * letters, once only, for an hour. */
bool fg_partner_state_make(fg_exchange_t *ex, const fg_partner_signin_t *signin, fg_str_t *word,
                           fg_err_t *err) FG_MUST_CHECK;
bool fg_partner_state_take(fg_exchange_t *ex, fg_str_t word, fg_partner_signin_t *signin, fg_err_t *err) FG_MUST_CHECK;
/* The same of a state that was made by_client; neither takes the other's.  signin->realm may be NULL. */
bool fg_client_state_take(fg_exchange_t *ex, fg_str_t word, fg_partner_signin_t *signin, fg_err_t *err) FG_MUST_CHECK;
/* The partner said no to a passive sign-in: back to where it was begun, which refuses with FG_E_SAML_PASSIVE, so that
 * the relying party hears it in its own protocol (OpenID Connect core §3.1.2.6, SAML core §3.2.2.2).  False, and nothing
 * done: it was not passive, or why is no partner's answer. */
bool fg_partner_refused(fg_exchange_t *ex, const fg_partner_signin_t *signin, const fg_err_t *why) FG_MUST_CHECK;
/* Ends the round: acceptance rules over what the partner said, what was asked for held against it (FG_E_WSFED_AUTH), a
 * new session, and the way back. */
bool fg_partner_signed_in(fg_exchange_t *ex, const fg_partner_signin_t *signin, fg_identity_t *identity,
                          fg_err_t *err) FG_MUST_CHECK;

#endif
