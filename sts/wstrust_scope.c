/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Which relying party a request is for, and whether that one takes what is asked for. */
#include "core/crypto.h"
#include "sts/wstrust_parts.h"

/* The format that is issued: asked for, else the partner's. */
static bool choose_token(fg_wstrust_t *request, fg_err_t *err) {
    const fg_partner_t *partner = request->partner;
    const fg_rst_t *rst = &request->rst;
    bool named = rst->token_type.p != NULL && !rst->status;
    request->jwt = named && rst->jwt;
    request->version = named && !rst->jwt ? rst->version : partner->token;
    if (request->jwt && !partner->jwt)
        return FG_FAIL(err, FG_E_WST_TOKEN_TYPE, "%s takes no JWTs", partner->name);
    if (!request->jwt && partner->token_fixed && request->version != partner->token)
        return FG_FAIL(err, FG_E_WST_TOKEN_TYPE, "%s takes only the other kind of assertion", partner->name);
    return true;
}

/* The kind that is asked for; else the first that the partner takes, bearer before the others. */
static bool choose_key_type(fg_wstrust_t *request, fg_err_t *err) {
    unsigned kinds = request->partner->key_types, kind = FG_PROOF_BEARER;
    if (kinds == 0)
        kinds = 1u << FG_PROOF_BEARER;
    while (kind + 1 < FG_PROOF_KINDS && (kinds & 1u << kind) == 0)
        kind++;
    request->key_type = request->rst.key_type_given ? request->rst.key_type : (fg_proof_kind_t)kind;
    return (kinds & 1u << request->key_type) != 0 ||
           FG_FAIL(err, FG_E_WST_KEY_TYPE, "%s takes no keys of that kind", request->partner->name);
}

/* The certificate by which the requestor means to know the relying party. */
static bool check_certificate(const fg_wstrust_t *request, fg_err_t *err) {
    fg_str_t der = request->rst.applies_to_der;
    const fg_partner_t *partner = request->partner;
    if (der.p == NULL)
        return true;
    fg_buf_t text = FG_BUF_INIT(der.n * 2 + 8);
    fg_base64_encode(&text, der.p, der.n);
    bool same = partner->certificate != NULL && fg_buf_ok(&text) &&
                fg_str_eq(fg_buf_str(&text), fg_key_get_certificate_base64(partner->certificate));
    fg_buf_free(&text);
    return same ||
           FG_FAIL(err, FG_E_WST_SCOPE, "AppliesTo names a certificate that is not the one of %s", partner->name);
}

bool fg_wstrust_find_partner(fg_exchange_t *ex, fg_wstrust_t *request, fg_err_t *err) {
    const fg_rst_t *rst = &request->rst;
    if (rst->applies_to.n == 0) /* what is renewed, cancelled or validated says for whom it is */
        return true;
    request->partner = fg_hub_find_partner(ex->hub, rst->applies_to);
    if (request->partner == NULL)
        return FG_FAIL(err, FG_E_WST_SCOPE, "AppliesTo %.*s is not registered", FG_STR_ARG(rst->applies_to));
    return check_certificate(request, err) && choose_token(request, err) && choose_key_type(request, err) &&
           fg_rst_claims_served(ex->arena, rst, request->partner, &request->required_claims, &request->required_count,
                                err);
}
