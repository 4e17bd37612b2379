/* SPDX-License-Identifier: GPL-2.0-or-later
 * Kinds of JSON by their members, and JSON Web Tokens. */
#include "cli/piece.h"

#include <string.h>

#include "core/json.h"
#include "token/jwe.h"
#include "token/jws.h"

static void release_json(void *json) { json_decref(json); }

/* ---- HAR (HTTP Archive 1.2): what went to and fro, as far as there is something in it */

static void add_text(fg_unwrap_t *unwrap, fg_piece_t *piece, const json_t *value, const char *how) {
    if (json_is_string(value) && json_string_length(value) > 0)
        fg_piece_add(unwrap, piece, how, (fg_str_t){json_string_value(value), json_string_length(value)}, false);
}

static const json_t *find_header(const json_t *message, const char *name) {
    const json_t *headers = json_object_get(message, "headers");
    for (size_t i = 0; i < json_array_size(headers); i++) {
        const json_t *header = json_array_get(headers, i);
        if (fg_str_eq_nocase(fg_json_string(header, "name"), fg_str(name)))
            return json_object_get(header, "value");
    }
    return NULL;
}

static void unwrap_entry(fg_unwrap_t *unwrap, fg_piece_t *piece, const json_t *entry, size_t number) {
    const json_t *request = json_object_get(entry, "request"), *response = json_object_get(entry, "response");
    fg_str_t method = fg_json_string(request, "method"), url = fg_json_string(request, "url");
    size_t length = 0;
    while (length < url.n && strchr("?#", url.p[length]) == NULL)
        length++;
    const char *name = fg_arena_printf(unwrap->arena, "%zu: %.*s %.*s", number + 1, FG_STR_ARG(method),
                                       (int)(length > 120 ? 120 : length), url.p ? url.p : "");
    const json_t *post = json_object_get(request, "postData"), *content = json_object_get(response, "content");
    if (name == NULL)
        return;
    add_text(unwrap, piece, json_object_get(request, "url"), name);
    add_text(unwrap, piece, find_header(request, "Authorization"),
             fg_arena_printf(unwrap->arena, "%s, Authorization", name));
    add_text(unwrap, piece, json_object_get(post, "text"), fg_arena_printf(unwrap->arena, "%s, body", name));
    add_text(unwrap, piece, find_header(response, "Location"), fg_arena_printf(unwrap->arena, "%s, Location", name));
    add_text(unwrap, piece, json_object_get(content, "text"), fg_arena_printf(unwrap->arena, "%s, answer", name));
}

static void unwrap_har(fg_unwrap_t *unwrap, fg_piece_t *piece) {
    const json_t *entries = json_object_get(json_object_get(piece->json, "log"), "entries");
    for (size_t i = 0; i < json_array_size(entries); i++)
        unwrap_entry(unwrap, piece, json_array_get(entries, i), i);
}

static void unwrap_tokens(fg_unwrap_t *unwrap, fg_piece_t *piece) {
    static const char *const members[] = {"id_token", "access_token", "refresh_token"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(members); i++)
        add_text(unwrap, piece, json_object_get(piece->json, members[i]), members[i]);
}

/* The parameters of a form or a query, as logs write them down. */
static void unwrap_parameters(fg_unwrap_t *unwrap, fg_piece_t *piece) {
    static const char *const members[] = {"SAMLResponse", "SAMLRequest", "wresult"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(members); i++)
        add_text(unwrap, piece, json_object_get(piece->json, members[i]), members[i]);
}

/* two members that tell it (the second may be NULL), kind, what is inside */
static const struct {
    const char *one, *other;
    fg_piece_kind_t kind;
    void (*unwrap)(fg_unwrap_t *, fg_piece_t *);
} documents[] = {
    {"log", NULL, FG_PIECE_HAR, unwrap_har},
    {"issuer", "jwks_uri", FG_PIECE_DISCOVERY, NULL},
    {"issuer", "authorization_endpoint", FG_PIECE_DISCOVERY, NULL},
    {"keys", NULL, FG_PIECE_JWKS, NULL},
    {"SAMLResponse", NULL, FG_PIECE_JSON, unwrap_parameters},
    {"SAMLRequest", NULL, FG_PIECE_JSON, unwrap_parameters},
    {"wresult", NULL, FG_PIECE_JSON, unwrap_parameters},
    {"access_token", NULL, FG_PIECE_TOKEN_RESPONSE, unwrap_tokens},
    {"id_token", NULL, FG_PIECE_TOKEN_RESPONSE, unwrap_tokens},
};

bool fg_recognise_json(fg_unwrap_t *unwrap, fg_piece_t *piece) {
    if (piece->bytes.p[0] != '{')
        return false;
    piece->kind = FG_PIECE_JSON;
    piece->json = fg_json_parse(piece->bytes, &piece->err);
    if (piece->json == NULL) {
        piece->err.code = FG_E_TOKEN_MALFORMED;
        if (piece->err.reason != FG_R_INPUT_TRUNCATED)
            piece->err.reason = FG_R_STRUCTURE_INVALID;
        return true;
    }
    if (!fg_arena_own(unwrap->arena, release_json, piece->json))
        return false;
    for (size_t i = 0; i < FG_ARRAY_SIZE(documents); i++) {
        if (json_object_get(piece->json, documents[i].one) == NULL ||
            (documents[i].other != NULL && json_object_get(piece->json, documents[i].other) == NULL))
            continue;
        piece->kind = documents[i].kind;
        if (documents[i].unwrap != NULL)
            documents[i].unwrap(unwrap, piece);
        break;
    }
    return true;
}

/* ---- JOSE in compact form */

static size_t count_dots(fg_str_t text) {
    size_t dots = 0;
    for (size_t i = 0; i < text.n; i++)
        dots += text.p[i] == '.';
    return dots;
}

static json_t *decode_object(fg_unwrap_t *unwrap, fg_str_t text, fg_err_t *err) {
    fg_str_t bytes = fg_jws_decode(unwrap->arena, text);
    if (bytes.p == NULL) {
        FG_FAIL_FOR(err, FG_E_TOKEN_MALFORMED, FG_R_JWT_MALFORMED, "a part that is no base64url");
        return NULL;
    }
    return fg_jws_object(unwrap->arena, bytes, "part", err);
}

static void unwrap_jwe(fg_unwrap_t *unwrap, fg_piece_t *piece) {
    const fg_decryption_t *with = unwrap->decryption;
    fg_str_t plain;
    if (with != NULL && fg_jwe_open(unwrap->arena, piece->bytes, with->keys, with->key_count, &plain, &piece->err))
        fg_piece_add(unwrap, piece, "decrypted", plain, false);
}

/* "eyJ" is how '{"' begins in base64. */
bool fg_recognise_jose(fg_unwrap_t *unwrap, fg_piece_t *piece) {
    fg_str_t text = piece->bytes, parts[2];
    if (text.n > 7 && fg_str_eq_nocase((fg_str_t){text.p, 7}, FG_STR("Bearer ")))
        text = fg_str_trim((fg_str_t){text.p + 7, text.n - 7});
    size_t dots = count_dots(text);
    if (!fg_str_starts(text, "ey") || dots < 1 || dots > 4 || memchr(text.p, ' ', text.n) != NULL)
        return false;
    piece->bytes = text;
    const char *first = memchr(text.p, '.', text.n);
    parts[0] = (fg_str_t){text.p, (size_t)(first - text.p)};
    const char *second = memchr(first + 1, '.', text.n - parts[0].n - 1);
    parts[1] = (fg_str_t){first + 1, second != NULL ? (size_t)(second - first - 1) : text.n - parts[0].n - 1};
    piece->kind = dots == 4 ? FG_PIECE_JWE : FG_PIECE_JWT;
    if (dots != 2 && dots != 4)
        FG_FAIL_FOR(&piece->err, FG_E_TOKEN_MALFORMED, FG_R_JWT_MALFORMED, "%zu parts, not three", dots + 1);
    piece->header = decode_object(unwrap, parts[0], &piece->err);
    if (piece->kind == FG_PIECE_JWT && piece->header != NULL)
        piece->json = decode_object(unwrap, parts[1], &piece->err);
    if (piece->kind == FG_PIECE_JWE && piece->header != NULL)
        unwrap_jwe(unwrap, piece);
    return true;
}
