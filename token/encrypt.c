/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "token/encrypt.h"

#include "core/xmlenc.h"

#define KEY_SIZE 32u

static const fg_xns_t saml = {"saml", FG_NS_SAML2};

static const struct {
    const char *name;
    fg_enc_algorithm_t algorithm;
} methods[] = {
    [FG_ENCRYPT_AES256_CBC] = {"aes256-cbc", FG_ENC_AES256_CBC},
    [FG_ENCRYPT_AES256_GCM] = {"aes256-gcm", FG_ENC_AES256_GCM},
};

bool fg_encryption_from_name(const char *name, fg_encryption_t *encryption) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(methods); i++) {
        if (strcmp(name, methods[i].name) == 0) {
            *encryption = (fg_encryption_t)i;
            return true;
        }
    }
    return false;
}

static bool write_element(const fg_env_t *env, fg_saml_version_t version, const fg_enc_data_t *data, fg_buf_t *out,
                          fg_err_t *err) {
    fg_xw_t w;
    fg_xw_init(&w, out);
    if (version == FG_SAML_20)
        fg_xw_start(&w, &saml, "EncryptedAssertion");
    if (!fg_xmlenc_put_data(env, &w, data, err))
        return false;
    if (version == FG_SAML_20)
        fg_xw_end(&w);
    return fg_xw_ok(&w) || FG_FAIL(err, FG_E_MEMORY, "the encrypted token does not fit");
}

bool fg_assertion_encrypt(const fg_env_t *env, fg_saml_version_t version, fg_str_t assertion, const fg_key_t *recipient,
                          fg_encryption_t encryption, fg_buf_t *out, fg_err_t *err) {
    unsigned char fresh[KEY_SIZE];
    const fg_enc_key_t key = {.recipient = recipient, .naming = FG_ENC_NAME_CERTIFICATE};
    const fg_enc_data_t data = {.algorithm = methods[encryption].algorithm,
                                .secret = {(const char *)fresh, sizeof fresh},
                                .plain = assertion,
                                .key = &key};
    if (fg_key_is_ec(recipient))
        return FG_FAIL(err, FG_E_CONFIG, "tokens are encrypted to RSA keys only");
    bool done = env->random(env, fresh, sizeof fresh)
                    ? write_element(env, version, &data, out, err)
                    : FG_FAIL(err, FG_E_INTERNAL, "no randomness for an encryption key");
    explicit_bzero(fresh, sizeof fresh);
    return done;
}
