/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * An endpoint's policy applied to a message whose signatures are verified (WS-SecurityPolicy 1.2). */
#include "core/xml_ns.h"
#include "hub/negotiate.h"
#include "sts/wss_parts.h"

typedef struct judgement {
    fg_exchange_t *ex;
    const fg_soap_message_t *message;
    fg_wss_t *wss;
    const fg_wss_signature_t *signature; /* the one that this alternative relies on; NULL: none yet */
} judgement_t;

/* ---- one check per bit of the policy */

static bool has_timestamp(judgement_t *j, fg_err_t *err) {
    if (j->wss->header.element == NULL)
        return FG_FAIL(err, FG_E_WSS_STRUCTURE, "no Security header");
    return j->wss->header.timestamp != NULL || FG_FAIL(err, FG_E_WSS_TIMESTAMP, "no Timestamp");
}

static bool has_username(judgement_t *j, fg_err_t *err) {
    return j->wss->header.username != NULL || FG_FAIL(err, FG_E_AUTH_MISSING, "no UsernameToken");
}

static bool has_client_certificate(judgement_t *j, fg_err_t *err) {
    return j->wss->connection != NULL || FG_FAIL(err, FG_E_AUTH_MISSING, "no client certificate");
}

static bool has_ticket(judgement_t *j, fg_err_t *err) {
    return fg_negotiate_find(j->ex).p != NULL || FG_FAIL(err, FG_E_AUTH_MISSING, "no Authorization: Negotiate");
}

/* WT-04: a signature that leaves the Timestamp out could be from any time. */
static bool endorses(judgement_t *j, const fg_wss_signature_t *signature, fg_err_t *err) {
    if (!fg_wss_signature_covers(signature, j->wss->header.timestamp))
        return FG_FAIL(err, FG_E_WSS_TIMESTAMP, "the Timestamp is not signed");
    j->signature = signature;
    return true;
}

static bool is_endorsed_by_certificate(judgement_t *j, fg_err_t *err) {
    const fg_wss_signature_t *signature = fg_message_certificate_signature(&j->wss->header);
    return signature != NULL ? endorses(j, signature, err)
                             : FG_FAIL(err, FG_E_AUTH_MISSING, "no signature by a certificate");
}

/* WS-Trust 1.3 §4.4.7: the proof key is what makes the token its holder's. */
static bool is_endorsed_by_assertion(judgement_t *j, bool symmetric, fg_err_t *err) {
    const fg_wss_token_t *issued = j->wss->header.assertion;
    if (issued == NULL)
        return FG_FAIL(err, FG_E_AUTH_MISSING, "no assertion");
    bool fits = symmetric ? issued->secret.n > 0 : issued->key != NULL;
    const fg_wss_signature_t *signature = fg_wss_header_signature_of(&j->wss->header, issued);
    if (!fits || signature == NULL)
        return FG_FAIL(err, FG_E_TOKEN_CONFIRMATION, "the assertion has no %s proof key, or that signed nothing",
                       symmetric ? "symmetric" : "public");
    j->wss->proven = true;
    return endorses(j, signature, err);
}

static bool is_endorsed_symmetrically(judgement_t *j, fg_err_t *err) { return is_endorsed_by_assertion(j, true, err); }
static bool is_endorsed_publicly(judgement_t *j, fg_err_t *err) { return is_endorsed_by_assertion(j, false, err); }

/* Kerberos Token Profile 1.1 §3.4: whoever only shows a ticket may have copied it; its key says whose message it is. */
static bool is_endorsed_by_ticket(judgement_t *j, fg_err_t *err) {
    const fg_wss_token_t *ticket = j->wss->header.ticket;
    if (ticket == NULL)
        return FG_FAIL(err, FG_E_AUTH_MISSING, "no ticket of Kerberos");
    const fg_wss_signature_t *signature = fg_wss_header_signature_of(&j->wss->header, ticket);
    return signature != NULL ? endorses(j, signature, err)
                             : FG_FAIL(err, FG_E_SIG_MISSING, "the ticket's key signed nothing");
}

static bool has_bearer(judgement_t *j, fg_err_t *err) {
    const fg_wss_token_t *issued = j->wss->header.assertion;
    if (issued == NULL)
        return FG_FAIL(err, FG_E_AUTH_MISSING, "no assertion");
    return issued->assertion.confirmation == FG_CONFIRM_BEARER ||
           FG_FAIL(err, FG_E_TOKEN_CONFIRMATION, "the assertion's proof key signed nothing that counts");
}

/* It must be there: whoever gets a message without it could send its signature on with another Body. */
static bool is_to_signed(judgement_t *j, fg_err_t *err) {
    if (j->message->to == NULL)
        return FG_FAIL(err, FG_E_WSA_HEADER, "no To");
    return (j->signature != NULL && fg_wss_signature_covers(j->signature, j->message->to)) ||
           FG_FAIL(err, FG_E_SIG_MISSING, "the header To is not signed");
}

/* §7.5 with §4.1.1, §4.2.1: without TLS, everything that matters is signed by one key, and the Body is encrypted. */
static bool is_protected(judgement_t *j, fg_err_t *err) {
    const fg_soap_message_t *message = j->message;
    if (!is_endorsed_by_certificate(j, err))
        return false;
    for (const xmlNode *node = fg_xml_first_child(message->header); node != NULL; node = fg_xml_next(node))
        if (node->ns != NULL && fg_xml_is(node, FG_NS_WSA, (const char *)node->name) &&
            !fg_wss_signature_covers(j->signature, node))
            return FG_FAIL(err, FG_E_SIG_MISSING, "the header %s is not signed", (const char *)node->name);
    if (!fg_wss_signature_covers(j->signature, message->body))
        return FG_FAIL(err, FG_E_SIG_MISSING, "the Body is not signed");
    return (message->payload != NULL && fg_wss_header_was_encrypted(&j->wss->header, message->payload)) ||
           FG_FAIL(err, FG_E_DECRYPT, "the Body is not encrypted");
}

static const struct {
    unsigned bit;
    bool (*check)(judgement_t *, fg_err_t *);
} checks[] = {
    {FG_STS_TIMESTAMP, has_timestamp},
    {FG_STS_USERNAME_TOKEN, has_username},
    {FG_STS_CLIENT_CERTIFICATE, has_client_certificate},
    {FG_STS_X509_ENDORSES, is_endorsed_by_certificate},
    {FG_STS_SYMMETRIC_ENDORSES, is_endorsed_symmetrically},
    {FG_STS_PUBLIC_ENDORSES, is_endorsed_publicly},
    {FG_STS_ISSUED_BEARER, has_bearer},
    {FG_STS_MESSAGE, is_protected},
    {FG_STS_NEGOTIATE, has_ticket},
    {FG_STS_KERBEROS_ENDORSES, is_endorsed_by_ticket},
    {FG_STS_TO_SIGNED, is_to_signed},
};

static bool meets(judgement_t *j, unsigned alternative, fg_err_t *err) {
    j->signature = NULL;
    j->wss->proven = false;
    for (size_t i = 0; i < FG_ARRAY_SIZE(checks); i++)
        if ((alternative & checks[i].bit) != 0 && !checks[i].check(j, err))
            return false;
    return true;
}

/* The error is the first alternative's, unless that asks for something that the message does not try. */
static bool meets_any(judgement_t *j, const fg_sts_endpoint_t *endpoint, fg_err_t *err) {
    fg_err_t why[FG_STS_ALTERNATIVES] = {FG_ERR_INIT, FG_ERR_INIT};
    for (size_t i = 0; i < FG_STS_ALTERNATIVES && endpoint->alternatives[i] != 0; i++) {
        if (!meets(j, endpoint->alternatives[i], &why[i]))
            continue;
        j->wss->met = endpoint->alternatives[i];
        return true;
    }
    bool second = why[0].code == FG_E_AUTH_MISSING && why[1].code != FG_OK;
    *err = why[second];
    return false;
}

/* ---- what there is besides */

#define ISSUED (FG_STS_SYMMETRIC_ENDORSES | FG_STS_PUBLIC_ENDORSES | FG_STS_ISSUED_BEARER)

static bool is_vouched_for(const fg_wss_header_t *header) {
    return header->assertion != NULL && header->assertion->assertion.confirmation == FG_CONFIRM_SENDER_VOUCHES;
}

/* A token that the policy does not ask for would be believed by nobody: better said than passed over. */
static bool check_rest(judgement_t *j, fg_err_t *err) {
    const fg_wss_header_t *header = &j->wss->header;
    if (header->username != NULL && (j->wss->met & FG_STS_USERNAME_TOKEN) == 0)
        return FG_FAIL(err, FG_E_WSS_UNSUPPORTED, "UsernameToken");
    bool wanted = (j->wss->met & ISSUED) != 0;
    bool vouched = (j->wss->met & (FG_STS_X509_ENDORSES | FG_STS_MESSAGE)) != 0 && is_vouched_for(header);
    if (header->assertion != NULL && !wanted && !vouched)
        return FG_FAIL(err, FG_E_WSS_UNSUPPORTED, "an assertion");
    j->wss->issued = header->assertion;
    for (size_t i = 0; i < header->signature_count; i++)
        if (header->signatures[i].token->kind == FG_WSS_ENCRYPTED_KEY)
            return FG_FAIL(err, FG_E_SIG_KEY, "a signature by a key that anybody could have made");
    return true;
}

/* ---- who it is */

static void take_sender(fg_wss_t *wss, const fg_message_sender_t *sender) {
    wss->identity = sender->identity;
    wss->realm = sender->realm;
    wss->expires_ms = sender->expires_ms;
    if (sender->certificate != NULL)
        wss->certificate = sender->certificate;
}

/* By the message's ticket, or the one in HTTP's header, whose answer proves us to the client. */
static bool find_owner(fg_exchange_t *ex, const fg_wss_t *wss, fg_message_sender_t *sender, fg_err_t *err) {
    fg_negotiated_t who;
    bool header = (wss->met & FG_STS_NEGOTIATE) != 0;
    if (!(header ? fg_negotiate_header(ex, fg_negotiate_find(ex), &who, err)
                 : fg_negotiate_owner(ex, &wss->ticket, &who, err)))
        return false;
    if (header)
        fg_negotiate_answer(ex, who.answer);
    sender->identity = who.identity;
    sender->realm = who.realm;
    return true;
}

/* Whatever a certificate signed, a home realm must answer for it, even if another token says who it is. */
static bool identify(judgement_t *j, fg_err_t *err) {
    fg_exchange_t *ex = j->ex;
    fg_wss_t *wss = j->wss;
    fg_message_sender_t sender = {0};
    if (fg_message_certificate_signature(&wss->header) != NULL && !fg_message_holder(ex, &wss->header, &sender, err))
        return false;
    if ((wss->met & FG_STS_USERNAME_TOKEN) != 0)
        return fg_username_token_read(ex->env, ex->arena, wss->header.username, ex->hub->skew_ms, &wss->username, err);
    if (wss->issued != NULL && !fg_message_subject(ex, &wss->header, j->message->body, &sender, err))
        return false;
    if ((wss->met & FG_STS_CLIENT_CERTIFICATE) != 0 && sender.certificate == NULL &&
        !fg_message_connection(ex, &sender, err))
        return false;
    if (sender.certificate == NULL && (wss->met & FG_STS_CLIENT_CERTIFICATE) != 0)
        sender.certificate = wss->connection;
    if ((wss->met & (FG_STS_NEGOTIATE | FG_STS_KERBEROS_ENDORSES)) != 0 && !find_owner(ex, wss, &sender, err))
        return false;
    take_sender(wss, &sender);
    return true;
}

bool fg_wss_judge(fg_exchange_t *ex, const fg_soap_message_t *message, const fg_sts_endpoint_t *endpoint, fg_wss_t *wss,
                  fg_err_t *err) {
    judgement_t j = {ex, message, wss, NULL};
    wss->connection = fg_message_connection_key(ex, NULL); /* one that cannot be read is none, where it is asked for */
    return meets_any(&j, endpoint, err) && check_rest(&j, err) && identify(&j, err);
}
