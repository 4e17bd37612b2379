/* SPDX-License-Identifier: GPL-2.0-or-later
 * Metadata documents, and certificates. */
#include <string.h>

#include "cli/verify.h"

static bool check_certificate(fg_verify_t *v, fg_err_t *err) {
    fg_key_t *key = fg_key_from_pem(v->subject->bytes, err);
    if (key == NULL && err->code == FG_E_SIG_KEY) /* as core/x509.c says it of a key that is too short */
        err->reason = FG_R_CERTIFICATE_WEAK;
    if (key == NULL)
        return false;
    bool good = v->ca != NULL && fg_key_get_x509(key) != NULL
                    ? fg_x509_trust_verify(v->ca, &v->env, fg_key_get_x509(key), NULL, FG_X509_SIGNER, err)
                    : FG_FAIL(err, FG_E_CERTIFICATE_UNTRUSTED, "no CA is given (--ca)");
    fg_key_unref(key);
    return good;
}

static void only_signature(fg_verify_t *v, const char *why) {
    for (unsigned check = FG_CHECK_DESTINATION; check < FG_CHECKS; check++)
        if (check != FG_CHECK_TIMES && check != FG_CHECK_ISSUER)
            fg_verify_not_checked(v, (fg_check_t)check, why);
}

void fg_verify_certificate(fg_verify_t *v) {
    fg_err_t err = FG_ERR_INIT;
    if (!check_certificate(v, &err))
        fg_verify_fail(v, &err);
    only_signature(v, "a certificate has none");
    if (v->err.code == FG_OK)
        fg_verify_passed(v, FG_CHECK_TIMES);
}

/* Of the whole document: what it holds is read by who needs it. */
void fg_verify_metadata(fg_verify_t *v) {
    const fg_dsig_trust_t trust = {v->trust.keys, v->trust.key_count, v->allow_sha1};
    fg_dsig_verified_t verified;
    fg_err_t err = FG_ERR_INIT;
    fg_entity_reader_t in = {&v->env, v->arena, &err, 0};
    v->in_order = true;
    only_signature(v, "metadata has none");
    fg_verify_not_checked(v, FG_CHECK_ISSUER, "the signature is of who publishes it");
    if (!fg_dsig_verify_enveloped(v->subject->xml, "ID", &trust, &verified, &err) ||
        !fg_entity_check_validity(&in, verified.element))
        fg_verify_fail(v, &err);
    else
        fg_verify_passed(v, FG_CHECK_TIMES);
}
