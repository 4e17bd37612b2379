/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A loaded gateway with protected locations, and one request to one of them: for tests of access decisions. */
#ifndef FG_TESTS_UNIT_ACCESS_H
#define FG_TESTS_UNIT_ACCESS_H

#include "tests/unit/support.h"

#include "gateway/gateway.h"
#include "hub/access.h"
#include "token/assertion.h"

#define BASE "https://fs.example.com"
#define ENTITY "http://fs.example.com/adfs/services/trust"
#define IDP "https://idp.example/trust"
#define WEB_POLICY "[role == \"Staff\"] => permit();\n[path =~ \"^/secret/\"] => deny(\"not this\");\n"

typedef struct access_call {
    fg_request_t request;
    fg_header_t headers[16];
    const char *protect; /* NULL: the unnamed one */
    const char *body;
    _Alignas(16) char block[32768];
    fg_exchange_t *ex;
    int jobs, passwords;
    bool body_was_read;
    bool quick; /* the event loop decided alone */
} access_call_t;

extern access_call_t access_call; /* the present one */
extern test_env_t access_test;
extern fg_gateway_t *access_gateway;
extern fg_key_t *access_idp_key, *access_other_key, *access_client_key, *access_voucher_key;
extern char access_cookie[8192]; /* of alice */
extern char access_pages[1024];  /* folder of the pages' templates */

extern const char *access_more;        /* more of gateway.conf, before access_start */
extern void (*access_prepare)(void); /* writes files that it names; NULL: none */

/* cmocka's set-up and tear-down of the group; of each test: an empty store, the same time. */
int access_start(void **state);
int access_stop(void **state);
int access_refill(void **state);

/* A request to come; headers and body may be added before it is run. */
void access_begin(const char *protect, const char *method, const char *path);
/* Runs it with all its steps.  True if it may go on. */
bool access_run(void);
/* A header of the response, by its number among those of that name; "" if it is not there. */
const char *access_header(const char *name, unsigned which);
const char *access_audit(void); /* the last line */
/* True if it was refused with that status for that reason, which the audit log tells. */
bool access_refused(int status, const char *reason);
bool access_body_has(const char *text);

void access_put_header(const char *name, const char *value);
void access_put_bearer(fg_str_t token);
void access_put_basic(const char *user_and_password);
void access_put_session(void);

typedef struct access_token {
    const char *issuer, *audience;
    const fg_key_t *key;
    int64_t from_ms, until_ms; /* from now */
    const char *name, *format, *role, *more_type, *more_value;
    const char *actor; /* who acts for them; NULL: nobody */
} access_token_t;

/* carol's, an operator of the identity provider's, for an hour; what is given goes before that. */
#define TOKEN(...) access_token_fill((access_token_t){__VA_ARGS__})
access_token_t access_token_fill(access_token_t t);
/* In static memory, until the next one. */
fg_str_t access_jwt(access_token_t token);
fg_str_t access_assertion(access_token_t token, fg_saml_version_t version);
fg_str_t access_base64(fg_str_t bytes, bool url);

/* Files of the gateway's. */
const char *access_path(const char *name);
void access_write_file(const char *name, const char *text);
void access_write_users(const char *password);

#endif
