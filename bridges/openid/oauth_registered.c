/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/openid/oauth_registered.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/time.h"
#include "hub/kept.h"

#define FILE_MAX (32u << 10)
#define URIS_MAX 16u
#define REFRESH_LIFETIME (14 * FG_DAY)

/* ---- files */

/* NULL: no such form, or nobody may register (any more). */
static const char *path_of(fg_exchange_t *ex, fg_str_t client_id) {
    if (ex->hub->registered == NULL || !fg_word_is(client_id))
        return NULL;
    return fg_arena_printf(ex->arena, "%s/%.*s.json", ex->hub->registered_folder, FG_STR_ARG(client_id));
}

static void release_json(void *json) { json_decref(json); }

json_t *fg_oauth_registered_read(fg_exchange_t *ex, fg_str_t client_id) {
    const char *path = path_of(ex, client_id);
    fg_buf_t text = FG_BUF_INIT(FILE_MAX);
    json_t *json = path != NULL && access(path, F_OK) == 0 && fg_file_read(path, &text, NULL, NULL)
                       ? fg_json_parse(fg_buf_str(&text), NULL)
                       : NULL;
    fg_buf_free(&text);
    return json != NULL && fg_arena_own(ex->arena, release_json, json) ? json : NULL;
}

bool fg_oauth_registered_write(fg_exchange_t *ex, fg_str_t client_id, const json_t *metadata, fg_err_t *err) {
    const char *path = path_of(ex, client_id);
    char *text = json_dumps(metadata, JSON_INDENT(1));
    bool made = mkdir(ex->hub->registered_folder, 0700) == 0 || errno == EEXIST;
    bool done = path != NULL && text != NULL && made && fg_file_replace(path, fg_str(text), 0600, err);
    free(text);
    return done || FG_FAIL(err, FG_E_UNAVAILABLE, "a registration cannot be kept in %s", ex->hub->registered_folder);
}

bool fg_oauth_registered_remove(fg_exchange_t *ex, fg_str_t client_id, fg_err_t *err) {
    const char *path = path_of(ex, client_id);
    fg_oauth_registered_forget_keys(ex, client_id);
    return (path != NULL && unlink(path) == 0) || FG_FAIL(err, FG_E_UNAVAILABLE, "a registration cannot be removed");
}

bool fg_oauth_registered_has_room(fg_exchange_t *ex, fg_err_t *err) {
    DIR *folder = opendir(ex->hub->registered_folder);
    unsigned count = 0;
    while (folder != NULL && readdir(folder) != NULL)
        count++;
    if (folder != NULL)
        closedir(folder);
    return count < FG_REGISTERED_MAX + 2 || FG_FAIL(err, FG_E_BUSY, "%u clients are registered", count);
}

/* ---- what the metadata says (RFC 7591 §2) */

static bool fail(fg_err_t *err, const char *name) {
    return FG_FAIL(err, FG_E_OPENID_METADATA, "%s has a form or a value that is not accepted", name);
}

/* A list of strings, or absent. */
static bool read_list(fg_exchange_t *ex, const json_t *metadata, const char *name, fg_str_list_t *list, fg_err_t *err) {
    const json_t *member = json_object_get(metadata, name), *item;
    size_t i, count = json_array_size(member);
    *list = (fg_str_list_t){NULL, 0};
    if (member == NULL)
        return true;
    fg_str_t *items = fg_arena_alloc(ex->arena, (count + 1) * sizeof *items);
    if (items == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "a registration");
    if (!json_is_array(member) || count > URIS_MAX)
        return fail(err, name);
    json_array_foreach(member, i, item) {
        if (!json_is_string(item))
            return fail(err, name);
        items[i] = (fg_str_t){json_string_value(item), json_string_length(item)};
    }
    *list = (fg_str_list_t){items, count};
    return true;
}

static bool is_https(fg_str_t url) { return fg_str_starts(url, "https://") && fg_uri_is_web(url); }

typedef struct word {
    const char *word;
    unsigned bit;
} word_t;

static bool find_bit(const word_t *words, size_t count, fg_str_t text, unsigned *bits) {
    for (size_t i = 0; i < count; i++)
        if (fg_str_is(text, words[i].word)) {
            *bits |= words[i].bit;
            return true;
        }
    return false;
}

static bool read_ways(fg_exchange_t *ex, const json_t *metadata, fg_openid_client_t *client, fg_err_t *err) {
    static const word_t methods[] = {{"none", FG_CLIENT_NONE},
                                     {"client_secret_basic", FG_CLIENT_BASIC},
                                     {"client_secret_post", FG_CLIENT_POST},
                                     {"private_key_jwt", FG_CLIENT_JWT}};
    static const word_t grants[] = {{"authorization_code", FG_GRANT_CODE}, {"refresh_token", FG_GRANT_REFRESH}};
    fg_str_t method = fg_json_string(metadata, "token_endpoint_auth_method");
    fg_str_list_t wanted, types;
    if (json_object_get(metadata, "token_endpoint_auth_method") == NULL)
        method = FG_STR("client_secret_basic"); /* the defaults of §2 */
    if (!find_bit(methods, FG_ARRAY_SIZE(methods), method, &client->auth))
        return fail(err, "token_endpoint_auth_method");
    if (!read_list(ex, metadata, "grant_types", &wanted, err) ||
        !read_list(ex, metadata, "response_types", &types, err))
        return false;
    for (size_t i = 0; i < wanted.count; i++)
        if (!find_bit(grants, FG_ARRAY_SIZE(grants), wanted.items[i], &client->grants))
            return fail(err, "grant_types");
    for (size_t i = 0; i < types.count; i++)
        if (!fg_str_is(types.items[i], "code"))
            return fail(err, "response_types");
    client->grants |= wanted.count == 0 ? FG_GRANT_CODE : 0;
    return (client->grants & FG_GRANT_CODE) != 0 || fail(err, "grant_types");
}

/* By value or at an address, not both (RFC 7591 §2). */
static bool read_keys(fg_exchange_t *ex, const json_t *metadata, fg_openid_client_t *client, fg_err_t *err) {
    const json_t *jwks = json_object_get(metadata, "jwks"), *place = json_object_get(metadata, "jwks_uri");
    bool wanted = (client->auth & FG_CLIENT_JWT) != 0;
    fg_err_t why = FG_ERR_INIT;
    if (wanted != (jwks != NULL || place != NULL) || (jwks != NULL && place != NULL))
        return fail(err, "jwks");
    client->jwks_uri = fg_json_string(metadata, "jwks_uri");
    if (place != NULL)
        return is_https(client->jwks_uri) || fail(err, "jwks_uri");
    if (!wanted)
        return true;
    char *text = json_dumps(jwks, JSON_COMPACT);
    bool read = text != NULL && fg_jwk_set_read(ex->arena, fg_str(text), &client->keys, &why);
    free(text);
    return (read && client->keys.count > 0) || fail(err, "jwks");
}

/* A place of its own: the rules decided about its redirect URIs, and nobody else is to hear of the people there
 * (front-channel logout 1.0 §2; the back channel says no such thing, and would have us post anywhere). */
static bool is_own_place(const fg_openid_client_t *client, fg_str_t url) {
    bool found = false;
    fg_buf_t origin = FG_BUF_INIT(1024), other = FG_BUF_INIT(1024);
    bool good = is_https(url) && fg_uri_origin(url, &origin);
    for (size_t i = 0; good && !found && i < client->redirect_uris.count; i++) {
        fg_buf_reset(&other);
        found =
            fg_uri_origin(client->redirect_uris.items[i], &other) && fg_str_eq(fg_buf_str(&origin), fg_buf_str(&other));
    }
    fg_buf_free(&origin);
    fg_buf_free(&other);
    return found;
}

/* Where it is told of a session's end.  What it is told names the session (sid) whether or not it asks for that. */
static bool read_logout(const json_t *metadata, fg_openid_client_t *client, fg_err_t *err) {
    const struct {
        const char *name, *session;
        fg_str_t *url;
    } ways[] = {
        {"backchannel_logout_uri", "backchannel_logout_session_required", &client->back_channel_logout},
        {"frontchannel_logout_uri", "frontchannel_logout_session_required", &client->front_channel_logout},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(ways); i++) {
        const json_t *session = json_object_get(metadata, ways[i].session);
        *ways[i].url = fg_json_string(metadata, ways[i].name);
        if (json_object_get(metadata, ways[i].name) != NULL && !is_own_place(client, *ways[i].url))
            return fail(err, ways[i].name);
        if (session != NULL && !json_is_boolean(session))
            return fail(err, ways[i].session);
    }
    return true;
}

static bool read_secret(fg_exchange_t *ex, const json_t *metadata, fg_openid_client_t *client, fg_err_t *err) {
    fg_str_t hex = fg_json_string(metadata, FG_REGISTERED_SECRET);
    fg_client_secret_t *secret = fg_arena_alloc(ex->arena, sizeof *secret);
    if (secret == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "a registration");
    for (size_t i = 0; hex.n == 2 * FG_SHA256_SIZE && i < FG_SHA256_SIZE; i++) {
        const char pair[] = {hex.p[2 * i], hex.p[2 * i + 1], '\0'};
        secret->digest[i] = (unsigned char)strtoul(pair, NULL, 16);
    }
    client->secrets = secret;
    client->secret_count = hex.n == 2 * FG_SHA256_SIZE;
    return true;
}

static bool read_uris(fg_exchange_t *ex, const json_t *metadata, fg_openid_client_t *client, fg_err_t *err) {
    const fg_str_list_t *uris = &client->redirect_uris;
    if (!read_list(ex, metadata, "redirect_uris", &client->redirect_uris, err) ||
        !read_list(ex, metadata, "post_logout_redirect_uris", &client->post_logout_uris, err))
        return false;
    for (size_t i = 0; i < uris->count; i++)
        if (!fg_openid_redirect_is_possible(uris->items[i]))
            return FG_FAIL(err, FG_E_OPENID_METADATA_URI, "redirect_uri \"%.*s\"", FG_STR_ARG(uris->items[i]));
    for (size_t i = 0; i < client->post_logout_uris.count; i++)
        if (!fg_uri_is_web(client->post_logout_uris.items[i]))
            return fail(err, "post_logout_redirect_uris");
    return uris->count > 0 || FG_FAIL(err, FG_E_OPENID_METADATA_URI, "no redirect_uris");
}

static bool read_subject(const json_t *metadata, fg_openid_client_t *client, fg_err_t *err) {
    fg_str_t type = fg_json_string(metadata, "subject_type");
    if (json_object_get(metadata, "subject_type") == NULL || fg_str_is(type, "public"))
        return true;
    if (!fg_str_is(type, "pairwise"))
        return fail(err, "subject_type");
    client->sector = fg_openid_redirect_host(client->redirect_uris.items[0]);
    for (size_t i = 1; i < client->redirect_uris.count; i++)
        if (!fg_str_eq(fg_openid_redirect_host(client->redirect_uris.items[i]), client->sector))
            return fail(err, "subject_type");
    return client->sector.n > 0 || fail(err, "subject_type");
}

/* For people: the name that the client gives itself, and behind it where they are sent, which it cannot make up. */
static const char *name_of(fg_exchange_t *ex, const json_t *metadata, const fg_openid_client_t *client) {
    fg_str_t name = fg_json_string(metadata, "client_name"), uri = client->redirect_uris.items[0];
    fg_str_t host = fg_openid_redirect_host(uri);
    if (host.n == 0)
        host = uri;
    return name.n > 0 ? fg_arena_printf(ex->arena, "%.*s (%.*s)", FG_STR_ARG(name), FG_STR_ARG(host))
                      : fg_arena_printf(ex->arena, "%.*s", FG_STR_ARG(host));
}

bool fg_oauth_registered_build(fg_exchange_t *ex, fg_str_t client_id, const json_t *metadata, fg_partner_t *partner,
                               fg_err_t *err) {
    fg_openid_client_t *client = fg_arena_alloc(ex->arena, sizeof *client);
    fg_str_t scope = fg_json_string(metadata, "scope");
    if (client == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "a registration");
    *client = (fg_openid_client_t){.id = client_id, .asks_consent = true, .refresh_lifetime_ms = REFRESH_LIFETIME};
    if (!read_uris(ex, metadata, client, err) || !read_ways(ex, metadata, client, err) ||
        !read_keys(ex, metadata, client, err) || !read_secret(ex, metadata, client, err) ||
        !read_logout(metadata, client, err) || !read_subject(metadata, client, err))
        return false;
    fg_str_t *words = fg_arena_alloc(ex->arena, (scope.n + 1) * sizeof *words);
    size_t count = 0;
    for (fg_str_t word = fg_openid_next_word(&scope); words != NULL && word.n > 0; word = fg_openid_next_word(&scope))
        words[count++] = word;
    client->scopes = (fg_str_list_t){words, count};
    *partner = *ex->hub->registered;
    partner->openid = client;
    partner->realm_count = 0; /* it is nobody's resource */
    partner->display_name = name_of(ex, metadata, client);
    return (words != NULL && partner->display_name != NULL) || FG_FAIL(err, FG_E_MEMORY, "a registration");
}

void fg_oauth_registered_digest(fg_str_t secret, char hex[2 * FG_SHA256_SIZE + 1]) {
    unsigned char digest[FG_SHA256_SIZE];
    fg_sha256(secret.p, secret.n, digest);
    fg_hex_encode(digest, sizeof digest, hex);
}

const fg_partner_t *fg_openid_client_get(fg_exchange_t *ex, fg_str_t client_id) {
    fg_err_t err = FG_ERR_INIT;
    const fg_partner_t *known = fg_hub_find_client(ex->hub, client_id);
    const json_t *metadata = known == NULL ? fg_oauth_registered_read(ex, client_id) : NULL;
    fg_partner_t *partner = metadata != NULL ? fg_arena_alloc(ex->arena, sizeof *partner) : NULL;
    if (partner == NULL)
        return known;
    client_id = fg_arena_str(ex->arena, client_id);
    return client_id.p != NULL && fg_oauth_registered_build(ex, client_id, metadata, partner, &err) ? partner : NULL;
}
