/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "token/encrypt.h"

#include "core/xmlenc.h"

#define KEY_SIZE 32u
#define PART_MAX (192u << 10)

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

/* xenc:EncryptedData under a key of its own, in an element of that name; NULL: bare. */
static bool write_encrypted(const fg_env_t *env, fg_xw_t *w, const char *name, fg_enc_data_t *data,
                            const fg_key_t *recipient, fg_err_t *err) {
    unsigned char fresh[KEY_SIZE];
    const fg_enc_key_t key = {.recipient = recipient, .naming = FG_ENC_NAME_CERTIFICATE};
    if (fg_key_is_ec(recipient))
        return FG_FAIL(err, FG_E_CONFIG, "tokens are encrypted to RSA keys only");
    if (!env->random(env, fresh, sizeof fresh))
        return FG_FAIL(err, FG_E_INTERNAL, "no randomness for an encryption key");
    data->secret = (fg_str_t){(const char *)fresh, sizeof fresh};
    data->key = &key;
    if (name != NULL)
        fg_xw_start(w, &saml, name);
    bool done = fg_xmlenc_put_data(env, w, data, err);
    if (name != NULL)
        fg_xw_end(w);
    explicit_bzero(fresh, sizeof fresh);
    return done;
}

bool fg_assertion_encrypt(const fg_env_t *env, fg_saml_version_t version, fg_str_t assertion, const fg_key_t *recipient,
                          fg_encryption_t encryption, fg_buf_t *out, fg_err_t *err) {
    fg_enc_data_t data = {.algorithm = methods[encryption].algorithm, .plain = assertion};
    fg_xw_t w;
    fg_xw_init(&w, out);
    return write_encrypted(env, &w, version == FG_SAML_20 ? "EncryptedAssertion" : NULL, &data, recipient, err) &&
           (fg_xw_ok(&w) || FG_FAIL(err, FG_E_MEMORY, "the encrypted token does not fit"));
}

/* ---- parts */

fg_xw_t *fg_part_begin(fg_part_t *part, fg_xw_t *w, const fg_encryptor_t *encryptor) {
    part->encryptor = encryptor;
    if (encryptor == NULL)
        return w;
    part->plain = (fg_buf_t)FG_BUF_INIT(PART_MAX);
    fg_xw_init(&part->inner, &part->plain);
    return &part->inner;
}

void fg_part_end(fg_part_t *part, fg_xw_t *w, const char *name) {
    const fg_encryptor_t *encryptor = part->encryptor;
    fg_err_t err = FG_ERR_INIT;
    if (encryptor == NULL)
        return;
    fg_enc_data_t data = {.algorithm = methods[encryptor->encryption].algorithm, .plain = fg_buf_str(&part->plain)};
    if (!fg_xw_ok(&part->inner) || !write_encrypted(encryptor->env, w, name, &data, encryptor->recipient, &err))
        w->failed = true;
    fg_buf_free(&part->plain);
}

void fg_saml_write_name_id(fg_xw_t *outer, const fg_name_id_t *name_id, const fg_encryptor_t *encryptor) {
    fg_part_t part;
    fg_xw_t *w = fg_part_begin(&part, outer, encryptor);
    fg_xw_start(w, &saml, "NameID");
    if (name_id->format.n > 0)
        fg_xw_attr(w, "Format", name_id->format);
    if (name_id->name_qualifier.n > 0)
        fg_xw_attr(w, "NameQualifier", name_id->name_qualifier);
    if (name_id->sp_name_qualifier.n > 0)
        fg_xw_attr(w, "SPNameQualifier", name_id->sp_name_qualifier);
    fg_xw_text(w, name_id->value);
    fg_xw_end(w);
    fg_part_end(&part, outer, "EncryptedID");
}
