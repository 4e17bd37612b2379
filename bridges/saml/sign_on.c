/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The gateway as identity provider (profiles §4.1): who asks, for what, is the session good enough, else sign in; then
 * the assertion.  What was asked is verified once and goes along sealed in the address of our own pages. */
#include "bridges/saml/artifact.h"
#include "bridges/saml/authn_request.h"
#include "bridges/saml/response.h"
#include "bridges/saml/saml.h"
#include "bridges/saml/sign_out.h"
#include "hub/federation.h"
#include "hub/audit.h"
#include "hub/bytes.h"
#include "hub/errand.h"
#include "hub/issue.h"
#include "hub/session_note.h"

#define HINT_MAX 256u
#define RELAY_STATE_MAX 1024u /* 80 by the specification (bindings §3.4.3); many send more */
#define RESPONSE_MAX (512u << 10)

/* What is left of a request once it was read. */
typedef struct errand {
    fg_str_t realm; /* the service provider's entityID */
    fg_str_t request_id;
    fg_str_t consumer; /* address that the answer goes to */
    fg_saml_binding_t binding;
    fg_str_t relay_state; /* .p NULL: none */
    fg_str_t name_id_format;
    fg_str_t contexts[FG_SAML_CONTEXTS];
    size_t context_count;
    fg_saml_comparison_t comparison;
    fg_str_t home_realm; /* .n 0: any */
    int attribute_index; /* negative: by default */
    int proxy_count;     /* negative: not limited */
    bool force, passive;
} errand_t;

typedef struct sign_on {
    errand_t errand;
    const fg_partner_t *partner;
    fg_params_t params, form;
    fg_str_t hint; /* login_hint; .n 0: none */
    fg_browser_signin_t browser;
} sign_on_t;

/* ---- the errand as bytes */

static void write_errand(fg_buf_t *out, const errand_t *e) {
    const fg_str_t strings[] = {e->realm, e->request_id, e->consumer, e->relay_state, e->name_id_format, e->home_realm};
    for (size_t i = 0; i < FG_ARRAY_SIZE(strings); i++)
        fg_bytes_put_string(out, strings[i]);
    fg_bytes_put_number(out, (uint64_t)(e->force | e->passive << 1 | (e->relay_state.p != NULL) << 2), 1);
    fg_bytes_put_number(out, e->binding, 1);
    fg_bytes_put_number(out, e->comparison, 1);
    fg_bytes_put_number(out, (uint64_t)(e->attribute_index + 1), 4);
    fg_bytes_put_number(out, (uint64_t)(e->proxy_count + 1), 4);
    for (size_t i = 0; i < e->context_count; i++)
        fg_bytes_put_string(out, e->contexts[i]);
}

static bool read_errand(fg_str_t bytes, errand_t *e) {
    fg_bytes_t in = {bytes, false};
    *e = (errand_t){0};
    fg_str_t *const strings[] = {&e->realm,       &e->request_id,     &e->consumer,
                                 &e->relay_state, &e->name_id_format, &e->home_realm};
    for (size_t i = 0; i < FG_ARRAY_SIZE(strings); i++)
        *strings[i] = fg_bytes_get_string(&in);
    unsigned flags = (unsigned)fg_bytes_get_number(&in, 1);
    e->force = flags & 1, e->passive = flags & 2;
    if ((flags & 4) == 0)
        e->relay_state = FG_STR_NONE;
    e->binding = (fg_saml_binding_t)fg_bytes_get_number(&in, 1);
    e->comparison = (fg_saml_comparison_t)fg_bytes_get_number(&in, 1);
    e->attribute_index = (int)fg_bytes_get_number(&in, 4) - 1;
    e->proxy_count = (int)fg_bytes_get_number(&in, 4) - 1;
    while (in.rest.n > 0 && !in.failed && e->context_count < FG_SAML_CONTEXTS)
        e->contexts[e->context_count++] = fg_bytes_get_string(&in);
    return fg_bytes_end(&in);
}

static bool seal_errand(fg_exchange_t *ex, sign_on_t *in, fg_err_t *err) {
    fg_buf_t bytes = FG_BUF_INIT(FG_ERRAND_MAX);
    write_errand(&bytes, &in->errand);
    bool sealed = fg_buf_ok(&bytes)
                      ? fg_errand_put(ex, FG_SAML_ERRAND, fg_buf_str(&bytes), FG_E_SAML_MESSAGE, &in->params, err)
                      : FG_FAIL(err, FG_E_SAML_MESSAGE, "the request is too long to be brought back");
    fg_buf_free(&bytes);
    if (!sealed || in->hint.n == 0)
        return sealed;
    fg_param_t *params = fg_arena_alloc(ex->arena, 2 * sizeof *params);
    if (params == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "a request to be brought back");
    params[0] = in->params.items[0];
    params[1] = (fg_param_t){FG_STR("login_hint"), in->hint};
    in->params = (fg_params_t){params, 2};
    return true;
}

/* Beside the message, unsigned: they choose among what is offered to everybody.  IDPList goes before them. */
static bool read_hints(fg_exchange_t *ex, sign_on_t *state, fg_err_t *err) {
    static const char *const names[] = {"whr", "idp"};
    bool post = ex->request.method == FG_METHOD_POST;
    fg_params_t params;
    if (!fg_params_parse(ex->arena, post ? ex->request.body : ex->request.query, &params, err))
        return false;
    for (size_t i = 0; i < FG_ARRAY_SIZE(names) && state->errand.home_realm.n == 0; i++) {
        fg_str_t uri = fg_params_get(&params, names[i], NULL);
        const fg_home_realm_t *realm = uri.n > 0 ? fg_find_home_realm(ex, uri) : NULL;
        if (realm == NULL && uri.n > 0)
            return FG_FAIL(err, FG_E_WSFED_HOME_REALM, "%s \"%.*s\"", names[i], FG_STR_ARG(uri));
        if (realm != NULL)
            state->errand.home_realm = realm->uri;
    }
    state->hint = fg_params_get(&params, "login_hint", NULL);
    if (state->hint.n > HINT_MAX)
        state->hint = FG_STR_NONE;
    return true;
}

static bool is_kept(fg_str_t name) {
    return fg_str_is(name, FG_SAML_ERRAND) || fg_str_is(name, "whr") || fg_str_is(name, "login_hint");
}

/* ---- the answer */

static bool send_response(fg_exchange_t *ex, const sign_on_t *in, fg_str_t assertion, const fg_err_t *why,
                          fg_err_t *err) {
    const errand_t *e = &in->errand;
    fg_buf_t xml = FG_BUF_INIT(RESPONSE_MAX);
    const fg_saml_response_t response = {
        .issuer = ex->hub->entity_id,
        .destination = e->consumer,
        .in_response_to = e->request_id,
        .assertion = assertion,
        .err = why,
        .is_signed = why != NULL || in->partner->sign_response,
    };
    bool done = fg_saml_response_write(ex, &response, &xml, err);
    const fg_saml_outbound_t out = {
        .binding = e->binding,
        .is_response = true,
        .to = e->consumer,
        .relay_state = e->relay_state,
        .xml = fg_buf_str(&xml),
        .application = in->partner->display_name,
    };
    done = done && (e->binding == FG_SAML_ARTIFACT ? fg_saml_artifact_send(ex, &out, e->realm, err)
                                                   : fg_saml_send(ex, &out, err));
    fg_buf_free(&xml);
    return done;
}

/* What the application can do something about goes back to it; the rest is for the person (core §3.4.1.4). */
static bool is_for_application(fg_code_t code) {
    static const fg_code_t codes[] = {FG_E_SAML_PASSIVE, FG_E_SAML_CONTEXT, FG_E_SAML_NAME_ID,
                                      FG_E_SAML_PROXY,   FG_E_SAML_BINDING, FG_E_SAML_PROVIDER,
                                      FG_E_SAML_LOOP,    FG_E_WSFED_AUTH,   FG_E_DENIED};
    for (size_t i = 0; i < FG_ARRAY_SIZE(codes); i++)
        if (codes[i] == code)
            return true;
    return false;
}

static void refuse(fg_exchange_t *ex, const fg_err_t *why) {
    const sign_on_t *in = ex->state;
    fg_err_t err = FG_ERR_INIT;
    if (!is_for_application(why->code) || in == NULL || in->errand.request_id.n == 0) {
        fg_response_error_page(ex, why);
        return;
    }
    const fg_audit_field_t fields[] = {{"protocol", FG_STR("saml")}, {"partner", fg_str(in->partner->name)}};
    fg_audit(ex, "refused", why, fields, FG_ARRAY_SIZE(fields));
    if (!send_response(ex, in, FG_STR_NONE, why, &err))
        fg_response_error_page(ex, &err);
}

static fg_step_t refused(fg_exchange_t *ex, const fg_err_t *err) {
    refuse(ex, err);
    return FG_STEP_DONE;
}

/* What a LogoutRequest needs to say (core §3.7.1). */
static bool note_party(fg_exchange_t *ex, sign_on_t *in, const fg_name_id_t *name_id, fg_err_t *err) {
    fg_session_party_t party = {.protocol = FG_PROTOCOL_SAML, .realm = in->errand.realm};
    if (!fg_saml_reference_make(ex, name_id, &party.reference, err))
        return false;
    if (!fg_session_add_party(&in->browser.session, &party))
        fg_log(ex->env, FG_LOG_WARN, "%s: %s will not be told of the sign-out: the session holds %d relying parties",
               ex->correlation_id, in->partner->name, FG_SESSION_PARTIES);
    fg_session_note_name(ex, &in->browser.session, party.realm, name_id->value);
    return fg_session_save(ex, &in->browser.session, err);
}

static bool answer(fg_exchange_t *ex, sign_on_t *in, fg_err_t *err) {
    fg_issued_t issued;
    const fg_saml_attributes_t *asked = fg_saml_party_attributes(in->partner->saml, in->errand.attribute_index);
    const fg_issue_request_t request = {
        .limited = in->partner->requested_only,
        .wanted = asked ? asked->names : NULL,
        .wanted_count = asked ? asked->count : 0,
        .partner = in->partner,
        .audience = in->errand.realm,
        .identity = &in->browser.session.identity,
        .version = FG_SAML_20,
        .recipient = in->errand.consumer,
        .saml_sso = true,
        .in_response_to = in->errand.request_id,
        .name_id_format = in->errand.name_id_format,
        .protocol = "saml",
    };
    return fg_browser_check_loop(ex, &in->browser, in->partner, in->errand.realm, err) &&
           fg_issue(ex, &request, &issued, err) &&
           fg_saml_query_note(ex, in->partner, &issued.name_id, &in->browser.session, err) &&
           note_party(ex, in, &issued.name_id, err) && send_response(ex, in, issued.token, NULL, err);
}

static fg_step_t finish(fg_exchange_t *ex, fg_browser_signin_t *browser) {
    sign_on_t *in = ex->state;
    fg_err_t err = FG_ERR_INIT;
    (void)browser; /* in->browser */
    return answer(ex, in, &err) ? FG_STEP_DONE : refused(ex, &err);
}

/* ---- authentication contexts: core §3.3.2.2.1 */

/* How strong a way of signing in counts: for "at least", "at most" and "better than". */
static int strength(const fg_authmethod_t *method) {
    static const struct {
        const char *claim;
        int rank;
    } ranks[] = {{FG_AUTH_UNSPECIFIED, 0},
                 {FG_AUTH_PASSWORD, 1},
                 {FG_AUTH_WINDOWS, 2},
                 {FG_AUTH_X509, 3},
                 {FG_AUTH_TLSCLIENT, 3}};
    for (size_t i = 0; i < FG_ARRAY_SIZE(ranks); i++)
        if (strcmp(method->claim, ranks[i].claim) == 0)
            return ranks[i].rank;
    return 2;
}

static bool compares(const fg_authmethod_t *method, const fg_authmethod_t *asked, fg_saml_comparison_t comparison) {
    int difference = strength(method) - strength(asked);
    switch (comparison) {
    case FG_SAML_MINIMUM:
        return difference >= 0;
    case FG_SAML_MAXIMUM:
        return difference <= 0;
    case FG_SAML_BETTER:
        return difference > 0;
    default:
        return method == asked;
    }
}

static bool satisfies(const errand_t *e, const fg_authmethod_t *method) {
    for (size_t i = 0; i < e->context_count; i++) {
        const fg_authmethod_t *asked = fg_authmethod_find(e->contexts[i]);
        bool anything = asked != NULL && strcmp(asked->claim, FG_AUTH_UNSPECIFIED) == 0;
        if (asked != NULL && (anything || compares(method, asked, e->comparison)))
            return true;
    }
    return false;
}

/* The method to sign in by: that of the session if it will do, else the first that will; NULL and true: any. */
static bool choose_method(fg_exchange_t *ex, const errand_t *e, const fg_authmethod_t **method, fg_err_t *err) {
    static const char *const offered[] = {FG_AUTH_PASSWORD, FG_AUTH_WINDOWS, FG_AUTH_X509, FG_AUTH_TLSCLIENT};
    fg_session_t session;
    *method = NULL;
    if (e->context_count == 0)
        return true;
    if (fg_session_open(ex, &session)) {
        const fg_authmethod_t *present = fg_authmethod_find(session.identity.auth_method);
        if (present != NULL && satisfies(e, present)) {
            *method = present;
            return true;
        }
    }
    for (size_t i = 0; i < FG_ARRAY_SIZE(offered) && *method == NULL; i++) {
        const fg_authmethod_t *candidate = fg_authmethod_find(fg_str(offered[i]));
        if (candidate != NULL && satisfies(e, candidate))
            *method = candidate;
    }
    return *method != NULL || FG_FAIL(err, FG_E_SAML_CONTEXT, "context %.*s", FG_STR_ARG(e->contexts[0]));
}

/* ---- signing in */

static fg_step_t run(fg_exchange_t *ex, sign_on_t *in) {
    fg_err_t err = FG_ERR_INIT;
    fg_browser_signin_t *browser = &in->browser;
    browser->home_realm = in->errand.home_realm.n ? fg_find_home_realm(ex, in->errand.home_realm) : NULL;
    if (!choose_method(ex, &in->errand, &browser->method, &err))
        return refused(ex, &err);
    browser->path = FG_STR(FG_SAML_PATH);
    browser->params = &in->params;
    browser->is_kept = is_kept;
    browser->application = fg_str(in->partner->display_name);
    browser->memory = in->errand.realm;
    browser->fresh_ms = in->errand.force ? 0 : -1;
    browser->passive = in->errand.passive;
    browser->local = in->errand.proxy_count == 0;
    browser->proxy_limit = in->errand.proxy_count > 0 ? (unsigned)in->errand.proxy_count : 0; /* one less, plus one */
    browser->requester = in->errand.realm;
    browser->finish = finish;
    browser->refuse = refuse;
    return fg_browser_sign_in(ex, browser);
}

static sign_on_t *make_state(fg_exchange_t *ex, fg_err_t *err) {
    sign_on_t *in = fg_arena_alloc(ex->arena, sizeof *in);
    if (in == NULL)
        FG_FAIL(err, FG_E_MEMORY, "a SAML request");
    return in;
}

static const fg_partner_t *find_partner(fg_exchange_t *ex, fg_str_t realm, fg_err_t *err) {
    const fg_partner_t *partner = realm.n ? fg_find_partner(ex, realm) : NULL;
    if (partner != NULL && partner->saml != NULL)
        return partner;
    FG_FAIL(err, FG_E_SAML_PARTNER, "service provider \"%.*s\"", FG_STR_ARG(realm));
    return NULL;
}

/* ---- the request */

static bool choose_consumer(const fg_saml_party_t *party, const fg_saml_authn_request_t *request, errand_t *e,
                            fg_err_t *err) {
    const fg_saml_endpoint_t *consumer = fg_saml_authn_request_consumer(request, party, err);
    if (consumer == NULL)
        return false;
    e->consumer = consumer->location;
    e->binding = consumer->binding;
    return true;
}

/* Whom to ask, if the request says so: the first that is known here (core §3.4.1.3). */
static bool choose_provider(fg_exchange_t *ex, const fg_saml_authn_request_t *request, errand_t *e, fg_err_t *err) {
    for (size_t i = 0; i < request->provider_count && e->home_realm.n == 0; i++) {
        const fg_home_realm_t *realm = fg_find_issuer(ex, request->providers[i]);
        if (fg_str_eq(request->providers[i], ex->hub->entity_id))
            return true;
        if (realm != NULL)
            e->home_realm = realm->uri;
    }
    return request->provider_count == 0 || e->home_realm.n > 0 ||
           FG_FAIL(err, FG_E_SAML_PROVIDER, "IDPList begins with \"%.*s\"", FG_STR_ARG(request->providers[0]));
}

static bool fill_errand(fg_exchange_t *ex, const sign_on_t *state, const fg_saml_inbound_t *in,
                        const fg_saml_authn_request_t *request, errand_t *e, fg_err_t *err) {
    if (in->relay_state.n > RELAY_STATE_MAX)
        return FG_FAIL(err, FG_E_SAML_MESSAGE, "RelayState of %zu bytes", in->relay_state.n);
    e->realm = in->issuer;
    e->relay_state = in->relay_state;
    if (!choose_consumer(state->partner->saml, request, e, err))
        return false;
    e->request_id = request->id; /* from here on the application can be answered */
    if (request->sp_name_qualifier.n > 0 && !fg_str_eq(request->sp_name_qualifier, e->realm)) /* core §3.4.1.1 */
        return FG_FAIL(err, FG_E_SAML_NAME_ID, "a name for the affiliation \"%.*s\"",
                       FG_STR_ARG(request->sp_name_qualifier));
    e->name_id_format = request->name_id_format;
    e->context_count = request->context_count;
    memcpy(e->contexts, request->contexts, sizeof e->contexts);
    e->comparison = request->comparison;
    e->attribute_index = request->attribute_index;
    e->force = request->force;
    e->passive = request->passive;
    e->proxy_count = request->proxy_count;
    return (!request->is_loop ||
            FG_FAIL(err, FG_E_SAML_LOOP, "our own request comes back from \"%.*s\"", FG_STR_ARG(e->realm))) &&
           choose_provider(ex, request, e, err);
}

static bool read_request(fg_exchange_t *ex, sign_on_t *state, fg_saml_inbound_t *in, fg_err_t *err) {
    fg_saml_authn_request_t request;
    fg_saml_head_t head;
    bool is_signed;
    if (fg_str_eq(in->issuer, ex->hub->entity_id)) /* a federation's metadata may have us in it */
        return FG_FAIL(err, FG_E_SAML_LOOP, "a request of our own");
    state->partner = find_partner(ex, in->issuer, err);
    if (state->partner == NULL)
        return false;
    const fg_saml_party_t *party = state->partner->saml;
    if (!fg_saml_verify(in, &party->keys, &is_signed, err))
        return false;
    if (!is_signed && party->signs_requests)
        return FG_FAIL(err, FG_E_SIG_MISSING, "\"%s\" signs its requests, and this one has no signature",
                       state->partner->name);
    return fg_saml_read_head(ex, in->root, fg_saml_own_url(ex), is_signed, &head, err) &&
           fg_saml_authn_request_read(ex, in->root, &request, err) &&
           fill_errand(ex, state, in, &request, &state->errand, err);
}

/* Browsers send our session's cookie with no POST from another site (SameSite=Lax): whether there is a session is only
 * seen when the request comes again, from our own address. */
static bool is_blind(fg_exchange_t *ex) {
    fg_session_t session;
    return ex->request.method == FG_METHOD_POST && !fg_session_open(ex, &session);
}

static fg_step_t come_again(fg_exchange_t *ex, const sign_on_t *state) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t url = FG_BUF_INIT(4 * FG_ERRAND_MAX);
    fg_buf_put_str(&url, fg_saml_own_url(ex));
    fg_uri_put_param(&url, state->params.items[0].name, state->params.items[0].value);
    bool made = fg_buf_ok(&url) || FG_FAIL(&err, FG_E_SAML_MESSAGE, "the request is too long to be brought back");
    if (made) {
        fg_response_redirect(ex, fg_buf_str(&url));
        fg_response_header(ex, "Cache-Control", FG_STR("no-store"));
    }
    fg_buf_free(&url);
    return made ? FG_STEP_DONE : refused(ex, &err);
}

fg_step_t fg_saml_sign_on(fg_exchange_t *ex, fg_saml_inbound_t *in) {
    fg_err_t err = FG_ERR_INIT;
    sign_on_t *state = make_state(ex, &err);
    ex->state = state;
    if (state == NULL || !read_request(ex, state, in, &err) || !read_hints(ex, state, &err) ||
        !seal_errand(ex, state, &err))
        return refused(ex, &err);
    return is_blind(ex) ? come_again(ex, state) : run(ex, state);
}

/* ---- without a request: profiles §4.1.5 */

static bool fill_unasked(fg_exchange_t *ex, sign_on_t *state, fg_str_t realm, fg_str_t relay_state, fg_err_t *err) {
    const fg_saml_authn_request_t none = {
        .consumer_index = -1, .protocol_binding = FG_SAML_BINDINGS, .attribute_index = -1, .proxy_count = -1};
    const fg_saml_inbound_t in = {.issuer = realm, .relay_state = relay_state};
    return fill_errand(ex, state, &in, &none, &state->errand, err) && seal_errand(ex, state, err);
}

fg_step_t fg_saml_begin_sign_on(fg_exchange_t *ex, const fg_partner_t *partner, fg_str_t realm, fg_str_t relay_state) {
    fg_err_t err = FG_ERR_INIT;
    sign_on_t *state = make_state(ex, &err);
    ex->state = state;
    if (state != NULL)
        state->partner = partner;
    return state != NULL && fill_unasked(ex, state, realm, relay_state, &err) ? run(ex, state) : refused(ex, &err);
}

/* ---- again, from a page of ours */

static bool open_errand(fg_exchange_t *ex, sign_on_t *state, fg_err_t *err) {
    fg_str_t bytes;
    if (!fg_errand_take(ex, FG_SAML_ERRAND, &state->params, &bytes, err))
        return false;
    if (!read_errand(bytes, &state->errand))
        return FG_FAIL(err, FG_E_CSRF, "what was kept of the request cannot be read");
    state->partner = find_partner(ex, state->errand.realm, err);
    return state->partner != NULL &&
           (fg_saml_party_consumer(state->partner->saml, state->errand.consumer, -1, state->errand.binding) != NULL ||
            FG_FAIL(err, FG_E_SAML_CONSUMER, "%.*s is gone from the metadata", FG_STR_ARG(state->errand.consumer)));
}

static bool read_form(fg_exchange_t *ex, sign_on_t *state, fg_err_t *err) {
    bool sent;
    if (!fg_errand_form(ex, &state->form, &sent, err))
        return false;
    if (sent)
        state->browser.form = &state->form;
    return true;
}

/* The choice of a home realm comes as a parameter of its own. */
static bool take_choice(fg_exchange_t *ex, sign_on_t *state, fg_err_t *err) {
    const fg_home_realm_t *realm = NULL;
    if (!fg_errand_choice(ex, &state->params, &realm, err))
        return false;
    if (realm != NULL)
        state->errand.home_realm = realm->uri;
    return true;
}

fg_step_t fg_saml_sign_on_again(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    sign_on_t *state = make_state(ex, &err);
    if (state == NULL || !open_errand(ex, state, &err) || !read_form(ex, state, &err) || !take_choice(ex, state, &err))
        return fg_saml_refuse(ex, &err);
    ex->state = state;
    return run(ex, state);
}
