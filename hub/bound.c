/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/bound.h"

#include "hub/message.h"

fg_str_t fg_holder_certificate(fg_exchange_t *ex) {
    unsigned char digest[FG_SHA256_SIZE];
    fg_err_t err = FG_ERR_INIT;
    const fg_key_t *key = fg_message_connection_key(ex, &err);
    unsigned char *der = NULL;
    int length = key != NULL ? i2d_X509(fg_key_get_x509(key), &der) : -1;
    if (length <= 0)
        return FG_STR_NONE;
    fg_sha256(der, (size_t)length, digest);
    OPENSSL_free(der);
    fg_buf_t text = FG_BUF_INIT(64);
    fg_base64url_encode(&text, digest, sizeof digest);
    fg_str_t thumbprint = fg_buf_ok(&text) ? fg_arena_str(ex->arena, fg_buf_str(&text)) : FG_STR_NONE;
    fg_buf_free(&text);
    return thumbprint;
}

static bool is_known(const char *name) { return strcmp(name, "x5t#S256") == 0 || strcmp(name, "jkt") == 0; }

bool fg_bound_check(fg_exchange_t *ex, const json_t *cnf, const fg_dpop_t *dpop, fg_err_t *err) {
    fg_str_t certificate = fg_json_string(cnf, "x5t#S256"), key = fg_json_string(cnf, "jkt");
    const char *name;
    json_t *value;
    if (cnf == NULL) /* RFC 9449 §7.1: a token that is tied to no key does not go with a proof */
        return dpop->jkt.n == 0 || FG_FAIL(err, FG_E_TOKEN_CONFIRMATION, "a proof with a token that has no cnf");
    if (!json_is_object(cnf) || json_object_size(cnf) == 0)
        return FG_FAIL(err, FG_E_TOKEN_CONFIRMATION, "cnf is no object, or says nothing");
    json_object_foreach((json_t *)(uintptr_t)cnf, name,
                        value) if (!is_known(name) ||
                                   !json_is_string(value)) return FG_FAIL(err, FG_E_TOKEN_CONFIRMATION,
                                                                          "cnf with %s cannot be checked", name);
    if (certificate.p != NULL && !fg_str_eq(certificate, fg_holder_certificate(ex)))
        return FG_FAIL(err, FG_E_TOKEN_CONFIRMATION, "the token is another certificate's");
    if (key.p != NULL ? !fg_str_eq(key, dpop->jkt) : dpop->jkt.n > 0)
        return FG_FAIL(err, FG_E_TOKEN_CONFIRMATION, "the token is not this proof's key's");
    return true;
}

fg_str_t fg_bound_write(fg_exchange_t *ex, const fg_holder_t *holder) {
    fg_str_t certificate = holder->certificate, key = holder->key;
    if (certificate.n == 0 && key.n == 0)
        return FG_STR("");
    const char *between = certificate.n > 0 && key.n > 0 ? "," : "";
    const char *first = certificate.n > 0 ? fg_arena_printf(ex->arena, "\"x5t#S256\":\"%s\"", certificate.p) : "";
    const char *second = key.n > 0 ? fg_arena_printf(ex->arena, "\"jkt\":\"%s\"", key.p) : "";
    if (first == NULL || second == NULL)
        return FG_STR_NONE;
    return fg_str(fg_arena_printf(ex->arena, "{%s%s%s}", first, between, second));
}
