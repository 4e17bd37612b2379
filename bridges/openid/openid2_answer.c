/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The gateway as relying party: a provider's answer is verified (OpenID Authentication 2.0 §11), in this order: to
 * whom, whose, signed what, by whom, when, about whom. */
#include "bridges/openid/openid2_extensions.h"
#include "bridges/openid/openid2_partner.h"
#include "bridges/openid/openid2_realm.h"
#include "bridges/openid/openid2_round.h"
#include "core/time.h"
#include "hub/audit.h"
#include "token/replay.h"

#define NONCE_MAX 255u /* §10.1 */
#define NONCE_TIME 20u /* "2026-11-28T04:30:00Z" */
#define NONCE_AGE (5 * FG_MINUTE)

typedef struct answer {
    fg_openid2_message_t message, proven; /* all of it, and what was signed of it */
    fg_openid2_service_t service;         /* that was asked */
    fg_partner_signin_t signin;
    fg_str_t claimed_id;
    int64_t made_ms; /* as its nonce says; without one, now */
} answer_t;

static fg_str_t get(const answer_t *in, const char *name) { return fg_openid2_get(&in->message, name); }

/* ---- to whom: §11.1 */

/* Our own parameters are in the address in either case; nothing else is. */
static bool check_return(fg_exchange_t *ex, answer_t *in, const fg_params_t *query, fg_err_t *err) {
    size_t words, rounds;
    fg_str_t word = fg_params_get(query, FG_OPENID2_STATE, &words), own;
    fg_str_t sealed = fg_params_get(query, FG_OPENID2_ROUND, &rounds);
    if (words != 1 || rounds != 1)
        return FG_FAIL(err, FG_E_OPENID2_ANSWER, "an answer without our parameters");
    for (size_t i = 0; i < query->count; i++) {
        fg_str_t name = query->items[i].name;
        if (!fg_str_starts(name, "openid.") && !fg_str_is(name, FG_OPENID2_STATE) && !fg_str_is(name, FG_OPENID2_ROUND))
            return FG_FAIL(err, FG_E_OPENID2_ANSWER, "parameter \"%.*s\" is none of ours", FG_STR_ARG(name));
    }
    if (!fg_partner_state_take(ex, word, &in->signin, err) ||
        !fg_openid2_round_open(ex, word, sealed, &in->service, err) ||
        !fg_openid2_round_url(ex, word, sealed, &own, err))
        return false;
    if (in->signin.realm->identity_provider->openid2 == NULL)
        return FG_FAIL(err, FG_E_OPENID2_ANSWER, "the provider does not speak OpenID 2.0 any more");
    fg_str_t said = get(in, "return_to");
    bool positive = fg_str_is(get(in, "mode"), "id_res") && get(in, "user_setup_url").p == NULL;
    return !positive || fg_str_eq(said, own) ||
           FG_FAIL_FOR(err, FG_E_OPENID2_ANSWER, FG_R_OPENID_RETURN_TO_MISMATCH,
                       "return_to \"%.*s\" is not this address", FG_STR_ARG(said));
}

/* ---- signed what: §10.1, §11.4 */

bool fg_openid2_check_signed(const fg_openid2_message_t *message, const fg_openid2_service_t *service, fg_err_t *err) {
    static const char *const always[] = {"return_to", "identity"};
    static const char *const v2[] = {"op_endpoint", "response_nonce", "assoc_handle", "claimed_id"};
    fg_str_t list = fg_openid2_get(message, "signed"), endpoint = fg_openid2_get(message, "op_endpoint");
    for (size_t i = 0; i < FG_ARRAY_SIZE(always); i++)
        if (!fg_openid2_list_has(list, always[i]) || fg_openid2_get(message, always[i]).n == 0)
            return FG_FAIL_FOR(err, FG_E_OPENID2_ANSWER, FG_R_OPENID_UNSIGNED_FIELD, "%s is not signed", always[i]);
    for (size_t i = 0; service->v2 && i < FG_ARRAY_SIZE(v2); i++)
        if (!fg_openid2_list_has(list, v2[i]) || fg_openid2_get(message, v2[i]).n == 0)
            return FG_FAIL_FOR(err, FG_E_OPENID2_ANSWER, FG_R_OPENID_UNSIGNED_FIELD, "%s is not signed", v2[i]);
    if (message->v2 != service->v2)
        return FG_FAIL(err, FG_E_OPENID2_ANSWER, "an answer in another version of the protocol");
    return !service->v2 || fg_str_eq(endpoint, service->endpoint) ||
           FG_FAIL_FOR(err, FG_E_OPENID2_ANSWER, FG_R_ISSUER_MISMATCH, "op_endpoint \"%.*s\" was not asked",
                       FG_STR_ARG(endpoint));
}

/* By the association that was named, of this provider alone, else by asking it. */
static bool check_signature(fg_exchange_t *ex, const answer_t *in, fg_err_t *err) {
    const fg_openid2_source_t *source = in->signin.realm->identity_provider->openid2;
    fg_openid2_association_t association;
    if (!fg_openid2_known(ex, in->service.endpoint, get(in, "assoc_handle"), &association))
        return fg_openid2_ask_provider(ex, source, in->service.endpoint, &in->message, err);
    bool good = fg_openid2_verify(&in->message, &association);
    OPENSSL_cleanse(association.secret, sizeof association.secret);
    return good || FG_FAIL_FOR(err, FG_E_OPENID2_ANSWER, FG_R_SIGNATURE_VALUE_MISMATCH, "the signature does not fit");
}

/* Of what is not signed nothing is read from here on (O2-03). */
static bool keep_signed(fg_exchange_t *ex, answer_t *in, fg_err_t *err) {
    fg_str_t list = get(in, "signed");
    if (!fg_openid2_message_new(ex, false, &in->proven, err))
        return false;
    for (fg_str_t name = fg_openid2_list_next(&list); name.n > 0; name = fg_openid2_list_next(&list))
        for (size_t i = 0; i < in->message.count; i++)
            if (fg_str_eq(in->message.items[i].name, name) && in->proven.count < FG_OPENID2_FIELDS)
                in->proven.items[in->proven.count++] = in->message.items[i];
    in->proven.v2 = in->service.v2;
    return true;
}

/* ---- when: §11.3 */

bool fg_openid2_check_nonce(const fg_exchange_t *ex, fg_str_t nonce, fg_str_t endpoint, int64_t *made_ms,
                            fg_err_t *err) {
    if (nonce.n < NONCE_TIME || nonce.n > NONCE_MAX || !fg_time_parse((fg_str_t){nonce.p, NONCE_TIME}, made_ms) ||
        nonce.p[NONCE_TIME - 1] != 'Z')
        return FG_FAIL_FOR(err, FG_E_OPENID2_ANSWER, FG_R_OPENID_NONCE, "response_nonce \"%.*s\"", FG_STR_ARG(nonce));
    int64_t skew = ex->hub->skew_ms, age = ex->now_ms - *made_ms;
    if (age > NONCE_AGE + skew || age < -skew)
        return FG_FAIL_FOR(err, FG_E_OPENID2_ANSWER, FG_R_OPENID_NONCE, "response_nonce is %lld s old",
                           (long long)(age / FG_SECOND));
    if (*made_ms > ex->now_ms)
        *made_ms = ex->now_ms;
    return fg_replay_check(ex->env, "openid2-nonce", endpoint, nonce, ex->now_ms + NONCE_AGE + 2 * skew,
                           FG_E_TOKEN_REPLAY, err);
}

/* OpenID 1.1 has none: our own word in return_to is good once. */
static bool check_nonce(fg_exchange_t *ex, answer_t *in, fg_err_t *err) {
    in->made_ms = ex->now_ms;
    return !in->service.v2 || fg_openid2_check_nonce(ex, fg_openid2_get(&in->proven, "response_nonce"),
                                                     in->service.endpoint, &in->made_ms, err);
}

/* ---- about whom: §11.2 */

/* An identifier without what tells its owners apart over time (§11.5.1). */
static fg_str_t without_fragment(fg_str_t url) {
    const char *hash = url.n > 0 ? memchr(url.p, '#', url.n) : NULL;
    return hash != NULL ? (fg_str_t){url.p, (size_t)(hash - url.p)} : url;
}

static bool is_normal(fg_str_t url) {
    fg_buf_t normal = FG_BUF_INIT(4096);
    bool same = fg_openid2_url_normal(url, &normal) && fg_str_eq(url, fg_buf_str(&normal));
    fg_buf_free(&normal);
    return same;
}

/* What the identifier itself says of who may vouch for it (O2-04). */
static bool confirm(fg_exchange_t *ex, const answer_t *in, fg_str_t claimed_id, fg_str_t identity, fg_err_t *err) {
    const fg_openid2_source_t *source = in->signin.realm->identity_provider->openid2;
    fg_openid2_services_t *services = fg_arena_alloc(ex->arena, sizeof *services);
    if (services == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "an answer");
    if (!fg_openid2_discover(ex, claimed_id, source->any_host, services, err))
        return false;
    for (size_t i = 0; i < services->count; i++) {
        const fg_openid2_service_t *s = &services->items[i];
        if (s->v2 && fg_str_eq(s->claimed_id, claimed_id) && fg_str_eq(s->local_id, identity) &&
            fg_str_eq(s->endpoint, in->service.endpoint))
            return true;
    }
    return FG_FAIL(err, FG_E_OPENID2_DISCOVERY, "%.*s does not name this provider", FG_STR_ARG(claimed_id));
}

static bool check_identity(fg_exchange_t *ex, answer_t *in, fg_err_t *err) {
    fg_str_t identity = fg_openid2_get(&in->proven, "identity");
    fg_str_t said = in->service.v2 ? fg_openid2_get(&in->proven, "claimed_id") : in->service.claimed_id;
    fg_str_t claimed_id = without_fragment(said);
    bool asked = in->service.claimed_id.n > 0;
    in->claimed_id = said;
    if (asked && (!fg_str_eq(claimed_id, in->service.claimed_id) || !fg_str_eq(identity, in->service.local_id)))
        return FG_FAIL(err, FG_E_OPENID2_DISCOVERY, "an answer about %.*s", FG_STR_ARG(claimed_id));
    if (asked)
        return true; /* discovered when the browser was sent there */
    if (!is_normal(claimed_id))
        return FG_FAIL(err, FG_E_OPENID2_DISCOVERY, "claimed_id \"%.*s\"", FG_STR_ARG(claimed_id));
    return confirm(ex, in, claimed_id, identity, err);
}

/* ---- all of it */

static bool check_mode(const answer_t *in, fg_err_t *err) {
    fg_str_t mode = get(in, "mode");
    bool setup = fg_str_is(mode, "setup_needed") || get(in, "user_setup_url").p != NULL;
    if (setup || fg_str_is(mode, "cancel"))
        return FG_FAIL(err, setup && in->signin.passive ? FG_E_SAML_PASSIVE : FG_E_OPENID2_CANCELLED, "%s",
                       setup ? "a page would have to be shown" : "cancel");
    return fg_str_is(mode, "id_res") ||
           FG_FAIL(err, FG_E_OPENID2_ANSWER, "mode \"%.*s\": %.*s", FG_STR_ARG(mode), FG_STR_ARG(get(in, "error")));
}

static void audit_accepted(fg_exchange_t *ex, const answer_t *in) {
    const fg_audit_field_t fields[] = {
        {"identity_provider", fg_str(in->signin.realm->identity_provider->name)},
        {"protocol", FG_STR(FG_OPENID2_PROTOCOL)},
        {"token_type", FG_STR("assertion")},
        {"token_id", fg_openid2_get(&in->proven, "response_nonce")},
    };
    fg_audit(ex, "accepted", NULL, fields, FG_ARRAY_SIZE(fields));
}

static bool accept(fg_exchange_t *ex, answer_t *in, fg_err_t *err) {
    const fg_identity_provider_t *provider = in->signin.realm->identity_provider;
    fg_identity_t identity = {
        .issuer = provider->issuer, .auth_method = FG_STR(FG_AUTH_UNSPECIFIED), .auth_instant_ms = 0};
    if (!check_mode(in, err) || !fg_openid2_check_signed(&in->message, &in->service, err) ||
        !check_signature(ex, in, err) || !keep_signed(ex, in, err) || !check_nonce(ex, in, err) ||
        !check_identity(ex, in, err) ||
        !fg_openid2_take_claims(ex, &in->proven, provider->issuer, &provider->openid2->attributes, &identity, err)) {
        (void)fg_err_prefix(err, "identity provider \"%s\"", provider->name);
        return fg_partner_refused(ex, &in->signin, err);
    }
    identity.name_id.value = in->claimed_id;
    if (!fg_claims_put(ex->arena, &identity.claims, FG_CLAIM_NAMEIDENTIFIER, in->claimed_id))
        return FG_FAIL(err, FG_E_MEMORY, "claims");
    /* where freshness was asked for, only PAPE's word counts for it; else the answer is as old as the sign-in */
    if (identity.auth_instant_ms == 0 && in->signin.fresh_ms < 0)
        identity.auth_instant_ms = in->made_ms;
    if (identity.auth_instant_ms > ex->now_ms)
        identity.auth_instant_ms = ex->now_ms;
    audit_accepted(ex, in);
    return fg_partner_signed_in(ex, &in->signin, &identity, err) ||
           fg_err_prefix(err, "identity provider \"%s\"", provider->name);
}

fg_step_t fg_openid2_return(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    fg_params_t query, form = {0};
    bool post = ex->request.method == FG_METHOD_POST;
    answer_t *in = fg_arena_alloc(ex->arena, sizeof *in);
    bool done = in != NULL || FG_FAIL(&err, FG_E_MEMORY, "an OpenID answer");
    done = done && fg_params_parse(ex->arena, ex->request.query, &query, &err) &&
           (!post || fg_params_parse(ex->arena, ex->request.body, &form, &err)) &&
           fg_openid2_message_read(ex, post ? &form : &query, FG_E_OPENID2_ANSWER, &in->message, &err) &&
           check_return(ex, in, &query, &err) && accept(ex, in, &err);
    if (!done)
        fg_response_error_page(ex, &err);
    return FG_STEP_DONE;
}
