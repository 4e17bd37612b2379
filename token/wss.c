/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "token/wss.h"

#include "core/crypto.h"
#include "core/time.h"
#include "token/replay.h"
#include "token/timestamp.h"
#include "token/wss_parts.h"

/* ---- children of the header */

static bool read_timestamp(fg_wss_header_t *header, xmlNode **node, fg_err_t *err) {
    if (header->timestamp != NULL)
        return FG_FAIL_FOR(err, FG_E_WSS_TIMESTAMP, FG_R_STRUCTURE_AMBIGUOUS, "Timestamp given twice");
    header->timestamp = *node;
    return fg_timestamp_check(header->rules->env, header->arena, *node, header->rules->skew_ms, err);
}

static bool read_username(fg_wss_header_t *header, xmlNode **node, fg_err_t *err) {
    if (header->username != NULL)
        return FG_FAIL_FOR(err, FG_E_WSS_STRUCTURE, FG_R_STRUCTURE_AMBIGUOUS, "UsernameToken given twice");
    header->username = *node;
    return true;
}

static bool read_token(fg_wss_header_t *header, xmlNode **node, fg_err_t *err) {
    return fg_wss_token_of(header, *node, err) != NULL;
}

static bool read_assertion(fg_wss_header_t *header, xmlNode **node, fg_err_t *err) {
    if (header->assertion != NULL)
        return FG_FAIL_FOR(err, FG_E_WSS_STRUCTURE, FG_R_STRUCTURE_AMBIGUOUS,
                           "more than one assertion in the Security header");
    header->assertion = fg_wss_token_of(header, *node, err);
    return header->assertion != NULL;
}

/* SAML 2.0 core §2.3.4: once decrypted, what is inside counts as a child of the header. */
static bool read_encrypted_assertion(fg_wss_header_t *header, xmlNode **node, fg_err_t *err) {
    xmlNode *inside = fg_xml_first_child(*node);
    if (fg_xml_is(inside, FG_NS_XENC, "EncryptedData") && !fg_wss_read_encrypted_data(header, &inside, err))
        return false;
    inside = fg_xml_first_child(*node);
    if (!fg_xml_is(inside, FG_NS_SAML2, "Assertion"))
        return FG_FAIL(err, FG_E_DECRYPT, "no assertion in an EncryptedAssertion");
    return read_assertion(header, &inside, err);
}

/* A signature may cover a token by a reference to it, which stands here for that. */
static bool pass_over(fg_wss_header_t *header, xmlNode **node, fg_err_t *err) {
    (void)header, (void)node, (void)err;
    return true;
}

static const fg_wss_token_t *origin_of(const fg_wss_token_t *token) {
    while (token->base != NULL)
        token = token->base;
    return token;
}

static bool verify(const fg_dsig_message_t *message, const fg_wss_token_t *token, fg_err_t *err) {
    if (message->hmac)
        return token->secret.n > 0 ? fg_dsig_message_verify_secret(message, token->secret, err)
                                   : FG_FAIL(err, FG_E_SIG_KEY, "an HMAC by a token without a secret (XS-24)");
    return token->key != NULL ? fg_dsig_message_verify(message, token->key, err)
                              : FG_FAIL(err, FG_E_SIG_KEY, "a signature by a token without a public key");
}

static bool is_soap(const xmlNode *node) {
    return node->ns != NULL && (strcmp((const char *)node->ns->href, FG_NS_SOAP12) == 0 ||
                                strcmp((const char *)node->ns->href, FG_NS_SOAP11) == 0);
}

/* XS-09: what is signed stands where it would be read: the Body, a header, or a child of this one.  Elsewhere it could
 * only be there to make a signature good that was taken from another message. */
static bool is_in_place(const fg_wss_header_t *header, const xmlNode *element) {
    const xmlNode *security = header->element, *headers = security->parent, *parent = element->parent;
    if (parent == security || (parent == headers && !is_soap(element)))
        return true;
    if (is_soap(element))
        return parent == headers->parent && strcmp((const char *)element->name, "Body") == 0;
    return (parent->parent == security && fg_xml_is(parent, FG_NS_SAML2, "EncryptedAssertion")) ||
           (parent->parent == headers && fg_xml_is(parent, FG_NS_WSSE11, "EncryptedHeader"));
}

static bool check_places(const fg_wss_header_t *header, const fg_dsig_message_t *message, fg_err_t *err) {
    for (size_t i = 0; i < message->reference_count; i++)
        if (!message->references[i].dereferenced && !is_in_place(header, message->references[i].element))
            return FG_FAIL_FOR(err, FG_E_SIG_STRUCTURE, FG_R_SIGNATURE_NOT_COVERING,
                               "a signature over %s, which nobody reads where it stands",
                               (const char *)message->references[i].element->name);
    return true;
}

static bool read_signature(fg_wss_header_t *header, xmlNode **node, fg_err_t *err) {
    const fg_dsig_scope_t scope = {header->rules->allow_sha1, fg_wss_reference_locate, header};
    if (header->signature_count == FG_WSS_SIGNATURES_MAX)
        return FG_FAIL(err, FG_E_WSS_STRUCTURE, "more than %u signatures", FG_WSS_SIGNATURES_MAX);
    fg_wss_signature_t *signature = &header->signatures[header->signature_count];
    if (!fg_dsig_message_read(header->arena, *node, &scope, &signature->message, err))
        return false;
    if (!check_places(header, &signature->message, err))
        return false;
    if (signature->message.reference_to_key == NULL)
        return FG_FAIL(err, FG_E_SIG_KEY, "a signature without KeyInfo");
    const fg_wss_token_t *token = fg_wss_header_resolve(header, signature->message.reference_to_key, err);
    if (token == NULL || !verify(&signature->message, token, err))
        return false;
    signature->token = origin_of(token);
    header->signature_count++;
    return true;
}

static const struct {
    const char *ns, *name;
    bool (*read)(fg_wss_header_t *, xmlNode **, fg_err_t *);
} children[] = {
    {FG_NS_WSU, "Timestamp", read_timestamp},
    {FG_NS_WSSE, "UsernameToken", read_username},
    {FG_NS_WSSE, "BinarySecurityToken", read_token},
    {FG_NS_WSSE, "SecurityTokenReference", pass_over},
    {FG_NS_SAML1, "Assertion", read_assertion},
    {FG_NS_SAML2, "Assertion", read_assertion},
    {FG_NS_SAML2, "EncryptedAssertion", read_encrypted_assertion},
    {FG_NS_XENC, "EncryptedKey", fg_wss_read_encrypted_key},
    {FG_NS_XENC, "ReferenceList", fg_wss_read_reference_list},
    {FG_NS_WSC_2005, "DerivedKeyToken", read_token},
    {FG_NS_WSC_13, "DerivedKeyToken", read_token},
    {FG_NS_DS, "Signature", read_signature},
};

static bool read_child(fg_wss_header_t *header, xmlNode **node, fg_err_t *err) {
    header->at = *node;
    if (fg_xml_is(*node, FG_NS_XENC, "EncryptedData")) {
        if (!fg_wss_read_encrypted_data(header, node, err))
            return false;
        if (*node == NULL || fg_xml_is(*node, FG_NS_XENC, "EncryptedData"))
            return FG_FAIL(err, FG_E_DECRYPT, "nothing, or something encrypted, inside an EncryptedData");
        header->at = *node;
    }
    for (size_t i = 0; i < FG_ARRAY_SIZE(children); i++)
        if (fg_xml_is(*node, children[i].ns, children[i].name))
            return children[i].read(header, node, err);
    return FG_FAIL(err, FG_E_WSS_UNSUPPORTED, "%s in the Security header", (const char *)(*node)->name);
}

bool fg_wss_header_read(fg_arena_t *arena, xmlNode *security, const fg_wss_rules_t *rules, fg_wss_header_t *header,
                        fg_err_t *err) {
    memset(header, 0, sizeof *header);
    header->element = security;
    header->rules = rules;
    header->arena = arena;
    if (security == NULL)
        return true;
    for (xmlNode *node = fg_xml_first_child(security); node != NULL; node = fg_xml_next(node))
        if (!read_child(header, &node, err))
            return false;
    return true;
}

/* ---- what it proves */

bool fg_wss_signature_covers(const fg_wss_signature_t *signature, const xmlNode *node) {
    for (; node != NULL; node = node->parent)
        for (size_t i = 0; i < signature->message.reference_count; i++)
            if (signature->message.references[i].element == node)
                return true;
    return false;
}

bool fg_wss_header_covers(const fg_wss_header_t *header, const xmlNode *node) {
    for (size_t i = 0; i < header->signature_count; i++)
        if (fg_wss_signature_covers(&header->signatures[i], node))
            return true;
    return false;
}

const fg_wss_signature_t *fg_wss_header_signature_of(const fg_wss_header_t *header, const fg_wss_token_t *token) {
    for (size_t i = 0; i < header->signature_count; i++)
        if (header->signatures[i].token == token)
            return &header->signatures[i];
    return NULL;
}

bool fg_wss_header_was_encrypted(const fg_wss_header_t *header, const xmlNode *node) {
    for (; node != NULL; node = node->parent)
        for (size_t i = 0; i < header->decrypted_count; i++)
            if (header->decrypted_nodes[i] == node)
                return true;
    return false;
}

/* Not the signature's value, of which ECDSA has two for everyone to choose from, but what was signed, and by which key:
 * two senders may have signed the same To and the same second. */
static void name_signature(const fg_wss_signature_t *signature, char hex[2 * FG_SHA256_SIZE + 1]) {
    fg_str_t what = signature->message.signed_info, secret = signature->token->secret;
    fg_str_t key = signature->message.hmac ? secret : fg_str(fg_key_get_id(signature->token->key));
    unsigned char both[2 * FG_SHA256_SIZE], digest[FG_SHA256_SIZE];
    fg_sha256(what.p, what.n, both);
    fg_sha256(key.p, key.n, both + FG_SHA256_SIZE);
    fg_sha256(both, sizeof both, digest);
    fg_hex_encode(digest, sizeof digest, hex);
}

bool fg_wss_header_remember(const fg_wss_header_t *header, fg_err_t *err) {
    const fg_wss_rules_t *rules = header->rules;
    int64_t until = fg_now(rules->env) + FG_TIMESTAMP_LIFE + 2 * rules->skew_ms;
    for (size_t i = 0; i < header->signature_count; i++) {
        char hex[2 * FG_SHA256_SIZE + 1];
        name_signature(&header->signatures[i], hex);
        if (!fg_replay_check(rules->env, "message", FG_STR(""), fg_str(hex), until, FG_E_WSS_REPLAY, err))
            return false;
    }
    return true;
}
