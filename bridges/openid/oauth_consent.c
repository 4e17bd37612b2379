/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What people allowed is remembered in their browser: a digest for each person, client and set of scopes, so that the
 * cookie tells nothing and has room for many. */
#include "bridges/openid/oauth_request.h"
#include "hub/token_id.h"

#define NAME "openid-consent"
#define ENTRY 22u /* 16 bytes in base64url */
#define ENTRIES 32u

/* .n 0: of nobody who could be told from others. */
static fg_str_t make_entry(fg_exchange_t *ex, const fg_oauth_request_t *request, const fg_identity_t *identity) {
    unsigned char digest[FG_SHA256_SIZE];
    const fg_str_t bar = {"|", 1};
    fg_str_t owner = fg_token_owner(ex->arena, identity);
    const fg_str_t parts[] = {owner, bar, request->client->id, bar, request->scope, bar, request->resource};
    fg_str_t all = fg_arena_join(ex->arena, parts, FG_ARRAY_SIZE(parts));
    if (owner.n == 0 || all.p == NULL)
        return FG_STR_NONE;
    fg_buf_t text = FG_BUF_INIT(64);
    fg_sha256(all.p, all.n, digest);
    fg_base64url_encode(&text, digest, 16);
    fg_str_t entry = fg_buf_ok(&text) ? fg_arena_str(ex->arena, fg_buf_str(&text)) : FG_STR_NONE;
    fg_buf_free(&text);
    return entry;
}

static bool has(fg_str_t entries, fg_str_t entry) {
    for (size_t at = 0; at + ENTRY <= entries.n; at += ENTRY)
        if (entry.n == ENTRY && memcmp(entries.p + at, entry.p, ENTRY) == 0)
            return true;
    return false;
}

bool fg_oauth_consent_is_remembered(fg_exchange_t *ex, const fg_oauth_request_t *request,
                                    const fg_identity_t *identity) {
    return has(fg_remembered(ex, NAME), make_entry(ex, request, identity));
}

/* The newest first; where there is no room any more, the oldest is asked again. */
void fg_oauth_consent_remember(fg_exchange_t *ex, const fg_oauth_request_t *request, const fg_identity_t *identity) {
    fg_str_t before = fg_remembered(ex, NAME), entry = make_entry(ex, request, identity);
    fg_err_t err = FG_ERR_INIT;
    if (entry.n != ENTRY || has(before, entry))
        return;
    if (before.n > (ENTRIES - 1) * ENTRY)
        before.n = (ENTRIES - 1) * ENTRY;
    const fg_str_t parts[] = {entry, before};
    fg_str_t all = fg_arena_join(ex->arena, parts, FG_ARRAY_SIZE(parts));
    if (all.p == NULL || !fg_remember(ex, NAME, all, &err))
        fg_log(ex->env, FG_LOG_WARN, "%s: consent is not remembered: %s", ex->correlation_id, err.detail);
}
