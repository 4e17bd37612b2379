/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The yardsticks of bench/request.py and bench/translate.py: CPU microseconds of one bare signature and one bare
 * verification with RSA-2048 and P-256, and of one yescrypt hash, as the users file has them and as cheap as they get.
 */
#include <crypt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>

#define SIGNATURES 200
#define HASHES 10

static double microseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static const unsigned char text[760];
static unsigned char signature[512];
static size_t signature_length;

static bool sign(EVP_PKEY *key) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    signature_length = sizeof signature;
    bool ok = EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
              EVP_DigestSign(context, signature, &signature_length, text, sizeof text) == 1;
    EVP_MD_CTX_free(context);
    return ok;
}

static bool verify(EVP_PKEY *key) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
              EVP_DigestVerify(context, signature, signature_length, text, sizeof text) == 1;
    EVP_MD_CTX_free(context);
    return ok;
}

static bool measure(const char *name, bool (*what)(EVP_PKEY *), EVP_PKEY *key) {
    bool ok = what(key); /* what is made once is made now */
    double start = microseconds();
    for (int i = 0; ok && i < SIGNATURES; i++)
        ok = what(key);
    if (ok)
        printf("%s %.1f\n", name, (microseconds() - start) / SIGNATURES);
    return ok;
}

/* count 0: libcrypt's default cost, as `fedgate user` takes it; 1: the least */
static bool hash(unsigned long count) {
    static struct crypt_data data;
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    return crypt_gensalt_rn("$y$", count, "0123456789abcdef", 16, setting, sizeof setting) != NULL &&
           crypt_r("correct horse battery staple", setting, &data) != NULL && data.output[0] == '$';
}

int main(void) {
    EVP_PKEY *rsa = EVP_RSA_gen(2048), *ec = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    bool ok = rsa != NULL && ec != NULL && measure("rsa-2048", sign, rsa) && measure("rsa-2048-verify", verify, rsa) &&
              measure("ec-p256", sign, ec) && measure("ec-p256-verify", verify, ec);
    double hashed[2];
    for (unsigned long count = 0; count < 2; count++) {
        double start = microseconds();
        for (int i = 0; ok && i < HASHES; i++)
            ok = hash(count);
        hashed[count] = (microseconds() - start) / HASHES;
    }
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
    if (!ok)
        return 1;
    printf("yescrypt %.1f\nyescrypt-least %.1f\n", hashed[0], hashed[1]);
    return 0;
}
