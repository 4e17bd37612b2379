/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/token_id.h"

#include "core/crypto.h"

#define RANDOM_SIZE 16u /* SAML 2.0 core §1.3.4 */
#define MAC_SIZE 16u
#define ID_BYTES (RANDOM_SIZE + 1 + MAC_SIZE)
#define ID_LENGTH (1 + ID_BYTES / 3 * 4) /* "_" and base64url */
#define OWNER_MAX 16384u
#define KEY_SIZE (sizeof "cancelled:" + ID_LENGTH)

_Static_assert(ID_BYTES % 3 == 0, "base64url without an odd end");
_Static_assert(ID_LENGTH < FG_ID_SIZE, "an id has room for itself");

/* ---- owners */

/* Lengths go before the pieces, so that no two lists of pieces look alike. */
static void put_piece(fg_buf_t *out, fg_str_t piece) {
    fg_buf_printf(out, "%zu:", piece.n);
    fg_buf_put_str(out, piece);
}

static fg_str_t get_name(const fg_identity_t *identity) {
    static const char *const types[] = {FG_CLAIM_NAMEIDENTIFIER, FG_CLAIM_UPN, FG_CLAIM_NAME};
    for (size_t i = 0; i < FG_ARRAY_SIZE(types); i++) {
        const fg_claim_t *claim = fg_claims_get(&identity->claims, types[i]);
        if (claim != NULL && claim->value.n > 0)
            return claim->value;
    }
    return FG_STR_NONE;
}

fg_str_t fg_token_owner(fg_arena_t *arena, const fg_identity_t *identity) {
    const fg_name_id_t *name_id = &identity->name_id;
    fg_str_t name = name_id->value.n > 0 ? name_id->value : get_name(identity);
    fg_buf_t text = FG_BUF_INIT(OWNER_MAX);
    fg_str_t owner = FG_STR_NONE;
    if (name.n == 0 || identity->issuer.n == 0)
        return owner;
    put_piece(&text, identity->issuer);
    put_piece(&text, name);
    if (name_id->value.n > 0) { /* SAML 2.0 core §8.3: the qualifiers are part of the name (SA-10) */
        put_piece(&text, name_id->format);
        put_piece(&text, name_id->name_qualifier);
        put_piece(&text, name_id->sp_name_qualifier);
    }
    if (fg_buf_ok(&text))
        owner = fg_arena_str(arena, fg_buf_str(&text));
    fg_buf_free(&text);
    return owner;
}

/* ---- ids */

static bool make_mac(const fg_sealing_key_t *key, const unsigned char head[RANDOM_SIZE + 1], fg_str_t owner,
                     unsigned char mac[FG_SHA256_SIZE]) {
    fg_buf_t text = FG_BUF_INIT(OWNER_MAX + 64);
    fg_buf_puts(&text, "token-id|");
    fg_buf_add(&text, head, RANDOM_SIZE + 1);
    fg_buf_put_str(&text, owner);
    bool ok = fg_buf_ok(&text);
    if (ok)
        fg_hmac_sha256((fg_str_t){(const char *)key->key, sizeof key->key}, fg_buf_str(&text), mac);
    fg_buf_free(&text);
    return ok;
}

bool fg_token_id_make(const fg_exchange_t *ex, fg_str_t owner, unsigned flags, char id[FG_ID_SIZE], fg_err_t *err) {
    unsigned char bytes[RANDOM_SIZE + 1 + FG_SHA256_SIZE];
    if (owner.n == 0)
        return fg_id_xml(ex->env, id) || FG_FAIL(err, FG_E_INTERNAL, "no randomness for an id");
    if (!ex->env->random(ex->env, bytes, RANDOM_SIZE))
        return FG_FAIL(err, FG_E_INTERNAL, "no randomness for an id");
    bytes[RANDOM_SIZE] = (unsigned char)flags;
    fg_buf_t text;
    fg_buf_init_in(&text, id, FG_ID_SIZE);
    fg_buf_putc(&text, '_');
    if (!make_mac(&ex->keys->sealing[0], bytes, owner, bytes + RANDOM_SIZE + 1))
        return FG_FAIL(err, FG_E_MEMORY, "id");
    fg_base64url_encode(&text, bytes, ID_BYTES);
    return fg_buf_ok(&text) || FG_FAIL(err, FG_E_INTERNAL, "an id has no room");
}

static bool is_of_that_form(fg_str_t id) { return id.n == ID_LENGTH && id.p[0] == '_'; }

/* room: of ID_BYTES + 1. */
static bool decode(fg_str_t id, char *room) {
    fg_buf_t bytes;
    fg_buf_init_in(&bytes, room, ID_BYTES + 1);
    return is_of_that_form(id) && fg_base64url_decode(&bytes, (fg_str_t){id.p + 1, id.n - 1}) && fg_buf_ok(&bytes) &&
           bytes.length == ID_BYTES;
}

bool fg_token_id_is_owner(const fg_exchange_t *ex, fg_str_t id, fg_str_t owner) {
    char room[ID_BYTES + 1];
    unsigned char mac[FG_SHA256_SIZE];
    const fg_str_t given = {room + RANDOM_SIZE + 1, MAC_SIZE};
    if (owner.n == 0 || !decode(id, room))
        return false;
    for (unsigned i = 0; i < ex->keys->sealing_count; i++)
        if (make_mac(&ex->keys->sealing[i], (const unsigned char *)room, owner, mac) &&
            fg_equal_secret(given, (fg_str_t){(const char *)mac, MAC_SIZE}))
            return true;
    return false;
}

unsigned fg_token_id_flags(fg_str_t id) {
    char room[ID_BYTES + 1];
    return decode(id, room) ? (unsigned char)room[RANDOM_SIZE] : 0;
}

/* ---- cancelling */

/* What is kept of it when it is cancelled; .n 0: ids of that form are not. */
static fg_str_t cancelled_name(fg_str_t id) {
    if (is_of_that_form(id))
        return id;
    bool family = id.n == FG_TOKEN_FAMILY_ID_SIZE || id.n == FG_TOKEN_FAMILY_SIZE;
    for (size_t i = 0; family && i < id.n; i++)
        family = (id.p[i] >= '0' && id.p[i] <= '9') || (id.p[i] >= 'a' && id.p[i] <= 'f');
    return family ? (fg_str_t){id.p, FG_TOKEN_FAMILY_SIZE} : FG_STR_NONE;
}

static fg_str_t store_key(fg_str_t id, char room[KEY_SIZE]) {
    fg_buf_t text;
    fg_buf_init_in(&text, room, KEY_SIZE);
    fg_buf_puts(&text, "cancelled:");
    fg_buf_put_str(&text, id);
    return fg_buf_ok(&text) ? fg_buf_str(&text) : FG_STR_NONE;
}

bool fg_token_cancel(fg_exchange_t *ex, fg_str_t id, int64_t until_ms, fg_err_t *err) {
    fg_store_t *store = ex->env->store;
    char room[KEY_SIZE];
    fg_str_t name = cancelled_name(id), key = name.n > 0 ? store_key(name, room) : FG_STR_NONE;
    return (store != NULL && key.p != NULL &&
            store->put(store, key, FG_STR("1"), ex->now_ms, until_ms) == FG_STORE_OK) ||
           FG_FAIL(err, FG_E_UNAVAILABLE, "the store cannot remember that a token is cancelled");
}

bool fg_token_check_cancelled(fg_exchange_t *ex, fg_str_t id, fg_err_t *err) {
    fg_store_t *store = ex->env->store;
    char room[KEY_SIZE], value[1];
    size_t length = sizeof value;
    fg_str_t name = cancelled_name(id);
    if (name.n == 0)
        return true;
    fg_str_t key = store_key(name, room);
    fg_store_result_t result =
        store != NULL && key.p != NULL ? store->get(store, key, ex->now_ms, value, &length) : FG_STORE_UNAVAILABLE;
    if (result == FG_STORE_MISSING)
        return true;
    if (result == FG_STORE_OK)
        return FG_FAIL(err, FG_E_TOKEN_CANCELLED, "token %.*s was cancelled", FG_STR_ARG(id));
    return FG_FAIL(err, FG_E_UNAVAILABLE, "the store cannot tell whether a token was cancelled");
}
