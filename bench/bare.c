/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The yardsticks of bench/request.py: CPU microseconds of one bare RSA-2048 signature and of one yescrypt hash, as the
 * users file has them and as cheap as they get. */
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

static bool sign(EVP_PKEY *key) {
    static const unsigned char data[760];
    unsigned char signature[512];
    size_t length = sizeof signature;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
              EVP_DigestSign(context, signature, &length, data, sizeof data) == 1;
    EVP_MD_CTX_free(context);
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
    bool ok = true;
    EVP_PKEY *key = EVP_RSA_gen(2048);
    ok = key != NULL && sign(key); /* what is made once is made now */
    double start = microseconds();
    for (int i = 0; ok && i < SIGNATURES; i++)
        ok = sign(key);
    double signature = (microseconds() - start) / SIGNATURES;
    double hashed[2];
    for (unsigned long count = 0; count < 2; count++) {
        start = microseconds();
        for (int i = 0; ok && i < HASHES; i++)
            ok = hash(count);
        hashed[count] = (microseconds() - start) / HASHES;
    }
    EVP_PKEY_free(key);
    if (!ok)
        return 1;
    printf("rsa-2048 %.1f\nyescrypt %.1f\nyescrypt-least %.1f\n", signature, hashed[0], hashed[1]);
    return 0;
}
