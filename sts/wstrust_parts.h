/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Between wstrust.c and the files that serve its requests: nobody else includes this. */
#ifndef FG_STS_WSTRUST_PARTS_H
#define FG_STS_WSTRUST_PARTS_H

#include "hub/delegation.h"
#include "hub/issue.h"
#include "hub/presented.h"
#include "sts/endpoints.h"
#include "sts/rst.h"
#include "sts/rstr.h"
#include "sts/soap.h"
#include "sts/wss.h"

/* What is kept of a request while its password is checked. */
typedef struct fg_wstrust {
    const fg_sts_endpoint_t *endpoint;
    fg_soap_message_t message;
    fg_wss_t wss;
    fg_rst_t rst;
    const fg_partner_t *partner; /* NULL: not known, or not named */
    fg_saml_version_t version;   /* what is issued */
    bool jwt;
    fg_proof_kind_t key_type;
    const fg_str_t *required_claims;
    size_t required_count;
    const fg_identity_t *requestor; /* who sent the request, once that is proven */
    fg_str_t owner;                 /* the same as fg_token_owner says it */
} fg_wstrust_t;

/* What comes of a request. */
typedef struct fg_wstrust_result {
    fg_issued_t issued;
    bool has_issued;
    fg_issue_proof_t proof;
    fg_rstr_proof_t told; /* what the requestor is told of the proof key */
    bool has_proof;
    fg_err_t status;
    bool has_status;
    unsigned flags; /* FG_TOKEN_… of what was issued */
} fg_wstrust_result_t;

/* ---- wstrust_scope.c: before anybody's password is checked */
/* The relying party, the format, the kind of key, the claims. */
bool fg_wstrust_find_partner(fg_exchange_t *ex, fg_wstrust_t *request, fg_err_t *err) FG_MUST_CHECK;

/* ---- wstrust_key.c */
bool fg_wstrust_make_proof(fg_exchange_t *ex, fg_wstrust_t *request, fg_wstrust_result_t *result,
                           fg_err_t *err) FG_MUST_CHECK;

/* ---- wstrust_token.c */
/* Verifies and reads a token in the request: an assertion, a JWT in a BinarySecurityToken, or what a
 * SecurityTokenReference names in the message. */
bool fg_wstrust_read_token(fg_exchange_t *ex, fg_wstrust_t *request, xmlNode *element, int64_t late_ms,
                           fg_presented_t *token, fg_err_t *err) FG_MUST_CHECK;

/* ---- the requests, once the requestor is known */
bool fg_wstrust_issue(fg_exchange_t *ex, fg_wstrust_t *request, fg_wstrust_result_t *result,
                      fg_err_t *err) FG_MUST_CHECK;
bool fg_wstrust_renew(fg_exchange_t *ex, fg_wstrust_t *request, fg_wstrust_result_t *result,
                      fg_err_t *err) FG_MUST_CHECK;
bool fg_wstrust_cancel(fg_exchange_t *ex, fg_wstrust_t *request, fg_wstrust_result_t *result,
                       fg_err_t *err) FG_MUST_CHECK;
bool fg_wstrust_validate(fg_exchange_t *ex, fg_wstrust_t *request, fg_wstrust_result_t *result,
                         fg_err_t *err) FG_MUST_CHECK;

/* ---- wstrust_issue.c */
/* For whom a token is issued, besides the requestor itself. */
typedef struct fg_wstrust_subject {
    const fg_identity_t *identity;
    const fg_identity_t *actor; /* NULL: the requestor asks for itself */
    int64_t not_after_ms;       /* 0: no limit */
} fg_wstrust_subject_t;
/* The subject of a token that the requestor presents, if the relying party's rules let it act so (WT-02). */
bool fg_wstrust_delegate(fg_exchange_t *ex, const fg_wstrust_t *request, const fg_presented_t *token,
                         fg_delegation_kind_t kind, fg_wstrust_subject_t *subject, fg_err_t *err) FG_MUST_CHECK;
bool fg_wstrust_issue_for(fg_exchange_t *ex, fg_wstrust_t *request, const fg_wstrust_subject_t *subject,
                          fg_wstrust_result_t *result, fg_err_t *err) FG_MUST_CHECK;

#endif
