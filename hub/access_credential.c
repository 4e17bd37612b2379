/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a request carries to say who sends it, and whether that was seen before. */
#include <stdint.h>

#include "core/crypto.h"
#include "core/time.h"
#include "hub/federation.h"
#include "hub/access_parts.h"
#include "hub/recent.h"
#include "hub/token_id.h"
#include "token/decrypt.h"
#include "token/timestamp.h"

#define CANONICAL_MAX (256u << 10)
#define LONGEST (10 * FG_MINUTE)   /* a validated credential is not looked at again for that long */
#define PASSWORD_LONGEST FG_MINUTE /* by then a changed password counts */

/* ---- headers */

static const char *const words[] = {
    [FG_CREDENTIAL_NONE] = "",
    [FG_CREDENTIAL_SESSION] = "session",
    [FG_CREDENTIAL_BEARER] = "bearer",
    [FG_CREDENTIAL_BASIC] = "basic",
    [FG_CREDENTIAL_NEGOTIATE] = "negotiate",
    [FG_CREDENTIAL_CERTIFICATE] = "certificate",
    [FG_CREDENTIAL_SOAP] = "soap",
    [FG_CREDENTIAL_MESSAGE] = "soap",
    [FG_CREDENTIAL_DPOP] = "dpop",
};

static void put(fg_access_work_t *w, fg_credential_kind_t kind, fg_str_t text) {
    w->credential.kind = kind;
    w->credential.text = text;
    w->access.credential = words[kind];
}

/* "Scheme value", the scheme in any case (RFC 9110 §11.1). */
static bool has_scheme(fg_str_t header, fg_str_t scheme, fg_str_t *value) {
    if (header.n <= scheme.n || header.p[scheme.n] != ' ' || !fg_str_eq_nocase((fg_str_t){header.p, scheme.n}, scheme))
        return false;
    *value = fg_str_trim((fg_str_t){header.p + scheme.n, header.n - scheme.n});
    return value->n > 0;
}

/* False: the header is there twice. */
static bool pick_authorization(fg_exchange_t *ex, fg_access_work_t *w) {
    size_t times;
    unsigned accept = w->access.protect->accept;
    fg_str_t header = fg_request_header(&ex->request, "authorization", &times), value;
    if (times > 1)
        return FG_FAIL(&w->err, FG_E_HTTP_REQUEST, "Authorization given %zu times", times);
    if (times == 0)
        return true;
    if ((accept & FG_ACCEPT_BEARER) != 0 && has_scheme(header, FG_STR("Bearer"), &value))
        put(w, FG_CREDENTIAL_BEARER, value);
    else if ((accept & FG_ACCEPT_BEARER) != 0 && has_scheme(header, FG_STR("DPoP"), &value))
        put(w, FG_CREDENTIAL_DPOP, value);
    else if ((accept & FG_ACCEPT_BASIC) != 0 && has_scheme(header, FG_STR("Basic"), &value))
        put(w, FG_CREDENTIAL_BASIC, value);
    else if ((accept & FG_ACCEPT_NEGOTIATE) != 0 && has_scheme(header, FG_STR("Negotiate"), &value))
        put(w, FG_CREDENTIAL_NEGOTIATE, value);
    w->access.credential_is_spent = w->credential.kind != FG_CREDENTIAL_NONE;
    return true;
}

/* What every message of a TLS connection and every request of a browser brings along. */
static void pick_standing(fg_exchange_t *ex, fg_access_work_t *w) {
    unsigned accept = w->access.protect->accept;
    if ((accept & FG_ACCEPT_CERTIFICATE) != 0 && ex->request.client_certificate.n > 0)
        put(w, FG_CREDENTIAL_CERTIFICATE, ex->request.client_certificate);
    else if ((accept & FG_ACCEPT_SESSION) != 0 && fg_session_open(ex, &w->access.session))
        put(w, FG_CREDENTIAL_SESSION, FG_STR_NONE);
}

fg_access_turn_t fg_access_pick(fg_exchange_t *ex, fg_access_work_t *w) {
    if (!pick_authorization(ex, w))
        return FG_TURN_REFUSE;
    /* a token inside the message goes before the others: it says who sends this message */
    if (w->credential.kind == FG_CREDENTIAL_NONE && (w->access.protect->accept & FG_ACCEPT_SOAP) == 0)
        pick_standing(ex, w);
    return FG_TURN_NEXT;
}

/* ---- SOAP */

bool fg_access_is_soap(fg_exchange_t *ex) {
    fg_str_t type = fg_request_media_type(ex->arena, &ex->request);
    return fg_str_is(type, "application/soap+xml") || fg_str_is(type, "text/xml");
}

/* The Security header of a message to another application; its form is that application's business. */
static bool find_security(fg_exchange_t *ex, const xmlNode **security, fg_err_t *err) {
    *security = NULL;
    xmlDoc *document = fg_xml_parse(ex->arena, ex->request.body, &ex->hub->xml, err);
    if (document == NULL)
        return false;
    const xmlNode *root = xmlDocGetRootElement(document);
    const char *ns = fg_xml_is(root, FG_NS_SOAP12, "Envelope") ? FG_NS_SOAP12 : FG_NS_SOAP11;
    if (!fg_xml_is(root, ns, "Envelope"))
        return true;
    unsigned headers, securities = 0;
    const xmlNode *header = fg_xml_child(root, ns, "Header", &headers);
    if (headers > 1)
        return FG_FAIL(err, FG_E_SOAP_STRUCTURE, "%u Headers", headers);
    if (header != NULL)
        *security = fg_xml_child(header, FG_NS_WSSE, "Security", &securities);
    return securities <= 1 || FG_FAIL(err, FG_E_WSS_STRUCTURE, "%u Security headers", securities);
}

static bool is_token(const xmlNode *node) {
    return fg_xml_is(node, FG_NS_WSSE, "UsernameToken") || fg_xml_is(node, FG_NS_SAML1, "Assertion") ||
           fg_xml_is(node, FG_NS_SAML2, "Assertion") || fg_assertion_is_encrypted(node);
}

/* Whether there is more in the header than a Timestamp and tokens: signatures and what belongs to them. */
static bool is_signed_message(const xmlNode *security) {
    for (const xmlNode *node = fg_xml_first_child(security); node != NULL; node = fg_xml_next(node))
        if (!is_token(node) && !fg_xml_is(node, FG_NS_WSU, "Timestamp"))
            return true;
    return false;
}

/* WS-Security 1.1 §6: the one token in the header. */
static bool find_token(fg_exchange_t *ex, const xmlNode *security, xmlNode **token, fg_err_t *err) {
    unsigned timestamps = 0;
    *token = NULL;
    for (xmlNode *node = fg_xml_first_child(security); node != NULL; node = fg_xml_next(node)) {
        if (fg_xml_is(node, FG_NS_WSU, "Timestamp")) {
            if (++timestamps > 1)
                return FG_FAIL(err, FG_E_WSS_TIMESTAMP, "Timestamp given twice");
            if (!fg_timestamp_check(ex->env, ex->arena, node, ex->hub->skew_ms, err))
                return false;
            continue;
        }
        if (*token != NULL)
            return FG_FAIL(err, FG_E_WSS_STRUCTURE, "more than one token in the Security header");
        *token = node;
    }
    return true;
}

static bool put_soap(fg_exchange_t *ex, fg_access_work_t *w, xmlNode *token) {
    fg_buf_t bytes = FG_BUF_INIT(CANONICAL_MAX);
    fg_str_t text = FG_STR_NONE;
    if (fg_xml_canonical(token, &bytes, &w->err) && fg_buf_ok(&bytes))
        text = fg_arena_str(ex->arena, fg_buf_str(&bytes));
    fg_buf_free(&bytes);
    if (text.p == NULL)
        return w->err.code != FG_OK ? false : FG_FAIL(&w->err, FG_E_MEMORY, "a token in a SOAP header");
    put(w, FG_CREDENTIAL_SOAP, text);
    w->credential.element = token;
    return true;
}

fg_access_turn_t fg_access_pick_soap(fg_exchange_t *ex, fg_access_work_t *w) {
    const xmlNode *security = NULL;
    xmlNode *token = NULL;
    bool wsman = w->access.protect->kind == FG_PROTECT_WSMAN;
    if (w->credential.kind != FG_CREDENTIAL_NONE || (w->access.protect->accept & FG_ACCEPT_SOAP) == 0)
        return FG_TURN_NEXT;
    if (wsman && ex->request.body.n > 0) {
        if (fg_access_read_message(ex, w) != FG_TURN_NEXT)
            return FG_TURN_REFUSE;
        security = w->access.wsman.security;
    } else if (!wsman && fg_access_is_soap(ex) && !find_security(ex, &security, &w->err)) {
        return FG_TURN_REFUSE;
    }
    if (security != NULL && is_signed_message(security)) {
        put(w, FG_CREDENTIAL_MESSAGE, FG_STR_NONE);
        w->credential.element = (xmlNode *)(uintptr_t)security;
        return FG_TURN_NEXT;
    }
    if (security != NULL && !find_token(ex, security, &token, &w->err))
        return FG_TURN_REFUSE;
    if (token != NULL)
        return fg_turn(put_soap(ex, w, token));
    pick_standing(ex, w);
    return FG_TURN_NEXT;
}

/* ---- what was seen before */

/* A nonce is good once, and so are a signed message, a proof and a ticket's authenticator (KL-06): such a credential is validated every time. */
static bool may_be_kept(const fg_credential_t *credential) {
    if (credential->kind == FG_CREDENTIAL_MESSAGE || credential->kind == FG_CREDENTIAL_DPOP ||
        credential->kind == FG_CREDENTIAL_NEGOTIATE)
        return false;
    return credential->element == NULL || fg_xml_child(credential->element, FG_NS_WSSE, "Nonce", NULL) == NULL;
}

/* Under which key the store may know it: nobody can tell the credential from it, nor make one up without our key. */
static bool make_key(fg_exchange_t *ex, fg_access_work_t *w) {
    const fg_sealing_key_t *sealing = &ex->keys->sealing[0];
    unsigned char digest[FG_SHA256_SIZE], mac[FG_SHA256_SIZE];
    char hex[2 * FG_SHA256_SIZE + 1];
    fg_sha256(w->credential.text.p, w->credential.text.n, digest);
    fg_hex_encode(digest, sizeof digest, hex);
    const fg_str_t bar = FG_STR("|");
    /* a token may be tied to the connection's certificate: what was found good with one is not with another */
    fg_str_t certificate = w->credential.kind == FG_CREDENTIAL_BEARER ? ex->request.client_certificate : FG_STR_NONE;
    const fg_str_t parts[] = {fg_str(w->access.credential),    bar, fg_str(hex), bar,
                              fg_str(w->access.protect->name), bar, certificate};
    fg_str_t what = fg_arena_join(ex->arena, parts, FG_ARRAY_SIZE(parts));
    if (what.p == NULL)
        return false;
    fg_hmac_sha256((fg_str_t){(const char *)sealing->key, sizeof sealing->key}, what, mac);
    fg_hex_encode(mac, sizeof mac, hex);
    const fg_str_t key[] = {FG_STR("credential:"), fg_str(hex)};
    w->credential.key = fg_arena_join(ex->arena, key, FG_ARRAY_SIZE(key));
    return w->credential.key.p != NULL;
}

/* False: from a configuration that is gone. */
static bool is_known(fg_exchange_t *ex, const fg_session_t *session) {
    return session->home_realm.n == 0 || fg_knows_home_realm(ex, session->home_realm);
}

static bool find_kept(fg_exchange_t *ex, fg_access_work_t *w, int64_t *expires_ms) {
    fg_store_t *store = ex->env->store;
    fg_session_t *session = &w->access.session;
    if (store == NULL)
        return false;
    fg_str_t bytes = fg_store_get_str(store, ex->arena, w->credential.key, ex->now_ms);
    *session = (fg_session_t){0};
    fg_bytes_t in = {bytes, false};
    *expires_ms = (int64_t)fg_bytes_get_number(&in, 8);
    if (bytes.p == NULL || in.failed || !fg_session_read(ex->arena, in.rest, session))
        return false;
    if (!fg_token_check_cancelled(ex, fg_str(session->id), NULL))
        return false;
    return is_known(ex, session);
}

/* Under its bytes, of this event loop, or under their key, in the store.  Passwords do not stay in a worker's memory. */
static bool find_seen(fg_exchange_t *ex, fg_access_work_t *w) {
    fg_credential_t *credential = &w->credential;
    fg_recent_name_t name = {FG_RECENT_BEARER, fg_str(w->access.protect->name), credential->text, 0};
    /* with a certificate the token may be good for this connection alone: the key below says so */
    bool plain = credential->kind == FG_CREDENTIAL_BEARER && ex->request.client_certificate.n == 0;
    int64_t expires_ms;
    if (plain && fg_recent_get(ex, &name, &w->access.session) && is_known(ex, &w->access.session))
        return true;
    if (!make_key(ex, w) || !find_kept(ex, w, &expires_ms))
        return false;
    if (plain)
        fg_recent_put(ex, &name, &w->access.session, expires_ms);
    return true;
}

static void keep(fg_exchange_t *ex, fg_access_work_t *w, int64_t expires_ms) {
    fg_store_t *store = ex->env->store;
    fg_buf_t bytes = FG_BUF_INIT(FG_STORE_VALUE_MAX);
    fg_bytes_put_number(&bytes, (uint64_t)expires_ms, 8);
    fg_session_write(&bytes, &w->access.session);
    bool exists =
        fg_buf_ok(&bytes) && expires_ms > ex->now_ms &&
        store->put_new(store, w->credential.key, fg_buf_str(&bytes), ex->now_ms, expires_ms) == FG_STORE_EXISTS;
    fg_buf_free(&bytes);
    /* another request with it was quicker: its session's id is the one */
    if (exists) {
        fg_session_t ours = w->access.session;
        if (!find_kept(ex, w, &expires_ms))
            w->access.session = ours;
    }
}

bool fg_access_accept(fg_exchange_t *ex, fg_access_work_t *w, const fg_identity_t *identity,
                      const fg_home_realm_t *realm, int64_t expires_ms) {
    bool password = ex->signin.ok;
    int64_t longest = ex->now_ms + (password ? PASSWORD_LONGEST : LONGEST);
    fg_str_t home_realm = realm ? realm->uri : FG_STR_NONE;
    if (!fg_session_begin(ex, identity, home_realm, &w->access.session, &w->err))
        return false;
    /* what is kept of the token has its id, by which it is known when it is cancelled meanwhile */
    if (w->credential.token_id.n > 0 && w->credential.token_id.n < FG_ID_SIZE)
        snprintf(w->access.session.id, FG_ID_SIZE, "%s", w->credential.token_id.p);
    if (w->credential.key.n > 0 && ex->env->store != NULL)
        keep(ex, w, expires_ms < longest ? expires_ms : longest);
    return true;
}

fg_access_turn_t fg_access_identify(fg_exchange_t *ex, fg_access_work_t *w) {
    if (w->credential.kind == FG_CREDENTIAL_NONE)
        return fg_turn(FG_FAIL(&w->err, FG_E_AUTH_MISSING, "no credential that is accepted here"));
    if (w->credential.kind == FG_CREDENTIAL_SESSION)
        return fg_turn(fg_session_renew(ex, &w->access.session, &w->err));
    if (w->credential.key.n == 0 && may_be_kept(&w->credential) && find_seen(ex, w))
        return FG_TURN_NEXT;
    if (!w->on_pool)
        return FG_TURN_JOB;
    return fg_access_validate(ex, w);
}
