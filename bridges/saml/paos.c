/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The gateway as service provider of programs that are no browsers (profiles §4.2, saml-ecp-v2.0 §2.3): the answer to
 * their request is an AuthnRequest in a SOAP envelope, which they carry to an identity provider of their choice, and
 * whose Response they post here (reverse SOAP). */
#include "bridges/saml/authn_request.h"
#include "bridges/saml/saml.h"
#include "bridges/saml/sign_in.h"
#include "bridges/saml/soap.h"
#include "core/crypto.h"
#include "hub/client_signin.h"
#include "hub/federation.h"

#define REQUEST_MAX (16u << 10)
#define HEADER_MAX (8u << 10)
#define NS_PAOS "urn:liberty:paos:2003-08"

static const fg_xns_t ns_paos = {"paos", NS_PAOS};

/* ---- there */

static void start_header(fg_xw_t *w, fg_buf_t *out, const fg_xns_t *ns, const char *name) {
    fg_xw_init(w, out);
    fg_xw_start(w, ns, name);
    fg_xw_attr_ns(w, &fg_saml_ns_soap, "actor", FG_STR(FG_SAML_ACTOR_NEXT));
    fg_xw_attr_ns(w, &fg_saml_ns_soap, "mustUnderstand", FG_STR("1"));
}

static void end_header(fg_xw_t *w, fg_buf_t *out) {
    fg_xw_end(w);
    out->failed = out->failed || !fg_xw_ok(w);
}

/* §4.2.4.1: where the answer goes, and what it is an answer to */
static void write_paos_request(fg_buf_t *out, fg_str_t consumer, fg_str_t id) {
    fg_xw_t w;
    start_header(&w, out, &ns_paos, "Request");
    fg_xw_attr(&w, "messageID", id);
    fg_xw_attr(&w, "responseConsumerURL", consumer);
    fg_xw_attrz(&w, "service", FG_SAML_NS_ECP);
    end_header(&w, out);
}

/* §4.2.4.2: for the client, which the signed request says nothing to */
static void write_ecp_request(fg_buf_t *out, fg_exchange_t *ex, const fg_partner_signin_t *signin, fg_str_t issuer) {
    fg_xw_t w;
    start_header(&w, out, &fg_saml_ns_ecp, "Request");
    fg_xw_attrz(&w, "IsPassive", signin->passive ? "1" : "0");
    fg_xw_attr(&w, "ProviderName", ex->hub->host);
    fg_xw_leaf(&w, &fg_saml_ns_assertion, "Issuer", issuer);
    if (signin->realm != NULL) {
        fg_xw_start(&w, &fg_saml_ns_protocol, "IDPList");
        fg_xw_start(&w, &fg_saml_ns_protocol, "IDPEntry");
        fg_xw_attrz(&w, "Name", signin->realm->display_name);
        fg_xw_attr(&w, "ProviderID", signin->realm->identity_provider->issuer);
        fg_xw_end(&w);
        fg_xw_end(&w);
    }
    end_header(&w, out);
}

/* §4.2.4.3 */
static void write_relay_state(fg_buf_t *out, fg_str_t word) {
    fg_xw_t w;
    start_header(&w, out, &fg_saml_ns_ecp, "RelayState");
    fg_xw_text(&w, word);
    end_header(&w, out);
}

static bool write_request(fg_exchange_t *ex, const fg_partner_signin_t *signin, fg_str_t issuer, fg_str_t id,
                          fg_buf_t *out, fg_err_t *err) {
    const fg_saml_authn_asked_t asked = {
        .id = id.p,
        .consumer_url = fg_saml_url(ex, FG_SAML_PAOS_PATH),
        .binding = FG_SAML_PAOS,
        .force = signin->fresh_ms == 0,
        .passive = signin->passive,
        .method = signin->method,
        .proxy_limit = signin->proxy_limit,
        .requester = signin->requester,
    };
    return fg_saml_authn_request_write(ex, &asked, issuer, true, out, err);
}

/* Who we are to whom is asked; to anybody, by our own name. */
static fg_str_t own_name(const fg_exchange_t *ex, const fg_partner_signin_t *signin) {
    return signin->realm ? signin->realm->identity_provider->realm : ex->hub->entity_id;
}

bool fg_saml_begin_client_sign_in(fg_exchange_t *ex, const fg_partner_signin_t *signin, fg_err_t *err) {
    fg_str_t word, issuer = own_name(ex, signin);
    if (!fg_partner_state_make(ex, signin, &word, err))
        return false;
    fg_str_t id = fg_saml_request_id(ex, word);
    if (id.p == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "a request");
    fg_buf_t xml = FG_BUF_INIT(REQUEST_MAX), header = FG_BUF_INIT(HEADER_MAX);
    write_paos_request(&header, fg_saml_url(ex, FG_SAML_PAOS_PATH), id);
    write_ecp_request(&header, ex, signin, issuer);
    write_relay_state(&header, word);
    bool done = fg_buf_ok(&header) ? write_request(ex, signin, issuer, id, &xml, err) &&
                                         fg_saml_paos_answer(ex, fg_buf_str(&header), fg_buf_str(&xml), err)
                                   : FG_FAIL(err, FG_E_INTERNAL, "a SOAP header could not be written");
    fg_buf_free(&xml);
    fg_buf_free(&header);
    return done;
}

/* ---- and back */

enum { HEADER_PAOS, HEADER_RELAY_STATE, HEADER_ECP, HEADER_AUTHENTICATED, HEADERS };

/* The state is of the client that brings back its word (WF-08), and what it brings is for this address: a client that
 * was made to carry another's message is none of ours. */
static bool check_headers(fg_exchange_t *ex, const fg_saml_soap_header_t headers[HEADERS], fg_str_t own, fg_str_t word,
                          fg_err_t *err) {
    const xmlNode *answer = headers[HEADER_PAOS].node, *relay_state = headers[HEADER_RELAY_STATE].node;
    const xmlNode *ecp = headers[HEADER_ECP].node;
    fg_str_t to = answer ? fg_xml_attr(ex->arena, answer, NULL, "refToMessageID") : FG_STR_NONE;
    fg_str_t sent = relay_state ? fg_xml_token(ex->arena, relay_state, err) : FG_STR_NONE;
    if (relay_state == NULL || !fg_equal_secret(sent, word))
        return FG_FAIL(err, FG_E_CSRF, "RelayState is not that of the request");
    if (to.p != NULL && !fg_str_eq(to, fg_saml_request_id(ex, word)))
        return FG_FAIL(err, FG_E_SAML_ANSWER, "refToMessageID is \"%.*s\"", FG_STR_ARG(to));
    /* clients take it out, which not all do (§4.2.4.4) */
    fg_str_t consumer = ecp ? fg_xml_attr(ex->arena, ecp, NULL, "AssertionConsumerServiceURL") : own;
    return fg_str_eq(consumer, own) ||
           FG_FAIL(err, FG_E_SAML_CONSUMER, "the identity provider answered to \"%.*s\"", FG_STR_ARG(consumer));
}

/* If the request left open who is asked: whoever answers, if people may be sent there and we are who it knows us as.
 * Not verified yet; the name chooses whose keys count. */
static bool choose_provider(fg_exchange_t *ex, const fg_saml_inbound_t *in, fg_partner_signin_t *signin,
                            fg_err_t *err) {
    if (signin->realm != NULL)
        return true;
    if (fg_str_eq(in->issuer, ex->hub->entity_id))
        return FG_FAIL(err, FG_E_SAML_LOOP, "a Response of our own");
    const fg_home_realm_t *realm = in->issuer.n > 0 ? fg_find_issuer(ex, in->issuer) : NULL;
    const fg_identity_provider_t *provider = realm ? realm->identity_provider : NULL;
    if (provider == NULL || provider->protocol != FG_PROTOCOL_SAML || !fg_home_realm_is_offered(realm))
        return FG_FAIL(err, FG_E_SAML_PARTNER, "\"%.*s\" is no identity provider of SAML 2.0", FG_STR_ARG(in->issuer));
    if (!fg_str_eq(provider->realm, ex->hub->entity_id))
        return FG_FAIL(err, FG_E_SAML_PARTNER, "\"%s\" knows us by another name", provider->name);
    signin->realm = realm;
    return true;
}

static bool consume(fg_exchange_t *ex, fg_err_t *err) {
    fg_saml_soap_header_t headers[HEADERS] = {
        [HEADER_PAOS] = {NS_PAOS, "Response", NULL},
        [HEADER_RELAY_STATE] = {FG_SAML_NS_ECP, "RelayState", NULL},
        [HEADER_ECP] = {FG_SAML_NS_ECP, "Response", NULL},
        [HEADER_AUTHENTICATED] = {FG_SAML_NS_ECP, "RequestAuthenticated", NULL},
    };
    fg_saml_inbound_t in;
    fg_partner_signin_t signin;
    fg_str_t word, own = fg_saml_url(ex, FG_SAML_PAOS_PATH);
    return fg_saml_paos_receive(ex, headers, HEADERS, &in, err) && fg_saml_find_word(ex, in.root, &word, err) &&
           check_headers(ex, headers, own, word, err) && fg_client_state_take(ex, word, &signin, err) &&
           choose_provider(ex, &in, &signin, err) && fg_saml_accept(ex, &signin, &in, own, word, err);
}

fg_step_t fg_saml_paos(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    if (!consume(ex, &err))
        fg_saml_soap_refuse(ex, &err);
    return FG_STEP_DONE;
}
