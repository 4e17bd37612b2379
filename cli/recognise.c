/* SPDX-License-Identifier: GPL-2.0-or-later
 * The table of recognisers, and the wrappings that are not told by a name: base64, DEFLATE, percent-encoding. */
#include "cli/piece.h"

#include <string.h>

#include "core/crypto.h"
#include "core/deflate.h"

#define EXPANDED_MAX (4u << 20)

/* word, title */
static const struct {
    const char *word, *title;
} kinds[] = {
    [FG_PIECE_UNKNOWN] = {"unknown", "nothing that is known here"},
    [FG_PIECE_BASE64] = {"base64", "base64"},
    [FG_PIECE_DEFLATE] = {"deflate", "DEFLATE"},
    [FG_PIECE_PERCENT] = {"percent-encoded", "percent-encoded text"},
    [FG_PIECE_URL] = {"url", "address"},
    [FG_PIECE_FORM] = {"form", "form"},
    [FG_PIECE_HTML] = {"html-form", "HTML page with a form"},
    [FG_PIECE_HTTP] = {"http-message", "HTTP message"},
    [FG_PIECE_HAR] = {"har", "recording of a browser (HAR)"},
    [FG_PIECE_XML] = {"xml", "XML document"},
    [FG_PIECE_SOAP] = {"soap-envelope", "SOAP envelope"},
    [FG_PIECE_FAULT] = {"soap-fault", "SOAP fault"},
    [FG_PIECE_SECURITY] = {"wss-header", "WS-Security header"},
    [FG_PIECE_TIMESTAMP] = {"wss-timestamp", "WS-Security timestamp"},
    [FG_PIECE_USERNAME] = {"username-token", "UsernameToken"},
    [FG_PIECE_BINARY] = {"binary-security-token", "BinarySecurityToken"},
    [FG_PIECE_RST] = {"rst", "WS-Trust request (RequestSecurityToken)"},
    [FG_PIECE_RSTR] = {"rstr", "WS-Trust response (RequestSecurityTokenResponse)"},
    [FG_PIECE_RSTRC] = {"rstr-collection", "WS-Trust response (collection)"},
    [FG_PIECE_SAML11] = {"saml11-assertion", "SAML 1.1 assertion"},
    [FG_PIECE_SAML20] = {"saml20-assertion", "SAML 2.0 assertion"},
    [FG_PIECE_ENCRYPTED] = {"encrypted", "something encrypted"},
    [FG_PIECE_RESPONSE] = {"saml20-response", "SAML 2.0 Response"},
    [FG_PIECE_MESSAGE] = {"saml20-message", "SAML 2.0 protocol message"},
    [FG_PIECE_ENTITY] = {"metadata", "metadata of an entity"},
    [FG_PIECE_ENTITIES] = {"metadata-aggregate", "metadata of several entities"},
    [FG_PIECE_MEX] = {"mex", "WS-MetadataExchange document"},
    [FG_PIECE_WSDL] = {"wsdl", "WSDL"},
    [FG_PIECE_JSON] = {"json", "JSON document"},
    [FG_PIECE_JWT] = {"jwt", "JSON Web Token"},
    [FG_PIECE_JWE] = {"jwe", "encrypted JSON Web Token (JWE)"},
    [FG_PIECE_JWKS] = {"jwks", "JWK set"},
    [FG_PIECE_DISCOVERY] = {"discovery", "OpenID Connect discovery document"},
    [FG_PIECE_TOKEN_RESPONSE] = {"token-response", "OAuth 2.0 token response"},
    [FG_PIECE_OPENID2] = {"openid2-message", "OpenID 2.0 message"},
    [FG_PIECE_CERTIFICATE] = {"certificate", "X.509 certificate"},
};

const char *fg_piece_word(fg_piece_kind_t kind) { return kinds[kind].word; }
const char *fg_piece_title(fg_piece_kind_t kind) { return kinds[kind].title; }

/* ---- the tree */

fg_piece_t *fg_piece_attach(fg_unwrap_t *unwrap, fg_piece_t *parent, fg_piece_kind_t kind, const char *how) {
    unsigned depth = parent != NULL ? parent->depth + 1 : 0;
    if (unwrap->count == FG_PIECES_MAX || depth == FG_PIECES_DEPTH) {
        unwrap->full = true;
        return NULL;
    }
    fg_piece_t *piece = fg_arena_alloc(unwrap->arena, sizeof *piece);
    if (piece == NULL)
        return NULL;
    unwrap->count++;
    *piece = (fg_piece_t){.kind = kind, .how = how, .depth = depth, .parent = parent};
    if (parent != NULL && parent->last != NULL)
        parent->last->next = piece;
    else if (parent != NULL)
        parent->first = piece;
    if (parent != NULL)
        parent->last = piece;
    return piece;
}

/* The last child. */
static void detach(fg_piece_t *piece) {
    fg_piece_t *parent = piece->parent, *before = parent->first;
    if (before == piece) {
        parent->first = parent->last = NULL;
        return;
    }
    while (before->next != piece)
        before = before->next;
    before->next = NULL;
    parent->last = before;
}

fg_piece_t *fg_piece_next(const fg_piece_t *piece) {
    if (piece->first != NULL)
        return piece->first;
    while (piece != NULL && piece->next == NULL)
        piece = piece->parent;
    return piece != NULL ? piece->next : NULL;
}

const fg_err_t *fg_piece_failure(const fg_piece_t *root) {
    for (const fg_piece_t *piece = root; piece != NULL; piece = fg_piece_next(piece))
        if (piece->err.code != FG_OK)
            return &piece->err;
    return NULL;
}

/* ---- wrappings without a name */

static bool is_base64_text(fg_str_t text, bool *url) {
    size_t count = 0;
    *url = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (strchr(" \t\r\n", c) != NULL && c != '\0')
            continue;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '=';
        if (!plain && strchr("+/-_", c) == NULL)
            return false;
        *url = *url || c == '-' || c == '_';
        count++;
    }
    return count >= 16;
}

/* Without white space and padding, in the alphabet of base64url: what is copied by hand is seldom canonical. */
static fg_str_t squeeze(fg_unwrap_t *unwrap, fg_str_t text, bool url) {
    char *copy = fg_arena_strndup(unwrap->arena, text.p, text.n);
    size_t length = 0;
    for (size_t i = 0; copy != NULL && i < text.n; i++) {
        char c = text.p[i];
        if (strchr(" \t\r\n=", c) != NULL)
            continue;
        copy[length++] = !url && c == '+' ? '-' : !url && c == '/' ? '_' : c;
    }
    return (fg_str_t){copy, length};
}

/* A child that is kept only if something comes of it. */
static bool try_child(fg_unwrap_t *unwrap, fg_piece_t *piece, const char *how, fg_str_t bytes) {
    fg_piece_t *child = fg_piece_add(unwrap, piece, how, bytes, true);
    if (child == NULL)
        return false;
    if (child->kind != FG_PIECE_UNKNOWN || child->err.code != FG_OK)
        return true;
    detach(child);
    return false;
}

/* .p NULL: it ends within a byte. */
static fg_str_t decode_base64(fg_arena_t *arena, fg_str_t text) {
    fg_buf_t out = FG_BUF_INIT(FG_INPUT_MAX);
    bool good = fg_base64url_decode(&out, text);
    fg_str_t bytes = good ? fg_arena_str(arena, fg_buf_str(&out)) : FG_STR_NONE;
    fg_buf_free(&out);
    return bytes;
}

static bool recognise_base64(fg_unwrap_t *unwrap, fg_piece_t *piece) {
    bool url;
    if (!is_base64_text(piece->bytes, &url))
        return false;
    fg_str_t text = squeeze(unwrap, piece->bytes, url);
    fg_str_t bytes = text.p != NULL ? decode_base64(unwrap->arena, text) : FG_STR_NONE;
    if (bytes.p == NULL && text.p != NULL) {
        FG_FAIL_FOR(&piece->err, FG_E_TOKEN_MALFORMED, FG_R_INPUT_TRUNCATED,
                    "base64 that ends in the middle of a byte");
        bytes = decode_base64(unwrap->arena, (fg_str_t){text.p, text.n - text.n % 4}); /* what is there of it */
    }
    piece->kind = FG_PIECE_BASE64;
    if (bytes.p != NULL && try_child(unwrap, piece, url ? "base64url" : "base64", bytes))
        return true;
    piece->kind = FG_PIECE_UNKNOWN;
    return false;
}

/* Only what came out of base64 may be deflated: by the Redirect binding, and in JWEs. */
static bool recognise_deflate(fg_unwrap_t *unwrap, fg_piece_t *piece) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t out = FG_BUF_INIT(EXPANDED_MAX);
    if (piece->parent == NULL || piece->parent->kind != FG_PIECE_BASE64)
        return false;
    bool good = fg_inflate(piece->bytes, &out, &err);
    if (!good && out.length > 8 && out.data[0] == '<') /* it was, but there is more to come */
        FG_FAIL_FOR(&piece->err, err.code,
                    err.code == FG_E_HTTP_TOO_LARGE ? FG_R_INPUT_TOO_LARGE : FG_R_INPUT_TRUNCATED, "%s", err.detail);
    fg_str_t text = good ? fg_arena_str(unwrap->arena, fg_buf_str(&out)) : FG_STR_NONE;
    fg_buf_free(&out);
    piece->kind = FG_PIECE_DEFLATE;
    if (text.n > 0 && try_child(unwrap, piece, "DEFLATE", text))
        return true;
    piece->kind = FG_PIECE_UNKNOWN;
    return false;
}

static int hex(char c) {
    const char *digits = "0123456789abcdef", *at = strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c);
    return c != '\0' && at != NULL ? (int)(at - digits) : -1;
}

static bool recognise_percent(fg_unwrap_t *unwrap, fg_piece_t *piece) {
    fg_str_t text = piece->bytes;
    if (memchr(text.p, '%', text.n) == NULL || memchr(text.p, ' ', text.n) != NULL ||
        memchr(text.p, '<', text.n) != NULL)
        return false;
    char *out = fg_arena_strndup(unwrap->arena, text.p, text.n);
    size_t length = 0;
    for (size_t i = 0; out != NULL && i < text.n; i++) {
        bool escape = text.p[i] == '%' && i + 2 < text.n + 0 && hex(text.p[i + 1]) >= 0 && hex(text.p[i + 2]) >= 0;
        out[length++] = escape ? (char)(hex(text.p[i + 1]) * 16 + hex(text.p[i + 2])) : text.p[i];
        i += escape ? 2 : 0;
    }
    piece->kind = FG_PIECE_PERCENT;
    if (out != NULL && length < text.n && try_child(unwrap, piece, "percent-encoding", (fg_str_t){out, length}))
        return true;
    piece->kind = FG_PIECE_UNKNOWN;
    return false;
}

static bool recognise_certificate(fg_unwrap_t *unwrap, fg_piece_t *piece) {
    (void)unwrap;
    if (!fg_str_starts(piece->bytes, "-----BEGIN CERTIFICATE-----"))
        return false;
    piece->kind = FG_PIECE_CERTIFICATE;
    return true;
}

/* ---- the table: the first that says yes */

static bool (*const recognisers[])(fg_unwrap_t *, fg_piece_t *) = {
    fg_recognise_html, fg_recognise_xml,  fg_recognise_json, recognise_certificate, fg_recognise_http, fg_recognise_url,
    fg_recognise_form, fg_recognise_jose, recognise_percent, recognise_base64,      recognise_deflate,
};

static fg_str_t trim(fg_str_t bytes) {
    bytes = fg_str_trim(bytes);
    if (fg_str_starts(bytes, "\xef\xbb\xbf"))
        bytes = (fg_str_t){bytes.p + 3, bytes.n - 3};
    return fg_str_trim(bytes);
}

fg_piece_t *fg_piece_add(fg_unwrap_t *unwrap, fg_piece_t *parent, const char *how, fg_str_t bytes, bool keep) {
    fg_piece_t *piece = fg_piece_attach(unwrap, parent, FG_PIECE_UNKNOWN, how);
    if (piece == NULL)
        return NULL;
    piece->bytes = trim(bytes);
    for (size_t i = 0; i < FG_ARRAY_SIZE(recognisers) && piece->bytes.n > 0; i++)
        if (recognisers[i](unwrap, piece))
            return piece;
    if (keep || piece->err.code != FG_OK || parent == NULL)
        return piece;
    detach(piece);
    return NULL;
}

fg_piece_t *fg_piece_read(fg_unwrap_t *unwrap, fg_str_t input) { return fg_piece_add(unwrap, NULL, NULL, input, true); }
