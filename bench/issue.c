/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * CPU time per issued token beside one bare OpenSSL signature with the same key in the same run, interleaved round
 * by round; the medians are shown.  make bench; bench/issue [ROUNDS] */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/crypto.h"
#include "core/time.h"
#include "token/assertion.h"
#include "token/jwt.h"

#define NOW INT64_C(1767225600000)
#define MOST_ROUNDS 201

static const fg_claim_t claim_items[] = {
    {.type = FG_STR(FG_CLAIM_NAME), .value = FG_STR("alice")},
    {.type = FG_STR(FG_CLAIM_UPN), .value = FG_STR("alice@example.test")},
    {.type = FG_STR(FG_CLAIM_EMAIL), .value = FG_STR("alice@example.test")},
    {.type = FG_STR(FG_CLAIM_GIVENNAME), .value = FG_STR("Alice")},
    {.type = FG_STR(FG_CLAIM_SURNAME), .value = FG_STR("Example")},
    {.type = FG_STR(FG_CLAIM_ROLE), .value = FG_STR("Administrators")},
    {.type = FG_STR(FG_CLAIM_ROLE), .value = FG_STR("Staff")},
};
static const fg_claims_t claims = {(fg_claim_t *)claim_items, FG_ARRAY_SIZE(claim_items), 0};
static const fg_identity_t identity = {.auth_method = FG_STR(FG_AUTH_PASSWORD), .auth_instant_ms = NOW};

typedef struct job {
    const fg_key_t *key;
    fg_saml_version_t version;
    unsigned count; /* per round */
} job_t;

typedef bool (*work_t)(const job_t *);

/* The SignedInfo of an assertion is about that long. */
static bool sign_bare(const job_t *job) {
    static const unsigned char data[760] = {0};
    unsigned char signature[1024];
    size_t length = sizeof signature;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, fg_key_get_pkey(job->key)) == 1 &&
              EVP_DigestSign(context, signature, &length, data, sizeof data) == 1;
    EVP_MD_CTX_free(context);
    return ok;
}

static bool issue(const job_t *job) {
    fg_buf_t out = FG_BUF_INIT(192u << 10);
    fg_err_t err = FG_ERR_INIT;
    fg_assertion_t assertion = {
        .version = job->version,
        .id = "_0f0e0d0c-0b0a-4908-8706-050403020100",
        .issuer = FG_STR("http://fs.example.test/adfs/services/trust"),
        .issue_instant_ms = NOW,
        .not_before_ms = NOW,
        .not_on_or_after_ms = NOW + FG_HOUR,
        .audience = FG_STR("urn:federation:MicrosoftOnline"),
        .name_id = {.value = FG_STR("alice@example.test")},
        .identity = &identity,
        .claims = &claims,
    };
    bool ok = fg_assertion_write(&assertion, job->key, &out, &err);
    fg_buf_free(&out);
    return ok;
}

static bool issue_jwt(const job_t *job) {
    fg_buf_t out = FG_BUF_INIT(64u << 10);
    const fg_jwt_t jwt = {
        .type = "JWT",
        .id = FG_STR("_0f0e0d0c-0b0a-4908-8706-050403020100"),
        .issuer = FG_STR("https://fs.example.test/adfs"),
        .subject = FG_STR("alice@example.test"),
        .audience = FG_STR("urn:federation:MicrosoftOnline"),
        .issued_ms = NOW,
        .not_before_ms = NOW,
        .expires_ms = NOW + FG_HOUR,
        .identity = &identity,
        .claims = &claims,
    };
    bool ok = fg_jwt_write(&jwt, job->key, &out, NULL);
    fg_buf_free(&out);
    return ok;
}

static double microseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double time_round(work_t work, const job_t *job) {
    double start = microseconds();
    for (unsigned i = 0; i < job->count; i++) {
        if (!work(job)) {
            fputs("issue: a signature failed\n", stderr);
            exit(1);
        }
    }
    return (microseconds() - start) / job->count;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count) {
    qsort(values, count, sizeof *values, by_value);
    return values[count / 2];
}

static void measure(const char *name, fg_key_type_t type, unsigned count, size_t rounds) {
    static double bare[MOST_ROUNDS], saml11[MOST_ROUNDS], saml20[MOST_ROUNDS], jwt[MOST_ROUNDS];
    fg_err_t err = FG_ERR_INIT;
    fg_key_t *key = fg_key_generate(type, "bench", NOW, NOW + FG_DAY, &err);
    if (key == NULL) {
        fprintf(stderr, "issue: %s\n", err.detail);
        exit(1);
    }
    job_t job11 = {key, FG_SAML_11, count}, job20 = {key, FG_SAML_20, count};
    for (size_t i = 0; i < rounds; i++) {
        bare[i] = time_round(sign_bare, &job11);
        saml11[i] = time_round(issue, &job11);
        saml20[i] = time_round(issue, &job20);
        jwt[i] = time_round(issue_jwt, &job11);
    }
    double one = median(bare, rounds), m11 = median(saml11, rounds), m20 = median(saml20, rounds),
           mjwt = median(jwt, rounds);
    printf("%-9s  %9.1f us  %9.1f us  %5.2fx  %9.1f us  %5.2fx  %9.1f us  %5.2fx\n", name, one, m11, m11 / one, m20,
           m20 / one, mjwt, mjwt / one);
    fg_key_unref(key);
}

int main(int argc, char **argv) {
    size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 31;
    if (rounds < 1 || rounds > MOST_ROUNDS || !fg_crypto_start())
        return 2;
    printf(
        "key         signature     SAML 1.1             SAML 2.0             JWT            (medians of %zu rounds)\n",
        rounds);
    measure("rsa-2048", FG_KEY_RSA_2048, 40, rounds);
    measure("ec-p256", FG_KEY_EC_P256, 400, rounds);
    fg_crypto_stop();
    return 0;
}
