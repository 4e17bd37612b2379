/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What WS-Management opens (enumerations, shells, subscriptions) belongs to who opened it, at that place (WM-11): the
 * server behind sees one sender for all. */
#include <stdio.h>

#include "core/crypto.h"
#include "core/time.h"
#include "hub/access_parts.h"
#include "hub/bytes.h"

#define SUBJECT_SIZE (2 * FG_SHA256_SIZE)
#define ANSWER_MAX (8u << 20)

static const int64_t lifetimes[] = {
    [FG_WSMAN_ENUMERATION] = FG_HOUR,
    [FG_WSMAN_SHELL] = FG_DAY,
    [FG_WSMAN_SUBSCRIPTION] = FG_DAY,
};

static void put_digest(fg_buf_t *bytes, char hex[SUBJECT_SIZE + 1]) {
    unsigned char digest[FG_SHA256_SIZE];
    fg_sha256(bytes->data, bytes->length, digest);
    fg_hex_encode(digest, sizeof digest, hex);
}

/* Somebody is who their issuer says under which name, in which form (SA-10). */
static bool subject_key(const fg_identity_t *identity, char hex[SUBJECT_SIZE + 1]) {
    fg_buf_t bytes = FG_BUF_INIT(64u << 10);
    const fg_name_id_t *id = &identity->name_id;
    const fg_claim_t *name = id->value.n == 0 ? fg_claims_get(&identity->claims, FG_CLAIM_NAME) : NULL;
    const fg_str_t parts[] = {identity->issuer,      id->format, id->name_qualifier,
                              id->sp_name_qualifier, id->value,  name ? name->value : FG_STR_NONE};
    for (size_t i = 0; i < FG_ARRAY_SIZE(parts); i++)
        fg_bytes_put_string(&bytes, parts[i]);
    bool ok = fg_buf_ok(&bytes) && (id->value.n > 0 || name != NULL);
    if (ok)
        put_digest(&bytes, hex);
    fg_buf_free(&bytes);
    return ok;
}

static fg_str_t context_key(fg_exchange_t *ex, const fg_wsman_context_t *context) {
    fg_buf_t bytes = FG_BUF_INIT(64u << 10);
    char hex[SUBJECT_SIZE + 1];
    fg_bytes_put_number(&bytes, context->kind, 1);
    fg_bytes_put_string(&bytes, fg_str(ex->access->protect->name));
    fg_bytes_put_string(&bytes, context->id);
    bool ok = fg_buf_ok(&bytes);
    if (ok)
        put_digest(&bytes, hex);
    fg_buf_free(&bytes);
    const fg_str_t parts[] = {FG_STR("wsman:"), fg_str(hex)};
    return ok ? fg_arena_join(ex->arena, parts, FG_ARRAY_SIZE(parts)) : FG_STR_NONE;
}

/* Closed, or kept for another while. */
static bool touch(fg_exchange_t *ex, const fg_wsman_message_t *message, fg_str_t key, fg_str_t value, fg_err_t *err) {
    fg_store_t *store = ex->env->store;
    fg_store_result_t result = FG_STORE_OK;
    if (message->closes)
        result = store->remove(store, key);
    else if (message->uses.kind == FG_WSMAN_SHELL)
        result = store->put(store, key, value, ex->now_ms, ex->now_ms + lifetimes[FG_WSMAN_SHELL]);
    return result != FG_STORE_UNAVAILABLE || FG_FAIL(err, FG_E_UNAVAILABLE, "the store cannot answer for a context");
}

fg_access_turn_t fg_access_check_context(fg_exchange_t *ex, fg_access_work_t *w) {
    const fg_wsman_message_t *message = &w->access.wsman;
    fg_store_t *store = ex->env->store;
    char subject[SUBJECT_SIZE + 1], value[SUBJECT_SIZE + 512];
    size_t length = sizeof value;
    if (message->uses.kind == FG_WSMAN_NONE)
        return FG_TURN_NEXT;
    fg_str_t key = context_key(ex, &message->uses);
    if (key.p == NULL || !subject_key(&w->access.session.identity, subject))
        return fg_turn(FG_FAIL(&w->err, FG_E_WSMAN_CONTEXT, "a context or a subject without a name"));
    fg_store_result_t found = store ? store->get(store, key, ex->now_ms, value, &length) : FG_STORE_UNAVAILABLE;
    if (found == FG_STORE_MISSING)
        return fg_turn(FG_FAIL(&w->err, FG_E_WSMAN_CONTEXT, "%s of something that was not opened here, or is over",
                               message->operation));
    if (found != FG_STORE_OK)
        return fg_turn(FG_FAIL(&w->err, FG_E_UNAVAILABLE, "the store cannot answer for a context"));
    if (length < SUBJECT_SIZE || !fg_equal_secret((fg_str_t){value, SUBJECT_SIZE}, fg_str(subject)))
        return fg_turn(FG_FAIL(&w->err, FG_E_WSMAN_CONTEXT, "%s of what somebody else opened by %.*s",
                               message->operation, (int)(length > SUBJECT_SIZE ? length - SUBJECT_SIZE : 0),
                               value + SUBJECT_SIZE));
    return fg_turn(touch(ex, message, key, (fg_str_t){value, length}, &w->err));
}

/* Who, and by which rule. */
static bool note(fg_exchange_t *ex, const fg_wsman_context_t *context, const char *subject) {
    fg_store_t *store = ex->env->store;
    fg_str_t key = context_key(ex, context), rule = fg_access_rule(ex, fg_access_work(ex));
    if (rule.n > 400)
        rule.n = 400;
    const fg_str_t parts[] = {fg_str(subject), rule};
    fg_str_t value = fg_arena_join(ex->arena, parts, FG_ARRAY_SIZE(parts));
    return store != NULL && key.p != NULL && value.p != NULL &&
           store->put(store, key, value, ex->now_ms, ex->now_ms + lifetimes[context->kind]) == FG_STORE_OK;
}

bool fg_access_read_answer(fg_exchange_t *ex, fg_str_t body) {
    fg_wsman_context_t opened[FG_WSMAN_OPENED_MAX];
    fg_err_t err = FG_ERR_INIT;
    size_t count = 0;
    char subject[SUBJECT_SIZE + 1];
    fg_xml_limits_t limits = ex->hub->xml;
    limits.bytes = ANSWER_MAX; /* of our own server, bounded by the host */
    bool ok = subject_key(&ex->access->session.identity, subject) &&
              fg_wsman_read_answer(ex->arena, body, &limits, opened, &count, &err);
    for (size_t i = 0; ok && i < count; i++)
        ok = note(ex, &opened[i], subject) || FG_FAIL(&err, FG_E_UNAVAILABLE, "the store has no room");
    if (!ok)
        fg_log(ex->env, FG_LOG_ERROR, "%s: protect \"%s\": what %s opened is not known here: %s", ex->correlation_id,
               ex->access->protect->name, ex->access->wsman.operation ? ex->access->wsman.operation : "a message",
               err.detail);
    return ok;
}
