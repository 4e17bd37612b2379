/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A browser before a gateway, for tests of the passive protocols: cookies are kept, pages are seen as their models, one
 * directory knows alice (password "alice-demo").  The third home realm, urn:home:partner, is a provider to which people
 * are sent by a redirect to BROWSER_PROVIDER. */
#ifndef FG_TESTS_UNIT_BROWSER_H
#define FG_TESTS_UNIT_BROWSER_H

#include "tests/unit/support.h"

#include "hub/protocol.h"
#include "hub/session.h"

#define BROWSER_BASE "https://gw.test"
#define BROWSER_ENTITY "http://gw.test/adfs/services/trust"
#define BROWSER_RP "https://rp.test/login"
#define BROWSER_PROVIDER "https://idp.test/sign-in"

enum { BROWSER_PARTNER_RP, BROWSER_PARTNER_OTHER, BROWSER_PARTNER_VIEWER, BROWSER_PARTNERS };

typedef struct browser {
    test_env_t test;
    void *memory;
    fg_hub_t hub;
    fg_keys_t keys;
    fg_partner_t partners[BROWSER_PARTNERS];
    fg_str_t realms[BROWSER_PARTNERS];
    fg_str_t replies[BROWSER_PARTNERS][2];
    fg_realm_entry_t index[BROWSER_PARTNERS];
    fg_directory_t directory;
    fg_identity_provider_t provider;
    fg_home_realm_t home_realms[3];
    fg_exchange_t *ex;         /* the last one */
    char cookies[16][3][8192]; /* name, value, attributes */
    size_t cookie_count;
    bool cross_site; /* requests are made by another site's page: no Lax cookies with a POST */
    char word[40];   /* of the state, when the browser was sent to the provider */
    char page[32];   /* what was rendered last; "" if nothing was */
    json_t *model;
    char *audit; /* all audit lines so far, joined by '\n' */
} browser_t;

/* cmocka's set-up and tear-down: *state is a browser_t. */
int browser_set_up(void **state);
int browser_tear_down(void **state);

/* One request to the protocol's endpoint of that path, with all its steps.  Returns the status. */
int browser_get(browser_t *b, const fg_protocol_t *protocol, const char *path, const char *query);
int browser_get_with(browser_t *b, const fg_protocol_t *protocol, const char *path, const char *query,
                     const char *const *headers);
int browser_post(browser_t *b, const fg_protocol_t *protocol, const char *path, const char *query, const char *body);
/* The same with headers (name, value, …, NULL) in place of a form's Content-Type. */
int browser_post_with(browser_t *b, const fg_protocol_t *protocol, const char *path, const char *query,
                      const char *body, const char *const *headers);

/* A member of the last page's model. */
const char *browser_text(const browser_t *b, const char *name);
/* A field of the last auto_post page. */
const char *browser_field(const browser_t *b, const char *name);
/* A header of the last response, or NULL. */
const char *browser_header(const browser_t *b, const char *name);
/* name=value appended to a form, encoded. */
void browser_put(fg_buf_t *form, const char *name, const char *value);
/* Fills in the sign-in page last seen and sends it. */
int browser_sign_in(browser_t *b, const fg_protocol_t *protocol, const char *user, const char *password);
/* True if the last response is the error page of that code. */
bool browser_refused(const browser_t *b, fg_code_t code);

#endif
