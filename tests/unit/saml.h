/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What tests of the SAML bridge share: two identity providers and two service providers whose keys the test has, and
 * their messages.  The browser's home realms are staff, urn:home:partner (the first provider) and urn:home:second. */
#ifndef FG_TESTS_UNIT_SAML_H
#define FG_TESTS_UNIT_SAML_H

#include "tests/unit/browser.h"

#include "bridges/saml/saml.h"
#include "token/assertion.h"

#define SAML_LS "/adfs/ls/"
#define SAML_OWN BROWSER_BASE SAML_LS
#define SAML_IDP "urn:idp"
#define SAML_SSO "https://idp.test/sso?tenant=1"
#define SAML_SP "urn:rp"
#define SAML_ACS "https://rp.test/acs"
#define SAML_ACS_SECOND "https://rp.test/acs2?a=b"
#define SAML_STATUS "urn:oasis:names:tc:SAML:2.0:status:"
#define SAML_MORE "http://www.w3.org/2001/04/xmldsig-more#"

typedef struct saml_world {
    fg_key_t *idp_key, *second_key, *sp_key, *evil_key;
    fg_identity_provider_t providers[2];
    fg_home_realm_t realms[3];
    fg_saml_party_t idps[2], sp, other;
    char asked_id[64]; /* of our AuthnRequest, when the browser was sent to a provider */
} saml_world_t;

extern saml_world_t saml_world;

/* cmocka's set-up and tear-down: *state is a browser_t. */
int saml_world_set_up(void **state);
int saml_world_tear_down(void **state);

/* ---- messages of a service provider */

/* A form or query field is encoded; .p NULL: left out. */
typedef struct saml_sent {
    const char *name; /* SAMLRequest, SAMLResponse */
    const char *xml;
    const char *relay_state;
    const fg_key_t *key;   /* NULL: no signature beside it */
    const char *algorithm; /* NULL: the key's own */
} saml_sent_t;
/* The query of a message by the Redirect binding; freed by the caller. */
char *saml_redirect(const saml_sent_t *sent);
/* The form of one by POST, or by SimpleSign if there is a key. */
char *saml_form(const saml_sent_t *sent);

/* An AuthnRequest; attributes and children go in as they are; signed inside if key is given.  Freed by the caller. */
char *saml_request(const browser_t *b, const char *attributes, const char *children, const fg_key_t *key);

/* ---- answers of an identity provider */

typedef struct saml_answer {
    const char *issuer, *audience, *recipient, *in_response_to, *method, *role; /* of the assertion */
    const fg_key_t *key;                                                        /* NULL: not signed */
    int64_t not_before_ms, end_ms, instant_ms, session_end_ms;
    const char *from, *to;      /* replaced in the assertion before it is signed */
    const fg_key_t *encrypt_to; /* NULL: not encrypted */
    /* of the Response */
    const char *response_issuer, *destination, *outer_in_response_to;
    const char *status;                      /* XML in place of Success */
    const fg_key_t *response_key;            /* NULL: not signed */
    const char *response_from, *response_to; /* replaced before it is signed */
} saml_answer_t;

/* One that is accepted in answer to saml_world.asked_id. */
saml_answer_t saml_good(const browser_t *b);
char *saml_assertion(browser_t *b, const saml_answer_t *a);
/* A Response around an assertion that is ready (NULL: it is made). */
char *saml_response(browser_t *b, const saml_answer_t *a, const char *assertion);

/* Begins a sign-in at a home realm; saml_world.asked_id is the request's. */
void saml_leave(browser_t *b, const char *more);
/* The XML of a message in an address or a field. */
char *saml_inflated(const browser_t *b, const char *url, const char *name);
/* Posts a Response and returns the status. */
int saml_post(browser_t *b, const char *xml);

/* A new round: a browser without cookies is sent to a provider; an answer that is good for it. */
saml_answer_t saml_round(browser_t *b);
/* Posts that answer: it is taken, or refused with that code.  What was not as expected is printed. */
bool saml_accepted(browser_t *b, const saml_answer_t *a);
bool saml_refused(browser_t *b, const saml_answer_t *a, fg_code_t code);
/* A whole round that is good. */
bool saml_control(browser_t *b);
/* What an application of WS-Federation is told after a round that was good. */
const char *saml_token_seen(browser_t *b);

/* text with from, which must be in it, replaced; freed by the caller. */
char *saml_replace(const char *text, const char *from, const char *to);
void saml_cut_signature(char *xml);
void saml_cut_key_info(char *xml); /* if there is one */
/* Signs the element whose start is the text's, at the place before mark. */
char *saml_sign(const char *xml, const char *id, const char *mark, const fg_key_t *key);

#endif
