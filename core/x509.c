/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Paths are built and checked by OpenSSL, with env's clock; what RFC 5280 asks for and OpenSSL lets pass is checked
 * here as well. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "core/time.h"
#include "core/x509_files.h"
#include "core/x509_parts.h"

#define INTERMEDIATES_MAX 10
#define SECURITY_LEVEL 2 /* 112 bits: RSA from 2048, no SHA-1 */

struct fg_x509_trust {
    const fg_x509_options_t *options;
    fg_x509_files_t *files;
    fg_x509_memory_t *memory;
};

/* ---- small things about certificates */

int64_t fg_x509_time(const ASN1_TIME *time) {
    struct tm tm;
    if (time == NULL || ASN1_TIME_to_tm(time, &tm) != 1)
        return -1;
    return (int64_t)timegm(&tm) * 1000;
}

/* RFC 4055 §3.1: the digest stands in the parameters; SHA-1 if they do not say. */
static int pss_digest(const X509_ALGOR *algorithm) {
    const ASN1_OBJECT *object;
    const void *value;
    int type, nid = NID_sha1;
    X509_ALGOR_get0(NULL, &type, &value, algorithm);
    RSA_PSS_PARAMS *params = type == V_ASN1_SEQUENCE ? ASN1_item_unpack(value, ASN1_ITEM_rptr(RSA_PSS_PARAMS)) : NULL;
    if (params != NULL && params->hashAlgorithm != NULL) {
        X509_ALGOR_get0(&object, NULL, NULL, params->hashAlgorithm);
        nid = OBJ_obj2nid(object);
    }
    RSA_PSS_PARAMS_free(params);
    return nid;
}

bool fg_x509_is_strong(const X509_ALGOR *algorithm) {
    const ASN1_OBJECT *object;
    int digest, key;
    X509_ALGOR_get0(&object, NULL, NULL, algorithm);
    int nid = OBJ_obj2nid(object);
    if (nid == NID_ED25519 || nid == NID_ED448)
        return true;
    if (OBJ_find_sigid_algs(nid, &digest, &key) != 1)
        return false;
    if (nid == NID_rsassaPss)
        digest = pss_digest(algorithm);
    return digest == NID_sha256 || digest == NID_sha384 || digest == NID_sha512;
}

X509_STORE *fg_x509_store_of(X509 *certificate, int64_t now_ms, unsigned long flags) {
    X509_STORE *store = X509_STORE_new();
    if (store == NULL)
        return NULL;
    X509_VERIFY_PARAM *param = X509_STORE_get0_param(store);
    X509_VERIFY_PARAM_set_time(param, (time_t)(now_ms / 1000));
    X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN | flags);
    if (X509_STORE_add_cert(store, certificate) == 1)
        return store;
    X509_STORE_free(store);
    return NULL;
}

static void name_of(const X509 *certificate, char *text, size_t size) {
    text[0] = '\0';
    X509_NAME_oneline(X509_get_subject_name(certificate), text, (int)size);
}

/* ---- the path */

static const struct {
    int error;
    fg_code_t code;
} codes[] = {
    {X509_V_ERR_CERT_HAS_EXPIRED, FG_E_CERTIFICATE_EXPIRED},
    {X509_V_ERR_CERT_NOT_YET_VALID, FG_E_CERTIFICATE_NOT_YET_VALID},
    {X509_V_ERR_INVALID_PURPOSE, FG_E_CERTIFICATE_PURPOSE},
    {X509_V_ERR_EE_KEY_TOO_SMALL, FG_E_CERTIFICATE_WEAK},
    {X509_V_ERR_CA_KEY_TOO_SMALL, FG_E_CERTIFICATE_WEAK},
    {X509_V_ERR_CA_MD_TOO_WEAK, FG_E_CERTIFICATE_WEAK},
    {X509_V_ERR_OUT_OF_MEM, FG_E_MEMORY},
};

static bool explain(X509_STORE_CTX *context, fg_err_t *err) {
    int error = X509_STORE_CTX_get_error(context);
    const X509 *at = X509_STORE_CTX_get_current_cert(context);
    fg_code_t code = FG_E_CERTIFICATE_UNTRUSTED;
    char name[200] = "";
    for (size_t i = 0; i < FG_ARRAY_SIZE(codes); i++)
        if (codes[i].error == error)
            code = codes[i].code;
    if (at != NULL)
        name_of(at, name, sizeof name);
    return FG_FAIL(err, code, "%s: %s", name, X509_verify_cert_error_string(error));
}

/* Everything above the leaf but the trusted certificate at the end says itself that it is a CA (RFC 5280 §6.1.4 (k)):
 * OpenSSL takes key usage alone for it. */
static bool check_authorities(STACK_OF(X509) * chain, fg_err_t *err) {
    char name[200];
    for (int i = 1; i < sk_X509_num(chain) - 1; i++) {
        X509 *x509 = sk_X509_value(chain, i);
        if (X509_check_ca(x509) == 1)
            continue;
        name_of(x509, name, sizeof name);
        return FG_FAIL(err, FG_E_CERTIFICATE_UNTRUSTED, "%s: is no CA", name);
    }
    return true;
}

/* Where key usage is said, it includes signatures: TLS handshakes and messages are signed. */
static bool check_leaf(X509 *leaf, fg_err_t *err) {
    char name[200];
    if ((X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE) != 0)
        return true;
    name_of(leaf, name, sizeof name);
    return FG_FAIL(err, FG_E_CERTIFICATE_PURPOSE, "%s: key usage without digitalSignature", name);
}

static STACK_OF(X509) * gather(const fg_x509_content_t *content, STACK_OF(X509) * sent) {
    STACK_OF(X509) *all = sk_X509_dup(content->intermediates);
    for (int i = 0; all != NULL && i < sk_X509_num(sent); i++)
        if (sk_X509_push(all, sk_X509_value(sent, i)) == 0) {
            sk_X509_free(all);
            return NULL;
        }
    return all;
}

static void set_wishes(X509_STORE_CTX *context, const fg_x509_options_t *options, const fg_env_t *env,
                       fg_x509_purpose_t purpose) {
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_time(param, (time_t)(fg_now(env) / 1000));
    X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_depth(param, (int)options->depth);
    if (purpose == FG_X509_CLIENT)
        X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_CLIENT);
}

/* The way from leaf to a trusted certificate, both included; the caller lets it go. */
static STACK_OF(X509) * find_path(const fg_x509_trust_t *trust, const fg_x509_content_t *content, const fg_env_t *env,
                                  X509 *leaf, STACK_OF(X509) * sent, fg_x509_purpose_t purpose, fg_err_t *err) {
    STACK_OF(X509) *all = gather(content, sent), *chain = NULL;
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    if (all == NULL || context == NULL || X509_STORE_CTX_init(context, content->store, leaf, all) != 1) {
        FG_FAIL(err, FG_E_MEMORY, "a certificate chain");
    } else {
        set_wishes(context, trust->options, env, purpose);
        if (X509_verify_cert(context) == 1)
            chain = X509_STORE_CTX_get1_chain(context);
        else
            explain(context, err);
    }
    X509_STORE_CTX_free(context);
    sk_X509_free(all);
    return chain;
}

/* ---- revocation */

static fg_x509_status_t (*const askers[])(const fg_x509_question_t *, fg_err_t *) = {
    [FG_X509_CRL_FILES] = fg_x509_ask_crl_files,
    [FG_X509_CRL_FETCHED] = fg_x509_ask_crl_fetched,
    [FG_X509_OCSP] = fg_x509_ask_ocsp,
};

/* The first source that knows; the error tells why none did. */
static bool check_revocation(const fg_x509_options_t *options, const fg_x509_question_t *question, fg_err_t *err) {
    char name[200], all[400] = "";
    name_of(question->certificate, name, sizeof name);
    for (size_t i = 0; i < options->source_count; i++) {
        fg_err_t why = FG_ERR_INIT;
        fg_x509_status_t status = askers[options->sources[i]](question, &why);
        if (status == FG_X509_GOOD)
            return true;
        if (status == FG_X509_REVOKED)
            return FG_FAIL(err, FG_E_CERTIFICATE_REVOKED, "%s: was revoked", name);
        size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s%s", used > 0 ? "; " : "", why.detail);
    }
    return FG_FAIL(err, FG_E_CERTIFICATE_UNCHECKED, "%s: cannot tell whether it was revoked: %s", name, all);
}

/* The trusted certificate itself is the administrator's to withdraw. */
static bool check_chain(const fg_x509_trust_t *trust, const fg_x509_content_t *content, const fg_env_t *env,
                        STACK_OF(X509) * chain, fg_err_t *err) {
    if (!check_authorities(chain, err))
        return false;
    for (int i = sk_X509_num(chain) - 2; trust->options->source_count > 0 && i >= 0; i--) {
        const fg_x509_question_t question = {env, trust->memory, content->crls, sk_X509_value(chain, i),
                                             sk_X509_value(chain, i + 1)};
        if (!check_revocation(trust->options, &question, err))
            return false;
    }
    return true;
}

bool fg_x509_trust_verify(fg_x509_trust_t *trust, const fg_env_t *env, X509 *leaf, STACK_OF(X509) * intermediates,
                          fg_x509_purpose_t purpose, fg_err_t *err) {
    if (sk_X509_num(intermediates) > INTERMEDIATES_MAX)
        return FG_FAIL(err, FG_E_CERTIFICATE_UNTRUSTED, "more than %d certificates come along", INTERMEDIATES_MAX);
    fg_x509_content_t *content = fg_x509_files_acquire(trust->files);
    STACK_OF(X509) *chain = find_path(trust, content, env, leaf, intermediates, purpose, err);
    bool ok = chain != NULL && check_leaf(leaf, err) && check_chain(trust, content, env, chain, err);
    sk_X509_pop_free(chain, X509_free);
    fg_x509_files_release(trust->files, content);
    ERR_clear_error(); /* the thread's queue is shared with the host's TLS */
    return ok;
}

/* ---- making and letting go */

fg_x509_trust_t *fg_x509_trust_new(const fg_x509_options_t *options, const fg_env_t *env, fg_err_t *err) {
    fg_x509_trust_t *trust = calloc(1, sizeof *trust);
    if (trust != NULL)
        trust->memory = fg_x509_memory_new();
    if (trust == NULL || trust->memory == NULL) {
        free(trust);
        FG_FAIL(err, FG_E_MEMORY, "reading CAs");
        return NULL;
    }
    trust->options = options;
    trust->files = fg_x509_files_new(options, env, err);
    if (trust->files != NULL)
        return trust;
    fg_x509_trust_free(trust);
    return NULL;
}

void fg_x509_trust_free(fg_x509_trust_t *trust) {
    if (trust == NULL)
        return;
    fg_x509_files_free(trust->files);
    fg_x509_memory_free(trust->memory);
    free(trust);
}

void fg_x509_trust_refresh(fg_x509_trust_t *trust, const fg_env_t *env) { fg_x509_files_refresh(trust->files, env); }
