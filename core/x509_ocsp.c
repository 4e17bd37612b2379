/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Asking a responder (RFC 6960).  Its answer is signed by the issuer itself or by somebody whom the issuer gave
 * id-kp-OCSPSigning (§4.2.2.2); a nonce that comes back must be ours, and without one the answer must be of now
 * (§4.2.2.1, §4.4.1).  Whether the responder's own certificate was revoked is not asked: that would be asked of itself.
 */
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "core/http.h"
#include "core/time.h"
#include "core/x509_parts.h"

#define RESPONSE_MAX (64u << 10)
#define RESPONDERS_MAX 2
#define NONCE_SIZE 16
#define SKEW (3 * FG_MINUTE)
#define NOW_IS (5 * FG_MINUTE) /* how old an answer without nextUpdate may be */
#define LONGEST FG_DAY

#define UNKNOWN(err, ...) (FG_FAIL((err), FG_E_CERTIFICATE_UNCHECKED, __VA_ARGS__), FG_X509_UNKNOWN)

/* ---- the question */

/* RFC 5019 §2.1.1: SHA-1 names the certificate, it secures nothing. */
static OCSP_REQUEST *make_request(const fg_x509_question_t *q) {
    unsigned char nonce[NONCE_SIZE];
    OCSP_REQUEST *request = OCSP_REQUEST_new();
    OCSP_CERTID *id = OCSP_cert_to_id(NULL, q->certificate, q->issuer);
    if (request == NULL || id == NULL || OCSP_request_add0_id(request, id) == NULL) {
        OCSP_CERTID_free(id);
        OCSP_REQUEST_free(request);
        return NULL;
    }
    if (q->env->random(q->env, nonce, sizeof nonce) && OCSP_request_add1_nonce(request, nonce, sizeof nonce) == 1)
        return request;
    OCSP_REQUEST_free(request);
    return NULL;
}

static bool make_key(const fg_x509_question_t *q, unsigned char key[FG_SHA256_SIZE]) {
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha256(), q->certificate, q->issuer);
    unsigned char *der = NULL;
    int length = id ? i2d_OCSP_CERTID(id, &der) : 0;
    OCSP_CERTID_free(id);
    if (length <= 0)
        return false;
    fg_sha256(der, (size_t)length, key);
    OPENSSL_free(der);
    return true;
}

/* ---- the answer */

static bool is_signed(const fg_x509_question_t *q, OCSP_BASICRESP *basic, fg_err_t *err) {
    if (!fg_x509_is_strong(OCSP_resp_get0_tbs_sigalg(basic)))
        return FG_FAIL(err, FG_E_CERTIFICATE_UNCHECKED, "OCSP: an answer signed with less than SHA-256");
    X509_STORE *store = fg_x509_store_of(q->issuer, fg_now(q->env), 0);
    STACK_OF(X509) *issuer = sk_X509_new_null();
    bool ok = store != NULL && issuer != NULL && sk_X509_push(issuer, q->issuer) > 0 &&
              OCSP_basic_verify(basic, issuer, store, 0) == 1;
    sk_X509_free(issuer);
    X509_STORE_free(store);
    return ok ||
           FG_FAIL(err, FG_E_CERTIFICATE_UNCHECKED, "OCSP: an answer that neither the issuer nor its responder signed");
}

typedef struct answer {
    int status;
    int64_t this_ms, next_ms; /* -1: no nextUpdate */
    bool nonce;
} answer_t;

static bool find_answer(const fg_x509_question_t *q, OCSP_REQUEST *request, OCSP_BASICRESP *basic, answer_t *answer,
                        fg_err_t *err) {
    ASN1_GENERALIZEDTIME *this_update = NULL, *next_update = NULL;
    OCSP_CERTID *id = OCSP_cert_to_id(NULL, q->certificate, q->issuer);
    int nonce = OCSP_check_nonce(request, basic);
    bool found =
        id != NULL && OCSP_resp_find_status(basic, id, &answer->status, NULL, NULL, &this_update, &next_update) == 1;
    OCSP_CERTID_free(id);
    if (nonce == 0)
        return FG_FAIL(err, FG_E_CERTIFICATE_UNCHECKED, "OCSP: another nonce came back");
    if (!found)
        return FG_FAIL(err, FG_E_CERTIFICATE_UNCHECKED, "OCSP: an answer about other certificates");
    answer->nonce = nonce == 1;
    answer->this_ms = fg_x509_time(this_update);
    answer->next_ms = fg_x509_time(next_update);
    return true;
}

static bool is_of_now(const answer_t *answer, int64_t now, fg_err_t *err) {
    if (answer->this_ms < 0 || answer->this_ms > now + SKEW)
        return FG_FAIL(err, FG_E_CERTIFICATE_UNCHECKED, "OCSP: an answer that is not yet valid");
    if (answer->next_ms >= 0 ? answer->next_ms <= now : !answer->nonce && answer->this_ms < now - NOW_IS)
        return FG_FAIL(err, FG_E_CERTIFICATE_UNCHECKED, "OCSP: an answer that has expired");
    return true;
}

static void keep(const fg_x509_question_t *q, const unsigned char *key, const answer_t *answer) {
    int64_t now = fg_now(q->env), until = answer->next_ms < now + LONGEST ? answer->next_ms : now + LONGEST;
    if (answer->next_ms < 0) /* newer information is there at any time (§2.4): for the requests that come now */
        until = now + FG_SECOND;
    const fg_x509_memo_t memo = {NULL, answer->status == V_OCSP_CERTSTATUS_REVOKED, until, until};
    fg_x509_memory_put(q->memory, key, now, &memo);
}

static fg_x509_status_t judge(const fg_x509_question_t *q, OCSP_REQUEST *request, OCSP_RESPONSE *response,
                              const unsigned char *key, fg_err_t *err) {
    answer_t answer = {0};
    int status = OCSP_response_status(response);
    if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        return UNKNOWN(err, "OCSP: %s", OCSP_response_status_str(status));
    OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
    bool ok = basic != NULL ? is_signed(q, basic, err) && find_answer(q, request, basic, &answer, err) &&
                                  is_of_now(&answer, fg_now(q->env), err)
                            : FG_FAIL(err, FG_E_CERTIFICATE_UNCHECKED, "OCSP: an answer of another type");
    OCSP_BASICRESP_free(basic);
    if (!ok)
        return FG_X509_UNKNOWN;
    if (answer.status == V_OCSP_CERTSTATUS_UNKNOWN)
        return UNKNOWN(err, "OCSP: the responder does not know the certificate");
    keep(q, key, &answer);
    return answer.status == V_OCSP_CERTSTATUS_REVOKED ? FG_X509_REVOKED : FG_X509_GOOD;
}

/* ---- on the wire (RFC 6960 appendix A.1) */

static OCSP_RESPONSE *post(const fg_x509_question_t *q, fg_arena_t *arena, fg_str_t url, fg_str_t body, fg_err_t *err) {
    const fg_http_field_t type = {FG_STR("Content-Type"), FG_STR("application/ocsp-request")};
    const fg_http_request_t request = {
        .method = "POST", .url = url, .headers = &type, .header_count = 1, .body = body, .body_max = RESPONSE_MAX};
    fg_http_response_t response;
    if (!fg_http_fetch(q->env, arena, &request, &response, err))
        return NULL;
    if (response.status != 200) {
        FG_FAIL(err, FG_E_CERTIFICATE_UNCHECKED, "%.*s: HTTP status %d", FG_STR_ARG(url), response.status);
        return NULL;
    }
    const unsigned char *der = (const unsigned char *)response.body.p;
    OCSP_RESPONSE *read = d2i_OCSP_RESPONSE(NULL, &der, (long)response.body.n);
    if (read == NULL)
        FG_FAIL(err, FG_E_CERTIFICATE_UNCHECKED, "%.*s: no OCSP response", FG_STR_ARG(url));
    return read;
}

static fg_x509_status_t ask_responder(const fg_x509_question_t *q, const char *url, const unsigned char *key,
                                      fg_err_t *err) {
    fg_arena_t *arena = fg_arena_new(0);
    OCSP_REQUEST *request = make_request(q);
    unsigned char *der = NULL;
    int length = request ? i2d_OCSP_REQUEST(request, &der) : 0;
    OCSP_RESPONSE *response = NULL;
    if (arena == NULL || length <= 0)
        FG_FAIL(err, FG_E_MEMORY, "asking an OCSP responder");
    else
        response = post(q, arena, fg_str(url), (fg_str_t){(const char *)der, (size_t)length}, err);
    fg_x509_status_t status = response ? judge(q, request, response, key, err) : FG_X509_UNKNOWN;
    OCSP_RESPONSE_free(response);
    OCSP_REQUEST_free(request);
    OPENSSL_free(der);
    fg_arena_free(arena);
    return status;
}

fg_x509_status_t fg_x509_ask_ocsp(const fg_x509_question_t *q, fg_err_t *err) {
    unsigned char key[FG_SHA256_SIZE];
    fg_x509_memo_t kept;
    if (!make_key(q, key))
        return UNKNOWN(err, "OCSP: no name for the certificate");
    if (fg_x509_memory_find(q->memory, key, fg_now(q->env), &kept))
        return kept.revoked ? FG_X509_REVOKED : FG_X509_GOOD;
    STACK_OF(OPENSSL_STRING) *urls = X509_get1_ocsp(q->certificate);
    fg_x509_status_t status = UNKNOWN(err, "OCSP: the certificate names no responder");
    for (int i = 0; i < sk_OPENSSL_STRING_num(urls) && i < RESPONDERS_MAX && status == FG_X509_UNKNOWN; i++)
        status = ask_responder(q, sk_OPENSSL_STRING_value(urls, i), key, err);
    X509_email_free(urls);
    return status;
}
