/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * CPU time per validated token, none of which was seen before, beside one bare OpenSSL verification with the same key
 * over as many bytes in the same run, interleaved round by round; the medians are shown.  make bench; bench/verify
 * [ROUNDS] */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/ecdsa.h>

#include "core/crypto.h"
#include "core/json.h"
#include "core/time.h"
#include "token/assertion.h"
#include "token/jwt.h"

#define NOW INT64_C(1767225600000)
#define MOST_ROUNDS 201
#define TOKENS 100 /* per round */
#define ISSUER "http://fs.example.test/adfs/services/trust"
#define AUDIENCE "https://app.example.test/"

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

typedef enum kind { JWT, SAML_11, SAML_20, KIND_COUNT } kind_t;

typedef struct job {
    fg_key_t *key;
    fg_buf_t tokens[TOKENS];
    char signature[1024];
    size_t signature_length, data_length;
} job_t;

typedef bool (*work_t)(const job_t *, const fg_buf_t *);

static int64_t now(const fg_env_t *env) {
    (void)env;
    return NOW;
}

static const fg_env_t env = {.now_ms = now};
static const fg_str_t audience = FG_STR(AUDIENCE);
static max_align_t block[2048];

/* ---- what is measured */

static bool verify_bare(const job_t *job, const fg_buf_t *token) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, fg_key_get_pkey(job->key)) == 1 &&
              EVP_DigestVerify(context, (const unsigned char *)job->signature, job->signature_length,
                               (const unsigned char *)job->tokens[0].data, job->data_length) == 1;
    EVP_MD_CTX_free(context);
    return ok && token != NULL;
}

static bool read_jwt(const job_t *job, const fg_buf_t *token) {
    fg_jwk_t jwk = {job->key, fg_str(fg_key_get_id(job->key)), FG_STR_NONE};
    const fg_jwk_set_t set = {&jwk, 1};
    const fg_jwt_trust_t trust = {.issuer = FG_STR(ISSUER), .keys = &set, .audiences = &audience, .audience_count = 1};
    fg_jwt_read_t result;
    fg_arena_t *arena = fg_arena_new_in(block, sizeof block, 0);
    bool ok = arena != NULL && fg_jwt_read(&env, arena, fg_buf_str(token), &trust, &result, NULL);
    fg_arena_free(arena);
    return ok;
}

static bool read_assertion(const job_t *job, const fg_buf_t *token) {
    const fg_key_t *key = job->key;
    const fg_assertion_trust_t trust = {
        .issuer = FG_STR(ISSUER), .dsig = {&key, 1, false}, .audiences = &audience, .audience_count = 1};
    fg_assertion_read_t result;
    fg_arena_t *arena = fg_arena_new_in(block, sizeof block, 0);
    xmlDoc *doc = arena != NULL ? fg_xml_parse(arena, fg_buf_str(token), NULL, NULL) : NULL;
    bool ok = doc != NULL && fg_assertion_read(&env, arena, xmlDocGetRootElement(doc), &trust, &result, NULL);
    fg_arena_free(arena);
    return ok;
}

/* ---- the tokens */

static bool write_token(kind_t kind, const fg_key_t *key, unsigned number, fg_buf_t *out) {
    char id[32];
    snprintf(id, sizeof id, "_%08x-token", number);
    fg_jwt_t jwt = {
        .type = "JWT",
        .id = fg_str(id),
        .issuer = FG_STR(ISSUER),
        .subject = FG_STR("alice@example.test"),
        .audience = audience,
        .issued_ms = NOW,
        .not_before_ms = NOW,
        .expires_ms = NOW + FG_HOUR,
        .identity = &identity,
        .claims = &claims,
    };
    fg_assertion_t assertion = {
        .version = kind == SAML_11 ? FG_SAML_11 : FG_SAML_20,
        .id = id,
        .issuer = FG_STR(ISSUER),
        .issue_instant_ms = NOW,
        .not_before_ms = NOW,
        .not_on_or_after_ms = NOW + FG_HOUR,
        .audience = audience,
        .name_id = {.value = FG_STR("alice@example.test")},
        .identity = &identity,
        .claims = &claims,
    };
    fg_buf_init(out, 192u << 10);
    return kind == JWT ? fg_jwt_write(&jwt, key, out, NULL) : fg_assertion_write(&assertion, key, out, NULL);
}

static bool prepare(job_t *job, kind_t kind, fg_key_t *key) {
    static unsigned number;
    fg_buf_t signature = FG_BUF_INIT(sizeof job->signature);
    bool ok = true;
    job->key = key;
    for (size_t i = 0; i < TOKENS && ok; i++)
        ok = write_token(kind, key, number++, &job->tokens[i]);
    /* what is signed of a JWT is the whole but the signature; of an assertion, its SignedInfo of about that length */
    job->data_length = 760 < job->tokens[0].length ? 760 : job->tokens[0].length;
    ok = ok && fg_key_sign(key, (fg_str_t){job->tokens[0].data, job->data_length}, &signature, NULL);
    if (ok && fg_key_is_ec(key)) { /* OpenSSL wants DER */
        ECDSA_SIG *pair = ECDSA_SIG_new();
        int half = (int)signature.length / 2;
        const unsigned char *at = (const unsigned char *)signature.data;
        unsigned char *to = (unsigned char *)job->signature;
        ok = ECDSA_SIG_set0(pair, BN_bin2bn(at, half, NULL), BN_bin2bn(at + half, half, NULL)) == 1;
        job->signature_length = (size_t)i2d_ECDSA_SIG(pair, &to);
        ECDSA_SIG_free(pair);
    } else if (ok) {
        memcpy(job->signature, signature.data, job->signature_length = signature.length);
    }
    fg_buf_free(&signature);
    return ok;
}

static void release(job_t *job) {
    for (size_t i = 0; i < TOKENS; i++)
        fg_buf_free(&job->tokens[i]);
}

/* ---- measuring */

static double microseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double time_round(work_t work, const job_t *job) {
    double start = microseconds();
    for (size_t i = 0; i < TOKENS; i++) {
        if (!work(job, &job->tokens[i])) {
            fputs("verify: a token was refused\n", stderr);
            exit(1);
        }
    }
    return (microseconds() - start) / TOKENS;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count) {
    qsort(values, count, sizeof *values, by_value);
    return values[count / 2];
}

/* The ratio is the median of the rounds' own ratios: each round's two halves lie beside each other in time. */
static void measure(kind_t kind, fg_key_t *key, size_t rounds) {
    static job_t job;
    static double bare[MOST_ROUNDS], whole[MOST_ROUNDS], ratio[MOST_ROUNDS];
    for (size_t i = 0; i < rounds; i++) {
        if (!prepare(&job, kind, key))
            exit(1);
        bare[i] = time_round(verify_bare, &job);
        whole[i] = time_round(kind == JWT ? read_jwt : read_assertion, &job);
        ratio[i] = whole[i] / bare[i];
        release(&job);
    }
    printf("  %8.1f us  %8.1f us  %5.2fx", median(bare, rounds), median(whole, rounds), median(ratio, rounds));
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        fg_key_type_t type;
    } types[] = {{"rsa-2048", FG_KEY_RSA_2048}, {"ec-p256", FG_KEY_EC_P256}};
    static const char *const names[KIND_COUNT] = {"JWT", "SAML 1.1", "SAML 2.0"};
    size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 31;
    fg_err_t err = FG_ERR_INIT;
    fg_json_start();
    if (rounds < 1 || rounds > MOST_ROUNDS || !fg_crypto_start() || !fg_xml_start(&err))
        return 2;
    printf("%-10s", "key");
    for (int kind = JWT; kind < KIND_COUNT; kind++)
        printf("  verification     %-8s        ", names[kind]);
    printf("(medians of %zu rounds)\n", rounds);
    for (size_t i = 0; i < FG_ARRAY_SIZE(types); i++) {
        fg_key_t *key = fg_key_generate(types[i].type, "bench", NOW, NOW + FG_DAY, &err);
        if (key == NULL)
            return 1;
        printf("%-10s", types[i].name);
        for (int kind = JWT; kind < KIND_COUNT; kind++)
            measure((kind_t)kind, key, rounds);
        putchar('\n');
        fg_key_unref(key);
    }
    fg_crypto_stop();
    return 0;
}
