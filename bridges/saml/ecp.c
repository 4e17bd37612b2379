/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The gateway as identity provider of programs that are no browsers (saml-ecp-v2.0 §2.3.5): the AuthnRequest comes by
 * SOAP, name and password by HTTP Basic, and the Response goes back on the same connection. */
#include "bridges/saml/authn_request.h"
#include "bridges/saml/peer.h"
#include "bridges/saml/response.h"
#include "bridges/saml/saml.h"
#include "bridges/saml/soap.h"
#include "core/crypto.h"
#include "core/fault.h"
#include "hub/issue.h"
#include "hub/signin.h"
#include "token/authmethod.h"

#define RESPONSE_MAX (512u << 10)
#define CREDENTIALS_MAX 1024u

const fg_xns_t fg_saml_ns_ecp = {"ecp", FG_SAML_NS_ECP};

typedef struct request {
    fg_saml_peer_t peer;
    fg_saml_authn_request_t asked;
    const fg_saml_endpoint_t *consumer;
    bool is_signed;
    fg_str_t user, password;
} request_t;

/* ---- the answer */

static void start_header(fg_xw_t *w, const char *name) {
    fg_xw_start(w, &fg_saml_ns_ecp, name);
    fg_xw_attr_ns(w, &fg_saml_ns_soap, "actor", FG_STR(FG_SAML_ACTOR_NEXT));
}

/* §2.3.6.1: the client holds the address against the one that the service provider named. */
static void write_header(fg_buf_t *out, const request_t *r) {
    fg_xw_t w;
    fg_xw_init(&w, out);
    start_header(&w, "Response");
    fg_xw_attr_ns(&w, &fg_saml_ns_soap, "mustUnderstand", FG_STR("1"));
    fg_xw_attr(&w, "AssertionConsumerServiceURL", r->consumer->location);
    fg_xw_end(&w);
    if (r->is_signed) {
        fg_xw_t second;
        fg_xw_init(&second, out);
        start_header(&second, "RequestAuthenticated");
        fg_xw_end(&second);
        w.failed = w.failed || !fg_xw_ok(&second);
    }
    out->failed = out->failed || !fg_xw_ok(&w);
}

/* why NULL: it went well. */
static bool answer(fg_exchange_t *ex, const request_t *r, fg_str_t assertion, const fg_err_t *why, fg_err_t *err) {
    fg_buf_t xml = FG_BUF_INIT(RESPONSE_MAX), header = FG_BUF_INIT(8u << 10);
    const fg_saml_response_t response = {
        .issuer = ex->hub->entity_id,
        .destination = r->consumer->location,
        .in_response_to = r->asked.id,
        .assertion = assertion,
        .err = why,
        .is_signed = why != NULL || r->peer.partner->sign_response,
    };
    write_header(&header, r);
    bool done = fg_buf_ok(&header) ? fg_saml_response_write(ex, &response, &xml, err) &&
                                         fg_saml_soap_answer(ex, fg_buf_str(&header), fg_buf_str(&xml), err)
                                   : FG_FAIL(err, FG_E_INTERNAL, "a SOAP header could not be written");
    fg_buf_free(&xml);
    fg_buf_free(&header);
    return done;
}

static fg_step_t ask_credentials(fg_exchange_t *ex, const fg_err_t *err) {
    fg_saml_soap_refuse(ex, err);
    ex->response.status = 401;
    fg_response_header(ex, "WWW-Authenticate", FG_STR("Basic realm=\"fedgate\", charset=\"UTF-8\""));
    return FG_STEP_DONE;
}

/* What the service provider can do something about goes to it, as to everybody (core §3.2.2). */
static fg_step_t refuse(fg_exchange_t *ex, const request_t *r, const fg_err_t *why) {
    fg_err_t err = FG_ERR_INIT;
    if (why->code == FG_E_AUTH_MISSING || why->code == FG_E_AUTH_FAILED || why->code == FG_E_AUTH_LOCKED)
        return ask_credentials(ex, why);
    if (r == NULL || r->consumer == NULL || fg_fault_is_temporary(why->code) || !answer(ex, r, FG_STR_NONE, why, &err))
        fg_saml_soap_refuse(ex, why);
    return FG_STEP_DONE;
}

static bool issue(fg_exchange_t *ex, const request_t *r, fg_err_t *err) {
    fg_issued_t issued;
    const fg_issue_request_t request = {
        .partner = r->peer.partner,
        .audience = r->peer.id,
        .identity = &ex->signin.identity,
        .version = FG_SAML_20,
        .recipient = r->consumer->location,
        .saml_sso = true,
        .in_response_to = r->asked.id,
        .name_id_format = r->asked.name_id_format,
        .protocol = "saml_ecp",
    };
    return fg_issue(ex, &request, &issued, err) && answer(ex, r, issued.token, NULL, err);
}

static fg_step_t finish(fg_exchange_t *ex) {
    const request_t *r = ex->state;
    fg_err_t err = ex->signin.err;
    return ex->signin.ok && issue(ex, r, &err) ? FG_STEP_DONE : refuse(ex, r, &err);
}

/* ---- the request */

/* RFC 7617 §2 */
static bool read_credentials(fg_exchange_t *ex, request_t *r, fg_err_t *err) {
    size_t times;
    fg_str_t header = fg_request_header(&ex->request, "Authorization", &times);
    fg_buf_t bytes = FG_BUF_INIT(CREDENTIALS_MAX);
    if (times != 1 || header.n < 6 || !fg_str_eq_nocase((fg_str_t){header.p, 6}, FG_STR("Basic ")))
        return FG_FAIL(err, FG_E_AUTH_MISSING, "no Basic credentials");
    bool good = fg_base64_decode(&bytes, fg_str_trim((fg_str_t){header.p + 6, header.n - 6})) && fg_buf_ok(&bytes);
    fg_str_t text = good ? fg_arena_str(ex->arena, fg_buf_str(&bytes)) : FG_STR_NONE;
    fg_buf_free(&bytes);
    const char *colon = text.p && fg_str_is_utf8(text) ? memchr(text.p, ':', text.n) : NULL;
    if (colon == NULL)
        return FG_FAIL(err, FG_E_AUTH_FAILED, "Basic credentials without a user name or no UTF-8");
    r->user = (fg_str_t){text.p, (size_t)(colon - text.p)};
    r->password = (fg_str_t){colon + 1, text.n - r->user.n - 1};
    return true;
}

/* A password is what there is (core §3.3.2.2.1). */
static bool check_context(const fg_saml_authn_request_t *asked, fg_err_t *err) {
    for (size_t i = 0; i < asked->context_count; i++) {
        const fg_authmethod_t *method = fg_authmethod_find(asked->contexts[i]);
        if (method != NULL &&
            (strcmp(method->claim, FG_AUTH_PASSWORD) == 0 || strcmp(method->claim, FG_AUTH_UNSPECIFIED) == 0))
            return true;
    }
    return asked->context_count == 0 || FG_FAIL(err, FG_E_SAML_CONTEXT, "context %.*s", FG_STR_ARG(asked->contexts[0]));
}

static bool read_request(fg_exchange_t *ex, request_t *r, fg_err_t *err) {
    fg_saml_inbound_t in;
    fg_saml_head_t head;
    if (!fg_saml_soap_receive(ex, &in, err))
        return false;
    if (!fg_xml_is(in.root, FG_NS_SAML2P, "AuthnRequest"))
        return FG_FAIL(err, FG_E_SAML_UNSUPPORTED, "<%s> by SOAP", (const char *)in.root->name);
    if (!fg_saml_peer_of(ex, FG_SAML_SERVICE_PROVIDER, in.issuer, &r->peer, err) ||
        !fg_saml_verify(&in, &r->peer.keys, &r->is_signed, err))
        return false;
    if (!r->is_signed && r->peer.party->signs_requests)
        return FG_FAIL(err, FG_E_SIG_MISSING, "\"%s\" signs its requests, and this one has no signature", r->peer.name);
    if (!fg_saml_read_head(ex, in.root, fg_saml_url(ex, FG_SAML_ECP_PATH), false, &head, err) ||
        !fg_saml_authn_request_read(ex, in.root, &r->asked, err))
        return false;
    /* SA-17 */
    r->consumer = fg_saml_party_consumer(r->peer.party, r->asked.consumer_url, r->asked.consumer_index, FG_SAML_PAOS);
    if (r->consumer == NULL)
        return FG_FAIL(err, FG_E_SAML_CONSUMER, "AssertionConsumerService \"%.*s\" by PAOS",
                       FG_STR_ARG(r->asked.consumer_url));
    if (r->asked.sp_name_qualifier.n > 0 && !fg_str_eq(r->asked.sp_name_qualifier, r->peer.id))
        return FG_FAIL(err, FG_E_SAML_NAME_ID, "a name for the affiliation \"%.*s\"",
                       FG_STR_ARG(r->asked.sp_name_qualifier));
    if (r->asked.is_loop)
        return FG_FAIL(err, FG_E_SAML_LOOP, "our own request comes back from \"%s\"", r->peer.name);
    return check_context(&r->asked, err);
}

fg_step_t fg_saml_ecp(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    request_t *r = fg_arena_alloc(ex->arena, sizeof *r);
    bool good = r != NULL || FG_FAIL(&err, FG_E_MEMORY, "a SAML request");
    ex->state = r;
    if (!good || !read_request(ex, r, &err) || !read_credentials(ex, r, &err))
        return refuse(ex, r, &err);
    return fg_signin_begin(ex, NULL, r->user, r->password, finish);
}
