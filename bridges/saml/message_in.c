/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/saml/message.h"

#include "core/crypto.h"
#include "core/deflate.h"
#include "core/time.h"

#define MESSAGE_MAX (256u << 10)
#define AGE_MAX FG_HOUR /* a person may take that long at the sign-in page before a request is read */
#define SIGNATURE_MAX 1024u
#define DEFLATE_ENCODING "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE"
#define MORE "http://www.w3.org/2001/04/xmldsig-more#"

/* ---- parameters as they were sent */

/* "name=value" of a raw query, value still encoded. */
typedef struct raw_param {
    fg_str_t whole; /* with name and '=' */
    fg_str_t value;
    unsigned times;
} raw_param_t;

enum { PARAM_REQUEST, PARAM_RESPONSE, PARAM_RELAY_STATE, PARAM_ALGORITHM, PARAM_SIGNATURE, PARAM_ENCODING, PARAMS };
static const char *const param_names[PARAMS] = {
    [PARAM_REQUEST] = "SAMLRequest", [PARAM_RESPONSE] = "SAMLResponse", [PARAM_RELAY_STATE] = "RelayState",
    [PARAM_ALGORITHM] = "SigAlg",    [PARAM_SIGNATURE] = "Signature",   [PARAM_ENCODING] = "SAMLEncoding",
};

static void note_param(fg_str_t whole, raw_param_t params[PARAMS]) {
    const char *equals = memchr(whole.p, '=', whole.n);
    fg_str_t name = {whole.p, equals ? (size_t)(equals - whole.p) : whole.n};
    for (unsigned i = 0; i < PARAMS; i++) {
        if (!fg_str_is(name, param_names[i]))
            continue;
        params[i].times++;
        params[i].whole = whole;
        params[i].value = equals ? (fg_str_t){equals + 1, whole.n - name.n - 1} : FG_STR_NONE;
    }
}

/* Names that are written with escapes do not count: nobody writes them so, and each would be one more twin. */
static void split_raw(fg_str_t text, raw_param_t params[PARAMS]) {
    while (text.n > 0) {
        const char *end = memchr(text.p, '&', text.n);
        fg_str_t whole = {text.p, end ? (size_t)(end - text.p) : text.n};
        note_param(whole, params);
        size_t step = whole.n + (end != NULL);
        text = (fg_str_t){text.p + step, text.n - step};
    }
}

static bool check_params(const raw_param_t params[PARAMS], fg_err_t *err) {
    for (unsigned i = 0; i < PARAMS; i++)
        if (params[i].times > 1)
            return FG_FAIL_FOR(err, FG_E_SAML_MESSAGE, FG_R_STRUCTURE_AMBIGUOUS, "%s given %u times", param_names[i],
                               params[i].times);
    if (params[PARAM_REQUEST].times + params[PARAM_RESPONSE].times != 1)
        return FG_FAIL(err, FG_E_SAML_MESSAGE, "not exactly one of SAMLRequest and SAMLResponse");
    bool signature = params[PARAM_SIGNATURE].times > 0, algorithm = params[PARAM_ALGORITHM].times > 0;
    return signature == algorithm || FG_FAIL(err, FG_E_SAML_MESSAGE, "Signature without SigAlg, or the other way");
}

/* A value, decoded; fg_params_parse has seen to it that it can be. */
static fg_str_t get(const fg_params_t *params, unsigned which) {
    return fg_params_get(params, param_names[which], NULL);
}

/* ---- what was signed */

/* bindings §3.4.4.1: SAMLRequest=value&RelayState=value&SigAlg=value in this order, each as it was sent. */
static fg_str_t join_redirect(fg_arena_t *arena, const raw_param_t params[PARAMS], unsigned message) {
    const unsigned order[] = {message, PARAM_RELAY_STATE, PARAM_ALGORITHM};
    fg_buf_t joined = FG_BUF_INIT(MESSAGE_MAX);
    for (size_t i = 0; i < FG_ARRAY_SIZE(order); i++) {
        if (params[order[i]].times == 0)
            continue;
        if (joined.length > 0)
            fg_buf_putc(&joined, '&');
        fg_buf_put_str(&joined, params[order[i]].whole);
    }
    fg_str_t copy = fg_buf_ok(&joined) ? fg_arena_str(arena, fg_buf_str(&joined)) : FG_STR_NONE;
    fg_buf_free(&joined);
    return copy;
}

/* POST-SimpleSign §2.5: the same, but of the values themselves: the message's XML, nothing encoded. */
static fg_str_t join_simple_sign(fg_arena_t *arena, const fg_params_t *params, unsigned message, fg_str_t xml) {
    fg_buf_t joined = FG_BUF_INIT(2 * MESSAGE_MAX);
    fg_str_t relay_state = get(params, PARAM_RELAY_STATE);
    fg_buf_printf(&joined, "%s=", param_names[message]);
    fg_buf_put_str(&joined, xml);
    if (relay_state.p != NULL) {
        fg_buf_puts(&joined, "&RelayState=");
        fg_buf_put_str(&joined, relay_state);
    }
    fg_buf_puts(&joined, "&SigAlg=");
    fg_buf_put_str(&joined, get(params, PARAM_ALGORITHM));
    fg_str_t copy = fg_buf_ok(&joined) ? fg_arena_str(arena, fg_buf_str(&joined)) : FG_STR_NONE;
    fg_buf_free(&joined);
    return copy;
}

static bool read_signature(fg_exchange_t *ex, fg_saml_inbound_t *in, const fg_params_t *params, fg_err_t *err) {
    fg_buf_t bytes = FG_BUF_INIT(SIGNATURE_MAX);
    in->algorithm = get(params, PARAM_ALGORITHM);
    bool good = fg_base64_decode_xml(&bytes, get(params, PARAM_SIGNATURE)) && fg_buf_ok(&bytes) && bytes.length > 0;
    in->signature = good ? fg_arena_str(ex->arena, fg_buf_str(&bytes)) : FG_STR_NONE;
    fg_buf_free(&bytes);
    return (in->signature.p != NULL && in->signed_bytes.p != NULL) ||
           FG_FAIL(err, FG_E_SIG_STRUCTURE, "Signature is no base64, or too long");
}

/* ---- the message */

static bool decode(fg_exchange_t *ex, fg_str_t text, bool deflated, fg_str_t *xml, fg_err_t *err) {
    fg_buf_t bytes = FG_BUF_INIT(MESSAGE_MAX), plain = FG_BUF_INIT(MESSAGE_MAX);
    bool good = fg_base64_decode_xml(&bytes, text) && fg_buf_ok(&bytes);
    if (!good)
        FG_FAIL(err, FG_E_SAML_MESSAGE, "the message is no base64, or over %u bytes", MESSAGE_MAX);
    else if (deflated)
        good = fg_inflate(fg_buf_str(&bytes), &plain, err);
    *xml = good ? fg_arena_str(ex->arena, fg_buf_str(deflated ? &plain : &bytes)) : FG_STR_NONE;
    fg_buf_free(&bytes);
    fg_buf_free(&plain);
    return good && (xml->p != NULL || FG_FAIL(err, FG_E_MEMORY, "a SAML message"));
}

static bool parse(fg_exchange_t *ex, fg_saml_inbound_t *in, fg_str_t xml, fg_err_t *err) {
    xmlDoc *doc = fg_xml_parse(ex->arena, xml, &ex->hub->xml, err);
    if (doc == NULL)
        return false;
    in->root = xmlDocGetRootElement(doc);
    const xmlNode *issuer = fg_xml_child(in->root, FG_NS_SAML2, "Issuer", NULL);
    in->issuer = issuer ? fg_xml_token(ex->arena, issuer, NULL) : FG_STR_NONE;
    return true;
}

static bool receive_query(fg_exchange_t *ex, fg_saml_inbound_t *in, fg_err_t *err) {
    raw_param_t raw[PARAMS] = {{FG_STR_NONE, FG_STR_NONE, 0}};
    fg_params_t params;
    fg_str_t xml;
    in->binding = FG_SAML_REDIRECT;
    split_raw(ex->request.query, raw);
    if (!check_params(raw, err) || !fg_params_parse(ex->arena, ex->request.query, &params, err))
        return false;
    fg_str_t encoding = get(&params, PARAM_ENCODING);
    if (encoding.p != NULL && !fg_str_is(encoding, DEFLATE_ENCODING))
        return FG_FAIL(err, FG_E_SAML_MESSAGE, "SAMLEncoding %.*s", FG_STR_ARG(encoding));
    unsigned message = raw[PARAM_RESPONSE].times ? PARAM_RESPONSE : PARAM_REQUEST;
    in->is_response = message == PARAM_RESPONSE;
    in->relay_state = get(&params, PARAM_RELAY_STATE);
    if (!decode(ex, get(&params, message), true, &xml, err) || !parse(ex, in, xml, err))
        return false;
    if (raw[PARAM_SIGNATURE].times == 0)
        return true;
    in->signed_bytes = join_redirect(ex->arena, raw, message);
    return read_signature(ex, in, &params, err);
}

bool fg_saml_receive_form(fg_exchange_t *ex, fg_str_t form, fg_saml_inbound_t *in, fg_err_t *err) {
    raw_param_t raw[PARAMS] = {{FG_STR_NONE, FG_STR_NONE, 0}};
    fg_params_t params;
    fg_str_t xml;
    *in = (fg_saml_inbound_t){.binding = FG_SAML_POST};
    split_raw(form, raw);
    if (!check_params(raw, err) || !fg_params_parse(ex->arena, form, &params, err))
        return false;
    unsigned message = raw[PARAM_RESPONSE].times ? PARAM_RESPONSE : PARAM_REQUEST;
    in->is_response = message == PARAM_RESPONSE;
    in->relay_state = get(&params, PARAM_RELAY_STATE);
    if (!decode(ex, get(&params, message), false, &xml, err) || !parse(ex, in, xml, err))
        return false;
    if (raw[PARAM_SIGNATURE].times == 0)
        return true;
    in->binding = FG_SAML_SIMPLE_SIGN;
    in->signed_bytes = join_simple_sign(ex->arena, &params, message, xml);
    return read_signature(ex, in, &params, err);
}

bool fg_saml_receive(fg_exchange_t *ex, fg_saml_inbound_t *in, fg_err_t *err) {
    *in = (fg_saml_inbound_t){FG_SAML_REDIRECT};
    if (ex->request.method != FG_METHOD_POST)
        return receive_query(ex, in, err);
    fg_str_t type = fg_request_media_type(ex->arena, &ex->request);
    if (!fg_str_is(type, "application/x-www-form-urlencoded"))
        return FG_FAIL(err, FG_E_HTTP_MEDIA_TYPE, "Content-Type %.*s", FG_STR_ARG(type));
    return fg_saml_receive_form(ex, ex->request.body, in, err);
}

/* ---- signatures */

static const struct {
    const char *uri;
    fg_jws_alg_t alg; /* the same signature under its other name */
} algorithms[] = {
    {MORE "rsa-sha256", FG_JWS_RS256},   {MORE "rsa-sha384", FG_JWS_RS384},   {MORE "rsa-sha512", FG_JWS_RS512},
    {MORE "ecdsa-sha256", FG_JWS_ES256}, {MORE "ecdsa-sha384", FG_JWS_ES384}, {MORE "ecdsa-sha512", FG_JWS_ES512},
};

/* XS-25 */
static bool verify_sha1(fg_saml_inbound_t *in, const fg_entity_keys_t *keys, fg_err_t *err) {
    for (size_t i = 0; i < keys->count && in->key == NULL; i++)
        if (fg_key_verify_rsa_sha1(keys->items[i], in->signed_bytes, in->signature))
            in->key = keys->items[i];
    return in->key != NULL ||
           FG_FAIL(err, FG_E_SIG_INVALID, "signature of the message made by none of %zu trusted keys", keys->count);
}

/* The algorithm is what the sender names, from our list, and must fit the key. */
static bool verify_beside(fg_saml_inbound_t *in, const fg_entity_keys_t *keys, fg_err_t *err) {
    size_t row = 0;
    if (keys->allow_sha1 && fg_str_is(in->algorithm, FG_NS_DS "rsa-sha1"))
        return verify_sha1(in, keys, err);
    while (row < FG_ARRAY_SIZE(algorithms) && !fg_str_is(in->algorithm, algorithms[row].uri))
        row++;
    if (row == FG_ARRAY_SIZE(algorithms))
        return FG_FAIL(err, FG_E_SIG_ALGORITHM, "SigAlg %.*s", FG_STR_ARG(in->algorithm));
    for (size_t i = 0; i < keys->count && in->key == NULL; i++)
        if (fg_key_fits(keys->items[i], algorithms[row].alg) &&
            fg_key_verify(keys->items[i], algorithms[row].alg, in->signed_bytes, in->signature, NULL))
            in->key = keys->items[i];
    return in->key != NULL ||
           FG_FAIL(err, FG_E_SIG_INVALID, "signature of the message made by none of %zu trusted keys", keys->count);
}

static bool verify_inside(fg_saml_inbound_t *in, const fg_entity_keys_t *keys, fg_err_t *err) {
    const fg_key_t *list[FG_ENTITY_KEYS];
    for (size_t i = 0; i < keys->count; i++)
        list[i] = keys->items[i];
    const fg_dsig_trust_t trust = {list, keys->count, keys->allow_sha1};
    fg_dsig_verified_t verified;
    if (!fg_dsig_verify_enveloped(in->root, "ID", &trust, &verified, err))
        return false;
    in->root = verified.element;
    in->key = verified.key;
    return true;
}

bool fg_saml_verify(fg_saml_inbound_t *in, const fg_entity_keys_t *keys, bool *is_signed, fg_err_t *err) {
    bool inside = fg_xml_child(in->root, FG_NS_DS, "Signature", NULL) != NULL, beside = in->signature.n > 0;
    *is_signed = in->is_verified || inside || beside;
    return (!beside || verify_beside(in, keys, err)) && (!inside || verify_inside(in, keys, err));
}

/* ---- encryption */

_Static_assert((size_t)FG_KEY_STATES <= FG_DECRYPTION_KEYS, "room for every key");

fg_decryption_t fg_saml_decryption(const fg_exchange_t *ex) {
    fg_decryption_t with = {.limits = &ex->hub->xml};
    for (size_t i = 0; i < FG_KEY_STATES; i++)
        if (ex->keys->encryption[i] != NULL)
            with.keys[with.key_count++] = ex->keys->encryption[i];
    return with;
}

bool fg_saml_open_encrypted(fg_exchange_t *ex, const xmlNode *element, xmlNode **content, fg_err_t *err) {
    const fg_decryption_t with = fg_saml_decryption(ex);
    return fg_saml_decrypt(ex->arena, element, with.keys, with.key_count, with.limits, content, err);
}

/* ---- what all messages have */

bool fg_saml_read_head(fg_exchange_t *ex, const xmlNode *root, fg_str_t url, bool destination_needed,
                       fg_saml_head_t *head, fg_err_t *err) {
    fg_str_t instant = fg_xml_attr(ex->arena, root, NULL, "IssueInstant");
    *head = (fg_saml_head_t){.id = fg_xml_attr(ex->arena, root, NULL, "ID")};
    head->destination = fg_str_trim(fg_xml_attr(ex->arena, root, NULL, "Destination"));
    head->in_response_to = fg_xml_attr(ex->arena, root, NULL, "InResponseTo");
    if (!fg_str_is(fg_xml_attr(ex->arena, root, NULL, "Version"), "2.0"))
        return FG_FAIL(err, FG_E_SAML_VERSION, "not SAML version 2.0");
    if (head->id.n == 0 || head->id.n > 256)
        return FG_FAIL(err, FG_E_SAML_MESSAGE, "ID of %zu bytes", head->id.n);
    if (instant.p == NULL || !fg_time_parse(fg_str_trim(instant), &head->issue_instant_ms))
        return FG_FAIL(err, FG_E_SAML_MESSAGE, "IssueInstant \"%.*s\"", FG_STR_ARG(instant));
    if (head->issue_instant_ms > ex->now_ms + ex->hub->skew_ms ||
        head->issue_instant_ms < ex->now_ms - AGE_MAX - ex->hub->skew_ms)
        return FG_FAIL_FOR(err, FG_E_SAML_MESSAGE,
                           head->issue_instant_ms > ex->now_ms ? FG_R_TIME_NOT_YET_VALID : FG_R_TIME_EXPIRED,
                           "IssueInstant %.*s is too long ago or to come", FG_STR_ARG(instant));
    if (head->destination.n == 0 ? destination_needed : !fg_str_eq(head->destination, url))
        return FG_FAIL(err, FG_E_SAML_DESTINATION, "Destination is \"%.*s\", this is %.*s",
                       FG_STR_ARG(head->destination), FG_STR_ARG(url));
    return true;
}
