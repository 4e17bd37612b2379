/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Signed messages to protected locations (WS-Security 1.1): by a certificate, by the key of an assertion's holder, or
 * by somebody who vouches for an assertion's subject.  The message goes on as it came: what is encrypted in it, but for
 * an assertion, is none of ours. */
#include "hub/access_parts.h"
#include "hub/message.h"

/* The Body that goes on to the server behind. */
static const xmlNode *find_body(const xmlNode *security) {
    const xmlNode *envelope = security->parent->parent;
    unsigned count = 0;
    const char *ns = fg_xml_is(envelope, FG_NS_SOAP12, "Envelope") ? FG_NS_SOAP12 : FG_NS_SOAP11;
    const xmlNode *body = fg_xml_child(envelope, ns, "Body", &count);
    return count == 1 ? body : NULL;
}

static bool is_inside(const xmlNode *node, const xmlNode *outer) {
    while (node != NULL && node != outer)
        node = node->parent;
    return node != NULL;
}

/* WM-17: the server behind must see what was judged here. */
static bool check_encryption(const fg_wss_header_t *header, fg_err_t *err) {
    for (size_t i = 0; i < header->decrypted_count; i++)
        if (!is_inside(header->decrypted_nodes[i], header->element))
            return FG_FAIL(err, FG_E_WSS_UNSUPPORTED, "the message is encrypted to the gateway, not to whom it is for");
    return true;
}

/* WT-04: what a signature does not bind to a moment could be from any other. */
static bool check_signatures(const fg_wss_header_t *header, fg_err_t *err) {
    if (header->timestamp == NULL)
        return FG_FAIL(err, FG_E_WSS_TIMESTAMP, "no Timestamp");
    for (size_t i = 0; i < header->signature_count; i++) {
        const fg_wss_signature_t *signature = &header->signatures[i];
        if (signature->token->kind == FG_WSS_ENCRYPTED_KEY || signature->token->kind == FG_WSS_KEY_VALUE)
            return FG_FAIL(err, FG_E_SIG_KEY, "a signature by a key that is nobody's");
        if (!fg_wss_signature_covers(signature, header->timestamp))
            return FG_FAIL(err, FG_E_WSS_TIMESTAMP, "the Timestamp is not signed");
    }
    return true;
}

/* SA-09: only who has the proof key is the assertion's holder. */
static bool check_holder(const fg_wss_header_t *header, fg_err_t *err) {
    return header->assertion->assertion.confirmation != FG_CONFIRM_HOLDER_OF_KEY || fg_message_is_proven(header) ||
           FG_FAIL_FOR(err, FG_E_TOKEN_CONFIRMATION, FG_R_CONFIRMATION_NO_PROOF,
                       "the assertion's proof key did not sign the message");
}

static bool identify(fg_exchange_t *ex, fg_access_work_t *w, const fg_wss_header_t *header,
                     fg_message_sender_t *sender) {
    fg_err_t *err = &w->err;
    if (fg_message_certificate_signature(header) != NULL && !fg_message_holder(ex, header, sender, err))
        return false;
    if (header->assertion != NULL)
        return check_holder(header, err) && fg_message_subject(ex, header, find_body(header->element), sender, err);
    return sender->certificate != NULL || header->username != NULL ||
           FG_FAIL(err, FG_E_AUTH_MISSING, "nothing in the Security header says who sends the message");
}

fg_access_turn_t fg_access_validate_message(fg_exchange_t *ex, fg_access_work_t *w) {
    const fg_protect_t *protect = w->access.protect;
    fg_wss_header_t *header = fg_arena_alloc(ex->arena, sizeof *header);
    fg_message_sender_t sender = {0};
    fg_wss_rules_t rules;
    if (header == NULL)
        return fg_turn(FG_FAIL(&w->err, FG_E_MEMORY, "a Security header"));
    if (!fg_message_rules(ex, protect->audiences, protect->audience_count, &rules, &w->err) ||
        !fg_wss_header_read(ex->arena, w->credential.element, &rules, header, &w->err) ||
        !check_encryption(header, &w->err) || !check_signatures(header, &w->err) || !identify(ex, w, header, &sender) ||
        !fg_wss_header_remember(header, &w->err))
        return FG_TURN_REFUSE;
    if (header->username != NULL && header->assertion != NULL)
        return fg_turn(FG_FAIL(&w->err, FG_E_WSS_STRUCTURE, "more than one token in the Security header"));
    if (header->username != NULL)
        return fg_access_ask_password(ex, w, header->username);
    return fg_turn(fg_access_accept(ex, w, &sender.identity, sender.realm, sender.expires_ms));
}
