/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/federation.h"
#include "hub/session.h"

#include <stdio.h>

#include "core/crypto.h"
#include "hub/bytes.h"
#include "hub/cookie.h"
#include "hub/recent.h"
#include "hub/seal.h"
#include "hub/session_note.h"

#define COOKIE "__Host-fedgate"
#define CHUNKS 4u
#define CHUNK_SIZE 3800u /* browsers keep 4096 bytes of name, value and attributes (RFC 6265 §6.1) */
#define SESSION_MAX (CHUNKS * CHUNK_SIZE * 3 / 4 - 64)
#define CLAIMS_MAX 512u /* of one identity */
#define FORMAT_VERSION 3u
#define RENEWAL 10 /* this part of the idle time */
#define END_COOKIE COOKIE "-end"
#define END_MAX (CHUNK_SIZE * 3 / 4 - 64)

/* ---- the session as bytes */

/* What cookies know by number.  Cookies outlive a restart with another version of this: new words go to the end, none
 * is ever taken out. */
static const fg_str_t known_words[] = {
    FG_STR_INIT(FG_CLAIM_NAME),
    FG_STR_INIT(FG_CLAIM_NAMEIDENTIFIER),
    FG_STR_INIT(FG_CLAIM_EMAIL),
    FG_STR_INIT(FG_CLAIM_GIVENNAME),
    FG_STR_INIT(FG_CLAIM_SURNAME),
    FG_STR_INIT(FG_CLAIM_UPN),
    FG_STR_INIT(FG_CLAIM_ROLE),
    FG_STR_INIT(FG_CLAIM_WINDOWSACCOUNTNAME),
    FG_STR_INIT(FG_CLAIM_AUTHMETHOD),
    FG_STR_INIT(FG_CLAIM_AUTHINSTANT),
    FG_STR_INIT(FG_CLAIM_GROUP),
    FG_STR_INIT(FG_CLAIM_UPN_ADFS1),
    FG_STR_INIT(FG_CLAIM_IMMUTABLEID),
    FG_STR_INIT(FG_CLAIM_AUTHNMETHODSREFERENCES),
    FG_STR_INIT(FG_AUTH_PASSWORD),
    FG_STR_INIT(FG_AUTH_WINDOWS),
    FG_STR_INIT(FG_AUTH_X509),
    FG_STR_INIT(FG_AUTH_TLSCLIENT),
    FG_STR_INIT(FG_AUTH_UNSPECIFIED),
    FG_STR_INIT("http://www.w3.org/2001/XMLSchema#string"),
    FG_STR_INIT("urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"),
    FG_STR_INIT("urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"),
    FG_STR_INIT("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"),
    FG_STR_INIT("urn:oasis:names:tc:SAML:2.0:nameid-format:transient"),
};

/* Not set as a whole: what was not seen yet is not looked at. */
static void begin_words(fg_words_t *words) {
    words->known = known_words;
    words->known_count = FG_ARRAY_SIZE(known_words);
    words->seen_count = 0;
}

void fg_session_party_write(fg_buf_t *out, const fg_session_party_t *party) {
    fg_bytes_put_number(out, party->protocol, 1);
    fg_bytes_put_string(out, party->realm);
    fg_bytes_put_string(out, party->reference);
}

fg_session_party_t fg_session_party_read(fg_bytes_t *in) {
    fg_session_party_t party = {.protocol = (fg_protocol_kind_t)fg_bytes_get_number(in, 1)};
    party.realm = fg_bytes_get_string(in);
    party.reference = fg_bytes_get_string(in);
    if (party.protocol >= FG_PROTOCOLS)
        in->failed = true;
    return party;
}

static void put_claims(fg_buf_t *out, fg_words_t *words, const fg_claims_t *claims) {
    fg_bytes_put_number(out, claims->count, 2);
    for (size_t i = 0; i < claims->count; i++) {
        const fg_claim_t *claim = &claims->items[i];
        const fg_str_t parts[] = {claim->type, claim->value, claim->value_type, claim->issuer, claim->original_issuer};
        for (size_t k = 0; k < FG_ARRAY_SIZE(parts); k++)
            fg_bytes_put_word(out, words, parts[k]);
    }
}

/* To the end of the bytes: few sessions have any. */
static void put_actors(fg_buf_t *out, fg_words_t *words, const fg_identity_t *actor) {
    for (; actor != NULL; actor = actor->actor) {
        fg_bytes_put_word(out, words, actor->name_id.value);
        fg_bytes_put_word(out, words, actor->issuer);
        fg_bytes_put_word(out, words, actor->auth_method);
        fg_bytes_put_number(out, (uint64_t)actor->auth_instant_ms, 8);
        put_claims(out, words, &actor->claims);
    }
}

void fg_session_write(fg_buf_t *out, const fg_session_t *session) {
    const fg_identity_t *identity = &session->identity;
    const fg_str_t texts[] = {
        fg_str(session->id),
        session->home_realm,
        identity->name_id.value,
        identity->name_id.format,
        identity->name_id.name_qualifier,
        identity->name_id.sp_name_qualifier,
        identity->issuer,
        identity->auth_method,
        identity->session_index,
        session->provider_index,
    };
    fg_words_t words;
    begin_words(&words);
    fg_bytes_put_number(out, FORMAT_VERSION, 1);
    fg_bytes_put_number(out, (uint64_t)session->created_ms, 8);
    fg_bytes_put_number(out, (uint64_t)session->used_ms, 8);
    fg_bytes_put_number(out, (uint64_t)identity->auth_instant_ms, 8);
    for (size_t i = 0; i < FG_ARRAY_SIZE(texts); i++)
        fg_bytes_put_word(out, &words, texts[i]);
    fg_bytes_put_number(out, session->party_count, 1);
    for (size_t i = 0; i < session->party_count; i++)
        fg_session_party_write(out, &session->parties[i]);
    put_claims(out, &words, &identity->claims);
    put_actors(out, &words, identity->actor);
}

/* All at once: their number is said before them. */
static void read_claims(fg_arena_t *arena, fg_bytes_t *in, fg_words_t *words, fg_claims_t *claims) {
    size_t count = (size_t)fg_bytes_get_number(in, 2);
    if (count > CLAIMS_MAX)
        in->failed = true;
    fg_claim_t *items = in->failed ? NULL : fg_arena_take(arena, (count + 1) * sizeof *items);
    if (items == NULL)
        in->failed = true;
    *claims = (fg_claims_t){items, 0, count};
    while (claims->count < count && !in->failed) {
        fg_claim_t *claim = &items[claims->count++];
        claim->type = fg_bytes_get_word(in, words);
        claim->value = fg_bytes_get_word(in, words);
        claim->value_type = fg_bytes_get_word(in, words);
        claim->issuer = fg_bytes_get_word(in, words);
        claim->original_issuer = fg_bytes_get_word(in, words);
        claim->properties = NULL;
    }
}

static void read_actors(fg_arena_t *arena, fg_bytes_t *in, fg_words_t *words, const fg_identity_t **place) {
    for (unsigned count = 0; in->rest.n > 0 && !in->failed; count++) {
        fg_identity_t *actor = count < FG_ACTORS_MAX ? fg_arena_alloc(arena, sizeof *actor) : NULL;
        if (actor == NULL) {
            in->failed = true;
            return;
        }
        actor->name_id.value = fg_bytes_get_word(in, words);
        actor->issuer = fg_bytes_get_word(in, words);
        actor->auth_method = fg_bytes_get_word(in, words);
        actor->auth_instant_ms = (int64_t)fg_bytes_get_number(in, 8);
        read_claims(arena, in, words, &actor->claims);
        *place = actor;
        place = &actor->actor;
    }
}

bool fg_session_read(fg_arena_t *arena, fg_str_t bytes, fg_session_t *session) {
    fg_bytes_t in = {bytes, false};
    fg_identity_t *identity = &session->identity;
    fg_words_t words;
    fg_str_t id;
    fg_str_t *const texts[] = {
        &id,
        &session->home_realm,
        &identity->name_id.value,
        &identity->name_id.format,
        &identity->name_id.name_qualifier,
        &identity->name_id.sp_name_qualifier,
        &identity->issuer,
        &identity->auth_method,
        &identity->session_index,
        &session->provider_index,
    };
    begin_words(&words);
    if (fg_bytes_get_number(&in, 1) != FORMAT_VERSION)
        return false;
    session->created_ms = (int64_t)fg_bytes_get_number(&in, 8);
    session->used_ms = (int64_t)fg_bytes_get_number(&in, 8);
    identity->auth_instant_ms = (int64_t)fg_bytes_get_number(&in, 8);
    for (size_t i = 0; i < FG_ARRAY_SIZE(texts); i++)
        *texts[i] = fg_bytes_get_word(&in, &words);
    if (id.n == 0 || id.n >= sizeof session->id)
        return false;
    memcpy(session->id, id.p, id.n);
    session->id[id.n] = '\0';
    session->party_count = (size_t)fg_bytes_get_number(&in, 1);
    if (session->party_count > FG_SESSION_PARTIES)
        return false;
    for (size_t i = 0; i < session->party_count; i++)
        session->parties[i] = fg_session_party_read(&in);
    read_claims(arena, &in, &words, &identity->claims);
    read_actors(arena, &in, &words, &identity->actor);
    return fg_bytes_end(&in);
}

/* ---- cookies */

static void chunk_name(char out[32], unsigned i) {
    if (i == 0)
        snprintf(out, 32, "%s", COOKIE);
    else
        snprintf(out, 32, "%s-%u", COOKIE, i);
}

/* The cookie's text from its chunks: the first begins with their number and a dot (HT-10: bounded).  .p NULL: none. */
static fg_str_t join_chunks(fg_exchange_t *ex) {
    size_t times;
    fg_str_t first = fg_request_cookie(&ex->request, COOKIE, &times);
    if (times != 1 || first.n < 3 || first.p[0] < '1' || first.p[0] > (char)('0' + CHUNKS) || first.p[1] != '.')
        return FG_STR_NONE;
    unsigned chunks = (unsigned)(first.p[0] - '0');
    first = (fg_str_t){first.p + 2, first.n - 2};
    const size_t room = CHUNKS * (CHUNK_SIZE + 8);
    char *memory = chunks > 1 ? fg_arena_alloc(ex->arena, room) : NULL;
    if (memory == NULL)
        return chunks == 1 ? first : FG_STR_NONE;
    fg_buf_t text;
    fg_buf_init_in(&text, memory, room);
    fg_buf_put_str(&text, first);
    for (unsigned i = 1; i < chunks; i++) {
        char name[32];
        chunk_name(name, i);
        fg_str_t chunk = fg_request_cookie(&ex->request, name, &times);
        if (times != 1)
            return FG_STR_NONE;
        fg_buf_put_str(&text, chunk);
    }
    return fg_buf_ok(&text) ? fg_buf_str(&text) : FG_STR_NONE;
}

bool fg_session_is_ended(fg_exchange_t *ex, const char *id) {
    fg_store_t *store = ex->env->store;
    char value[1];
    size_t length = sizeof value;
    const fg_str_t parts[] = {FG_STR("session-ended:"), fg_str(id)};
    fg_str_t key = fg_arena_join(ex->arena, parts, FG_ARRAY_SIZE(parts));
    /* a store that cannot answer ends the session: the safe side */
    return store == NULL || key.p == NULL || store->get(store, key, ex->now_ms, value, &length) != FG_STORE_MISSING;
}

static int64_t expires(const fg_exchange_t *ex, const fg_session_t *session) {
    int64_t absolute = session->created_ms + ex->hub->session_absolute_ms;
    int64_t idle = session->used_ms + ex->hub->session_idle_ms;
    return absolute < idle ? absolute : idle;
}

bool fg_session_open(fg_exchange_t *ex, fg_session_t *session) {
    fg_recent_name_t name = {FG_RECENT_COOKIE, fg_bound_host(ex), join_chunks(ex), 0};
    fg_str_t bytes;
    if (name.text.p == NULL)
        return false;
    if (fg_recent_get(ex, &name, session))
        return true;
    *session = (fg_session_t){0};
    if (!fg_cookie_unseal(ex, "session", name.text, &bytes) || !fg_session_read(ex->arena, bytes, session))
        return false;
    if (ex->now_ms >= expires(ex, session) || fg_session_is_ended(ex, session->id))
        return false;
    fg_recent_put(ex, &name, session, expires(ex, session));
    return true;
}

bool fg_session_begin(fg_exchange_t *ex, const fg_identity_t *identity, fg_str_t home_realm, fg_session_t *session,
                      fg_err_t *err) {
    *session =
        (fg_session_t){.identity = *identity, .home_realm = home_realm, .provider_index = identity->session_index};
    session->created_ms = session->used_ms = ex->now_ms;
    if (!fg_id_xml(ex->env, session->id))
        return FG_FAIL(err, FG_E_INTERNAL, "no randomness for a session id");
    session->identity.session_index = fg_arena_str(ex->arena, fg_str(session->id));
    return true;
}

bool fg_session_add_party(fg_session_t *session, const fg_session_party_t *party) {
    size_t i = 0;
    while (i < session->party_count &&
           (session->parties[i].protocol != party->protocol || !fg_str_eq(session->parties[i].realm, party->realm)))
        i++;
    if (i == FG_SESSION_PARTIES)
        return false;
    session->parties[i] = *party;
    if (i == session->party_count)
        session->party_count++;
    return true;
}

void fg_session_add_parties(fg_session_t *session, const fg_session_party_t *parties, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!fg_session_add_party(session, &parties[i]))
            return;
}

/* ---- the cookie that ends a session */

static void clear_end_cookie(fg_exchange_t *ex) {
    size_t times;
    fg_request_cookie(&ex->request, END_COOKIE, &times);
    if (times > 0)
        fg_cookie_set(ex, END_COOKIE, FG_STR(""), "SameSite=None; Max-Age=0");
}

/* Relying parties that find no room are told by an ordinary sign-out only. */
static bool save_for_end(fg_exchange_t *ex, const fg_session_t *session, fg_err_t *err) {
    const fg_home_realm_t *realm = fg_find_home_realm(ex, session->home_realm);
    if (realm == NULL || realm->identity_provider == NULL) {
        clear_end_cookie(ex);
        return true;
    }
    fg_buf_t bytes = FG_BUF_INIT(END_MAX);
    fg_session_write_end(&bytes, session, END_MAX);
    fg_str_t text = FG_STR_NONE;
    bool sealed = fg_buf_ok(&bytes) && fg_cookie_seal(ex, END_COOKIE, fg_buf_str(&bytes), &text);
    fg_buf_free(&bytes);
    if (!sealed)
        return FG_FAIL(err, FG_E_INTERNAL, "the cookie that ends a session could not be sealed");
    fg_cookie_set(ex, END_COOKIE, text, "SameSite=None");
    return true;
}

bool fg_session_open_for_end(fg_exchange_t *ex, fg_session_t *session) {
    size_t times;
    fg_str_t bytes, text = fg_request_cookie(&ex->request, END_COOKIE, &times);
    *session = (fg_session_t){0};
    if (times != 1 || text.n > CHUNK_SIZE || !fg_cookie_unseal(ex, END_COOKIE, text, &bytes) ||
        !fg_session_read_end(ex, bytes, session))
        return false;
    return !fg_session_is_ended(ex, session->id);
}

/* ---- saving and ending */

/* A partner of SAML 2.0 is in it, or an OpenID provider vouched for it. */
static bool may_end_without_browser(fg_exchange_t *ex, const fg_session_t *session) {
    const fg_home_realm_t *realm = fg_find_home_realm(ex, session->home_realm);
    const fg_identity_provider_t *provider = realm != NULL ? realm->identity_provider : NULL;
    if (provider != NULL && (provider->protocol == FG_PROTOCOL_SAML || provider->protocol == FG_PROTOCOL_OPENID))
        return true;
    for (size_t i = 0; i < session->party_count; i++)
        if (session->parties[i].protocol == FG_PROTOCOL_SAML)
            return true;
    return false;
}

bool fg_session_save(fg_exchange_t *ex, const fg_session_t *session, fg_err_t *err) {
    fg_buf_t bytes = FG_BUF_INIT(SESSION_MAX);
    fg_session_t used = *session;
    used.used_ms = ex->now_ms;
    fg_session_write(&bytes, &used);
    fg_str_t text = FG_STR_NONE;
    bool fits = fg_buf_ok(&bytes), sealed = fits && fg_cookie_seal(ex, "session", fg_buf_str(&bytes), &text);
    fg_buf_free(&bytes);
    if (!fits)
        return FG_FAIL(err, FG_E_SESSION_SIZE, "session cookie: over %u bytes", SESSION_MAX);
    if (!sealed)
        return FG_FAIL(err, FG_E_INTERNAL, "session cookie: no randomness");
    unsigned chunks = (unsigned)((text.n + CHUNK_SIZE - 1) / CHUNK_SIZE);
    for (unsigned i = 0; i < CHUNKS; i++) {
        char name[32];
        chunk_name(name, i);
        if (i >= chunks) {
            fg_cookie_clear(ex, name);
            continue;
        }
        size_t from = (size_t)i * CHUNK_SIZE, length = text.n - from < CHUNK_SIZE ? text.n - from : CHUNK_SIZE;
        char *value = i == 0 ? fg_arena_printf(ex->arena, "%u.%.*s", chunks, (int)length, text.p)
                             : fg_arena_strndup(ex->arena, text.p + from, length);
        if (value == NULL)
            return FG_FAIL(err, FG_E_MEMORY, "session cookie");
        fg_cookie_set(ex, name, fg_str(value), "SameSite=Lax");
    }
    if (may_end_without_browser(ex, session))
        fg_session_note(ex, session);
    return save_for_end(ex, session, err);
}

int64_t fg_session_renewal(const fg_exchange_t *ex, const fg_session_t *session) {
    return session->used_ms + ex->hub->session_idle_ms / RENEWAL;
}

bool fg_session_renew(fg_exchange_t *ex, const fg_session_t *session, fg_err_t *err) {
    if (ex->now_ms < fg_session_renewal(ex, session))
        return true;
    return fg_session_save(ex, session, err);
}

void fg_session_end(fg_exchange_t *ex, const fg_session_t *session) {
    for (unsigned i = 0; i < CHUNKS; i++) {
        char name[32];
        chunk_name(name, i);
        fg_cookie_clear(ex, name);
    }
    clear_end_cookie(ex);
    if (session != NULL)
        fg_session_mark_ended(ex, session);
}

void fg_session_mark_ended(fg_exchange_t *ex, const fg_session_t *session) {
    fg_store_t *store = ex->env->store;
    char *key = fg_arena_printf(ex->arena, "session-ended:%s", session->id);
    if (store == NULL || key == NULL)
        return;
    if (store->put(store, fg_str(key), FG_STR("1"), ex->now_ms, session->created_ms + ex->hub->session_absolute_ms) !=
        FG_STORE_OK)
        fg_log(ex->env, FG_LOG_WARN, "%s: the store could not note the end of a session", ex->correlation_id);
}

/* ---- forms */

#define FORM_COOKIE "__Host-fedgate-form"
#define FORM_ID_SIZE 16u
#define FORM_LIFETIME (60 * 60 * 1000)

bool fg_browser_id(fg_exchange_t *ex, bool make, fg_str_t *id) {
    size_t times;
    *id = fg_request_cookie(&ex->request, FORM_COOKIE, &times);
    if (times == 1 && id->n == 2 * FORM_ID_SIZE)
        return true;
    unsigned char random[FORM_ID_SIZE];
    char text[2 * FORM_ID_SIZE + 1];
    if (!make || !ex->env->random(ex->env, random, sizeof random))
        return false;
    fg_hex_encode(random, sizeof random, text);
    *id = fg_arena_str(ex->arena, (fg_str_t){text, 2 * FORM_ID_SIZE});
    if (id->p == NULL)
        return false;
    fg_cookie_set(ex, FORM_COOKIE, *id, "SameSite=Lax");
    return true;
}

bool fg_form_token_make(fg_exchange_t *ex, const char *purpose, fg_str_t *token, fg_err_t *err) {
    fg_str_t id;
    if (!fg_browser_id(ex, true, &id))
        return FG_FAIL(err, FG_E_INTERNAL, "no randomness for a form");
    fg_buf_t bytes = FG_BUF_INIT(512);
    fg_bytes_put_number(&bytes, (uint64_t)ex->now_ms, 8);
    fg_bytes_put_string(&bytes, fg_str(purpose));
    fg_bytes_put_string(&bytes, id);
    bool sealed = fg_buf_ok(&bytes) && fg_cookie_seal(ex, "form", fg_buf_str(&bytes), token);
    fg_buf_free(&bytes);
    return sealed || FG_FAIL(err, FG_E_INTERNAL, "form token");
}

bool fg_form_token_check(fg_exchange_t *ex, const char *purpose, fg_str_t token, fg_err_t *err) {
    fg_str_t id, bytes;
    if (!fg_browser_id(ex, false, &id))
        return FG_FAIL(err, FG_E_CSRF, "the browser sent no form cookie");
    if (token.n > 1024 || !fg_cookie_unseal(ex, "form", token, &bytes))
        return FG_FAIL(err, FG_E_CSRF, "the form's token is missing or not ours");
    fg_bytes_t in = {bytes, false};
    int64_t made = (int64_t)fg_bytes_get_number(&in, 8);
    fg_str_t made_for = fg_bytes_get_string(&in), made_id = fg_bytes_get_string(&in);
    if (in.failed || !fg_str_is(made_for, purpose))
        return FG_FAIL(err, FG_E_CSRF, "the form's token is another form's");
    if (!fg_equal_secret(made_id, id))
        return FG_FAIL(err, FG_E_CSRF, "the form was opened in another browser");
    if (ex->now_ms - made > FORM_LIFETIME)
        return FG_FAIL(err, FG_E_CSRF, "the form is older than an hour");
    return true;
}

/* ---- remembered choices */

static void memory_name(const char *name, char out[48]) {
    unsigned char digest[FG_SHA256_SIZE];
    char hex[2 * FG_SHA256_SIZE + 1];
    fg_sha256(name, strlen(name), digest);
    fg_hex_encode(digest, sizeof digest, hex);
    snprintf(out, 48, COOKIE "-m-%.16s", hex);
}

bool fg_remember(fg_exchange_t *ex, const char *name, fg_str_t value, fg_err_t *err) {
    char cookie[48];
    fg_str_t text;
    memory_name(name, cookie);
    if (value.n > 1024 || !fg_cookie_seal(ex, cookie, value, &text))
        return FG_FAIL(err, FG_E_INTERNAL, "a choice could not be remembered");
    fg_cookie_set(ex, cookie, text, "SameSite=Lax; Max-Age=1209600");
    return true;
}

fg_str_t fg_remembered(fg_exchange_t *ex, const char *name) {
    char cookie[48];
    size_t times;
    fg_str_t bytes;
    memory_name(name, cookie);
    fg_str_t text = fg_request_cookie(&ex->request, cookie, &times);
    if (times != 1 || text.n > 2048 || !fg_cookie_unseal(ex, cookie, text, &bytes))
        return FG_STR_NONE;
    return bytes;
}
