/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Tokens of a Security header: what their keys are. */
#include "core/crypto.h"
#include "token/proof.h"
#include "token/wss_parts.h"

#define NONCE_MAX 128u
#define NUMBER_MAX 65536u

fg_wss_token_t *fg_wss_token_add(fg_wss_header_t *header, fg_wss_token_kind_t kind, xmlNode *element, fg_err_t *err) {
    if (header->token_count == FG_WSS_TOKENS_MAX) {
        FG_FAIL(err, FG_E_WSS_STRUCTURE, "more than %u tokens in the Security header", FG_WSS_TOKENS_MAX);
        return NULL;
    }
    fg_wss_token_t *token = fg_arena_alloc(header->arena, sizeof *token);
    if (token == NULL) {
        FG_FAIL(err, FG_E_MEMORY, "token");
        return NULL;
    }
    token->kind = kind;
    token->element = element;
    header->tokens[header->token_count++] = token;
    return token;
}

/* ---- wsse:BinarySecurityToken (WS-Security 1.1 §6.3) */

/* Kerberos Token Profile 1.1 §3.2: the forms that GSS-API wraps (RFC 4121 §4.1), as WCF and WSS4J send them. */
bool fg_wss_is_ticket(const fg_wss_header_t *header, const xmlNode *element) {
    static const char *const types[] = {
        FG_WSS_KERBEROS_PROFILE "GSS_Kerberosv5_AP_REQ",
        FG_WSS_KERBEROS_PROFILE "GSS_Kerberosv5_AP_REQ1510",
        FG_WSS_KERBEROS_PROFILE "GSS_Kerberosv5_AP_REQ4120",
    };
    fg_str_t type = fg_xml_attr(header->arena, element, NULL, "ValueType");
    for (size_t i = 0; i < FG_ARRAY_SIZE(types); i++)
        if (fg_str_is(type, types[i]))
            return fg_xml_is(element, FG_NS_WSSE, "BinarySecurityToken");
    return false;
}

static bool read_ticket(fg_wss_header_t *header, fg_wss_token_t *token, fg_err_t *err) {
    const fg_wss_rules_t *rules = header->rules;
    token->kind = FG_WSS_TICKET;
    if (rules->open_ticket == NULL)
        return FG_FAIL(err, FG_E_WSS_UNSUPPORTED, "a ticket of Kerberos in the Security header");
    if (header->ticket != NULL)
        return FG_FAIL_FOR(err, FG_E_WSS_STRUCTURE, FG_R_STRUCTURE_AMBIGUOUS,
                           "more than one ticket in the Security header");
    header->ticket = token;
    fg_str_t bytes = fg_wss_decode(header, token->element, FG_WSS_BINARY_TOKEN_MAX, err);
    return bytes.p != NULL && rules->open_ticket(rules->ticket_context, bytes, &token->secret, err);
}

static bool read_binary(fg_wss_header_t *header, fg_wss_token_t *token, fg_err_t *err) {
    if (fg_wss_is_ticket(header, token->element))
        return read_ticket(header, token, err);
    fg_str_t type = fg_xml_attr(header->arena, token->element, NULL, "ValueType");
    bool path = fg_str_is(type, FG_WSS_X509_PROFILE "X509PKIPathv1");
    if (!path && !fg_str_is(type, FG_WSS_X509_PROFILE "X509v3"))
        return FG_FAIL(err, FG_E_WSS_UNSUPPORTED, "BinarySecurityToken of ValueType %.*s", FG_STR_ARG(type));
    fg_str_t bytes = fg_wss_decode(header, token->element, FG_WSS_BINARY_TOKEN_MAX, err);
    return bytes.p != NULL && fg_wss_certificate_read(header, token, bytes, path, err);
}

/* ---- assertions */

#define ANY_CONFIRMATION (1u << FG_CONFIRM_BEARER | 1u << FG_CONFIRM_HOLDER_OF_KEY | 1u << FG_CONFIRM_SENDER_VOUCHES)

static bool read_proof(fg_wss_header_t *header, fg_wss_token_t *token, const xmlNode *key_info, fg_err_t *err) {
    fg_proof_t proof;
    if (!fg_proof_read(header->arena, key_info, &header->rules->recipients, &proof, err))
        return false;
    token->key = proof.key;
    token->secret = proof.secret;
    return true;
}

static bool read_assertion(fg_wss_header_t *header, fg_wss_token_t *token, fg_err_t *err) {
    const fg_wss_rules_t *rules = header->rules;
    fg_assertion_trust_t trust = {0};
    fg_str_t issuer = fg_assertion_peek_issuer(header->arena, token->element);
    if (rules->find_issuer == NULL)
        return FG_FAIL(err, FG_E_WSS_UNSUPPORTED, "an assertion in the Security header");
    if (!rules->find_issuer(rules->context, issuer, &trust, err))
        return false;
    trust.confirmations = ANY_CONFIRMATION; /* whether it was met is seen when everything is read */
    if (!fg_assertion_read(rules->env, header->arena, token->element, &trust, &token->assertion, err))
        return false;
    return token->assertion.confirmation != FG_CONFIRM_HOLDER_OF_KEY ||
           read_proof(header, token, token->assertion.proof_key_info, err);
}

/* ---- ds:KeyValue */

static bool read_key_value(fg_wss_header_t *header, fg_wss_token_t *token, fg_err_t *err) {
    return read_proof(header, token, token->element->parent, err);
}

/* ---- xenc:EncryptedKey (WS-Security 1.1 §9.2) */

static bool read_encrypted_key(fg_wss_header_t *header, fg_wss_token_t *token, fg_err_t *err) {
    return fg_xmlenc_unwrap(header->arena, token->element, &header->rules->recipients, 0, &token->secret, err);
}

/* ---- wsc:DerivedKeyToken (WS-SecureConversation 1.3 §7) */

/* A child that holds a number; *value stays where it is not there. */
static bool read_number(fg_wss_header_t *header, const xmlNode *element, const char *ns, const char *name,
                        size_t *value, bool *given, fg_err_t *err) {
    unsigned count;
    const xmlNode *node = fg_xml_child(element, ns, name, &count);
    *given = count > 0;
    if (count == 0)
        return true;
    fg_str_t text = fg_xml_token(header->arena, node, NULL);
    size_t number = 0;
    for (size_t i = 0; i < text.n && number <= NUMBER_MAX; i++)
        number = text.p[i] >= '0' && text.p[i] <= '9' ? number * 10 + (size_t)(text.p[i] - '0') : NUMBER_MAX + 1;
    if (count > 1 || text.n == 0 || number > NUMBER_MAX)
        return FG_FAIL(err, FG_E_WSS_STRUCTURE, "%s of a DerivedKeyToken", name);
    *value = number;
    return true;
}

static bool read_derivation(fg_wss_header_t *header, const xmlNode *element, fg_derivation_t *out, fg_err_t *err) {
    const char *ns = (const char *)element->ns->href;
    size_t generation = 0;
    bool by_offset = false, by_generation = false, given = false;
    *out = (fg_derivation_t){.length = 32};
    if (!read_number(header, element, ns, "Length", &out->length, &given, err) ||
        !read_number(header, element, ns, "Offset", &out->offset, &by_offset, err) ||
        !read_number(header, element, ns, "Generation", &generation, &by_generation, err))
        return false;
    if (by_offset && by_generation)
        return FG_FAIL(err, FG_E_WSS_STRUCTURE, "a DerivedKeyToken with Offset and Generation");
    if (by_generation)
        out->offset = generation * out->length;
    const xmlNode *nonce = fg_xml_only_child(element, ns, "Nonce", err);
    out->nonce = nonce != NULL ? fg_wss_decode(header, nonce, NONCE_MAX, err) : FG_STR_NONE;
    const xmlNode *label = fg_xml_child(element, ns, "Label", NULL);
    if (label != NULL)
        out->label = fg_xml_text(header->arena, label, NULL);
    return out->nonce.p != NULL;
}

/* §7: P_SHA1 is the only algorithm there is. */
static bool check_algorithm(fg_wss_header_t *header, const xmlNode *element, fg_err_t *err) {
    fg_str_t algorithm = fg_xml_attr(header->arena, element, NULL, "Algorithm");
    const char *ns = (const char *)element->ns->href;
    bool known = algorithm.p == NULL ||
                 (fg_str_starts(algorithm, ns) &&
                  fg_str_is((fg_str_t){algorithm.p + strlen(ns), algorithm.n - strlen(ns)}, "/dk/p_sha1"));
    if (!known || fg_xml_child(element, ns, "Properties", NULL) != NULL)
        return FG_FAIL(err, FG_E_WSS_UNSUPPORTED, "a DerivedKeyToken of Algorithm %.*s, or with Properties",
                       FG_STR_ARG(algorithm));
    return true;
}

/* From a secret of the message, once: what is derived is not derived from. */
static bool read_derived_key(fg_wss_header_t *header, fg_wss_token_t *token, fg_err_t *err) {
    fg_derivation_t derivation;
    xmlNode *reference = fg_xml_only_child(token->element, FG_NS_WSSE, "SecurityTokenReference", err);
    if (reference == NULL || !check_algorithm(header, token->element, err) ||
        !read_derivation(header, token->element, &derivation, err))
        return false;
    xmlNode *element = fg_xml_first_child(reference);
    token->base = element != NULL ? fg_wss_header_resolve(header, reference, err) : NULL;
    if (token->base == NULL)
        return element != NULL ? false : FG_FAIL(err, FG_E_WSS_STRUCTURE, "an empty SecurityTokenReference");
    unsigned char *key = fg_arena_alloc(header->arena, FG_DERIVED_KEY_MAX);
    if (key == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "derived key");
    if (token->base->kind == FG_WSS_DERIVED_KEY || token->base->secret.n == 0 ||
        derivation.length < FG_ENC_SECRET_MIN || !fg_derive_key(token->base->secret, &derivation, key))
        return FG_FAIL(err, FG_E_SIG_KEY, "a key cannot be derived from that token, or not that way");
    token->secret = (fg_str_t){(const char *)key, derivation.length};
    return true;
}

/* ---- the table */

static const struct {
    const char *ns, *name;
    fg_wss_token_kind_t kind;
    bool (*read)(fg_wss_header_t *, fg_wss_token_t *, fg_err_t *);
} kinds[] = {
    {FG_NS_WSSE, "BinarySecurityToken", FG_WSS_CERTIFICATE, read_binary},
    {FG_NS_SAML1, "Assertion", FG_WSS_ASSERTION, read_assertion},
    {FG_NS_SAML2, "Assertion", FG_WSS_ASSERTION, read_assertion},
    {FG_NS_DS, "KeyValue", FG_WSS_KEY_VALUE, read_key_value},
    {FG_NS_XENC, "EncryptedKey", FG_WSS_ENCRYPTED_KEY, read_encrypted_key},
    {FG_NS_WSC_2005, "DerivedKeyToken", FG_WSS_DERIVED_KEY, read_derived_key},
    {FG_NS_WSC_13, "DerivedKeyToken", FG_WSS_DERIVED_KEY, read_derived_key},
};

/* A token that is being read has nothing to give: a reference to it from inside leads nowhere. */
static fg_wss_token_t *find(const fg_wss_header_t *header, const xmlNode *element) {
    for (size_t i = 0; i < header->token_count; i++)
        if (header->tokens[i]->element == element)
            return header->tokens[i];
    return NULL;
}

fg_wss_token_t *fg_wss_token_of(fg_wss_header_t *header, xmlNode *element, fg_err_t *err) {
    fg_wss_token_t *token = find(header, element);
    if (token != NULL)
        return token;
    for (size_t i = 0; i < FG_ARRAY_SIZE(kinds); i++) {
        if (!fg_xml_is(element, kinds[i].ns, kinds[i].name))
            continue;
        token = fg_wss_token_add(header, kinds[i].kind, element, err);
        return token != NULL && kinds[i].read(header, token, err) ? token : NULL;
    }
    FG_FAIL(err, FG_E_WSS_UNSUPPORTED, "%s is no token with a key", (const char *)element->name);
    return NULL;
}
