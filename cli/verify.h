/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Judging a token as the gateway does: its own functions, one after the other, and what each of the checks came to. */
#ifndef FG_CLI_VERIFY_H
#define FG_CLI_VERIFY_H

#include "cli/facts.h"
#include "cli/trust.h"
#include "core/reason.h"
#include "core/x509.h"
#include "hub/exchange.h"
#include "token/assertion.h"

/* In the order in which the gateway makes them: the first that fails is the verdict. */
typedef enum fg_check {
    FG_CHECK_FORM,
    FG_CHECK_STRUCTURE,
    FG_CHECK_ENCRYPTION,
    FG_CHECK_COVERAGE,
    FG_CHECK_ALGORITHM,
    FG_CHECK_DIGEST,
    FG_CHECK_KEY,
    FG_CHECK_SIGNATURE,
    FG_CHECK_DESTINATION,
    FG_CHECK_ISSUER,
    FG_CHECK_TIMES,
    FG_CHECK_AUDIENCE,
    FG_CHECK_CONDITIONS,
    FG_CHECK_CONFIRMATION,
    FG_CHECK_RECIPIENT,
    FG_CHECK_REQUEST,
    FG_CHECK_REPLAY,
    FG_CHECK_POLICY,
    FG_CHECKS
} fg_check_t;

typedef enum fg_outcome { FG_OUTCOME_NOT_CHECKED, FG_OUTCOME_PASSED, FG_OUTCOME_FAILED } fg_outcome_t;

typedef struct fg_check_result {
    fg_outcome_t outcome;
    fg_reason_t reason; /* of a failure */
    fg_str_t expected;  /* .p NULL: nothing that can be said */
    fg_str_t actual;
    const char *note; /* why it was not checked, or the failure's detail; NULL: nothing */
} fg_check_result_t;

typedef struct fg_verify {
    fg_arena_t *arena;
    fg_env_t env;
    fg_trust_t trust;
    /* what is expected; .p NULL or count 0: not given, so not checked */
    const fg_str_t *audiences;
    size_t audience_count;
    fg_str_t issuer, recipient, destination, in_response_to, nonce;
    fg_str_t secret; /* of an OpenID 2.0 association */
    bool allow_sha1;
    int64_t skew_ms;
    fg_decryption_t decryption;
    fg_x509_trust_t *ca; /* for certificates of messages; NULL: they must be trusted themselves */
    fg_str_t input;
    fg_piece_t *root;
    fg_piece_t *subject;     /* what is judged */
    fg_facts_t *facts;       /* of the token */
    fg_facts_t *message;     /* of the message around it; NULL: there is none */
    fg_identity_t *identity; /* whom the token is about; NULL: nobody, or it could not be read */
    fg_exchange_t *ex;       /* as the gateway's functions want it */
    fg_check_result_t checks[FG_CHECKS];
    bool in_order; /* a failure means that what stands before it in the order was made and has passed */
    fg_err_t err;  /* the verdict; FG_OK: valid */
} fg_verify_t;

/* What the command line says; borrowed. */
typedef struct fg_verify_options fg_verify_options_t;
struct fg_verify_options {
    const char *path, *issuer, *recipient, *destination, *in_response_to, *nonce, *at, *skew, *secret;
    fg_cli_repeated_t audiences, keys, cas, crls, seen;
    fg_trust_options_t trust;
    bool allow_sha1, json;
    /* of explain: what tells it instead of the verdict; NULL: verify */
    void (*explain)(fg_verify_t *v, const fg_verify_options_t *options);
    const char *original;
    bool canonical;
};
/* `fedgate token verify`, and `explain` with options->explain set.  Returns the exit code. */
int fg_token_judge(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv,
                   fg_verify_options_t *options);

const char *fg_check_name(fg_check_t check);  /* "audience" */
const char *fg_check_title(fg_check_t check); /* "for whom it was issued" */
fg_check_t fg_check_of(fg_reason_t reason);

/* Judges verify->subject. */
void fg_verify_run(fg_verify_t *v);
/* A failure of one of the gateway's functions becomes that of its check.  Returns false. */
bool fg_verify_fail(fg_verify_t *v, const fg_err_t *err);
/* Every check up to this one that did not fail has passed. */
void fg_verify_passed(fg_verify_t *v, fg_check_t last);
void fg_verify_not_checked(fg_verify_t *v, fg_check_t check, const char *why);

/* ---- of one kind each (verify_saml.c, verify_jwt.c, …) */
void fg_verify_assertion(fg_verify_t *v, xmlNode *element, const fg_dsig_verified_t *enclosing, bool web_sso);
void fg_verify_message(fg_verify_t *v);
void fg_verify_jwt(fg_verify_t *v);
void fg_verify_soap(fg_verify_t *v);
void fg_verify_metadata(fg_verify_t *v);
void fg_verify_openid2(fg_verify_t *v);
void fg_verify_certificate(fg_verify_t *v);
/* Of a sign-in request whose partner is known: whether it may be answered where it says. */
bool fg_verify_consumer(fg_verify_t *v, const xmlNode *request, bool *needs_signature);
/* Whom the token is about, kept for what is decided by it. */
void fg_verify_keep(fg_verify_t *v, const fg_identity_t *identity);
/* What the configuration's rules say of issuing for trust.for_partner. */
void fg_verify_policy(fg_verify_t *v);

#endif
