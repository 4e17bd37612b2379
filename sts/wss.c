/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reading a request's Security header by an endpoint's policy. */
#include "sts/wss.h"

#include "hub/message.h"
#include "hub/negotiate.h"
#include "sts/wss_parts.h"

/* Tokens for us name us as a whole, or this endpoint. */
static bool fill_audiences(const fg_exchange_t *ex, fg_str_t *audiences, fg_err_t *err) {
    const char *own = fg_arena_printf(ex->arena, "%.*s%.*s", (int)ex->hub->base_url.n, ex->hub->base_url.p,
                                      (int)ex->request.path.n, ex->request.path.p);
    if (own == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "audiences");
    audiences[0] = ex->hub->entity_id;
    audiences[1] = ex->hub->base_url;
    audiences[2] = fg_str(own);
    return true;
}

typedef struct opening {
    fg_exchange_t *ex;
    fg_kerberos_ticket_t *ticket;
} opening_t;

static bool open_ticket(void *context, fg_str_t token, fg_str_t *key, fg_err_t *err) {
    const opening_t *opening = context;
    if (!fg_negotiate_message(opening->ex, token, opening->ticket, err))
        return false;
    *key = opening->ticket->key;
    return true;
}

/* Tickets are opened where they are asked for, and nowhere else: each is good once. */
static bool fill_ticket_rules(fg_exchange_t *ex, fg_wss_t *wss, fg_err_t *err) {
    opening_t *opening = fg_arena_alloc(ex->arena, sizeof *opening);
    if (opening == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "security rules");
    *opening = (opening_t){ex, &wss->ticket};
    wss->rules.open_ticket = open_ticket;
    wss->rules.ticket_context = opening;
    return true;
}

static bool fill_rules(fg_exchange_t *ex, const fg_sts_endpoint_t *endpoint, fg_wss_t *wss, fg_err_t *err) {
    if (!fill_audiences(ex, wss->audiences, err) ||
        !fg_message_rules(ex, wss->audiences, FG_ARRAY_SIZE(wss->audiences), &wss->rules, err))
        return false;
    wss->rules.allow_sha1 = fg_sts_endpoint_takes_sha1(endpoint);
    wss->rules.strict = endpoint->strict;
    return (endpoint->alternatives[0] & FG_STS_KERBEROS_ENDORSES) == 0 || fill_ticket_rules(ex, wss, err);
}

/* ---- the answer */

static bool note_answer(fg_exchange_t *ex, const fg_wss_t *wss, fg_soap_message_t *message, fg_err_t *err) {
    if ((wss->met & FG_STS_MESSAGE) == 0)
        return true;
    fg_wss_answer_t *answer = fg_arena_alloc(ex->arena, sizeof *answer);
    if (answer == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "answer");
    answer->signing = ex->keys->signing[FG_KEY_ACTIVE];
    answer->encryption = wss->certificate;
    answer->gcm = !wss->header.cbc;
    for (size_t i = 0; i < wss->header.signature_count; i++)
        answer->confirmations[answer->confirmation_count++] = wss->header.signatures[i].message.signature_value;
    if (fg_key_is_ec(wss->certificate))
        return FG_FAIL(err, FG_E_WSS_UNSUPPORTED, "answers are encrypted to RSA keys only, and the client's is none");
    message->answer = answer;
    return true;
}

bool fg_wss_read(fg_exchange_t *ex, fg_soap_message_t *message, const fg_sts_endpoint_t *endpoint, fg_wss_t *wss,
                 fg_err_t *err) {
    memset(wss, 0, sizeof *wss);
    bool good = fill_rules(ex, endpoint, wss, err) &&
                fg_wss_header_read(ex->arena, message->security, &wss->rules, &wss->header, err) &&
                fg_soap_read_decrypted(ex, endpoint->path, message, err) &&
                fg_wss_judge(ex, message, endpoint, wss, err) && fg_wss_header_remember(&wss->header, err) &&
                note_answer(ex, wss, message, err);
    if (wss->ticket.key.n > 0)
        explicit_bzero((void *)(uintptr_t)wss->ticket.key.p, wss->ticket.key.n);
    return good;
}

/* ---- what was proved */

bool fg_wss_is_signed(const fg_wss_t *wss, const xmlNode *node) { return fg_wss_header_covers(&wss->header, node); }

bool fg_wss_possesses(const fg_wss_t *wss, const fg_key_t *key) {
    const fg_wss_header_t *header = &wss->header;
    const EVP_PKEY *own = fg_key_get_pkey(key);
    if (wss->connection != NULL && EVP_PKEY_eq(fg_key_get_pkey(wss->connection), own) == 1)
        return true;
    for (size_t i = 0; header->timestamp != NULL && i < header->signature_count; i++) {
        const fg_wss_signature_t *signature = &header->signatures[i];
        if (signature->token->key != NULL && EVP_PKEY_eq(fg_key_get_pkey(signature->token->key), own) == 1 &&
            fg_wss_signature_covers(signature, header->timestamp))
            return true;
    }
    return false;
}

const fg_wss_token_t *fg_wss_find(fg_wss_t *wss, xmlNode *reference, fg_err_t *err) {
    if (wss->header.element != NULL)
        return fg_wss_header_resolve(&wss->header, reference, err);
    FG_FAIL(err, FG_E_SIG_KEY, "a reference in a message without a Security header");
    return NULL;
}
