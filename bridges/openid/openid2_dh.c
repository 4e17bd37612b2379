/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Diffie-Hellman as OpenID has it (§4.2, §8): over OpenSSL's numbers, since the secret is hashed as the shortest
 * two's complement, which OpenSSL's key agreement does not yield. */
#include <openssl/bn.h>

#include "bridges/openid/openid2_association.h"

#define BITS_MIN 1024 /* what the specification's own modulus has */
#define BITS_MAX 2048 /* a stranger asks for the work */
#define NUMBER_MAX 700u

/* appendix B */
static const char modulus_hex[] = "DCF93A0B883972EC0E19989AC5A2CE310E1D37717E8D9571BB7623731866E61E"
                                  "F75A2E27898B057F9891C2E27A639C3F29B60814581CD3B2CA3986D268370557"
                                  "7D45C2E7E52DC81C7A171876E5CEA74B1448BFDFAF18828EFD2519F14E45E382"
                                  "6634AF1949E5B535CC829A483B8A76223E5D490A257F05BDFF16F2FB22C583AB";
#define GENERATOR 2

struct fg_openid2_dh {
    BIGNUM *p, *g, *secret;
    fg_str_t public_text;
};

static void release(void *dh) {
    fg_openid2_dh_t *d = dh;
    BN_free(d->p);
    BN_free(d->g);
    BN_clear_free(d->secret);
}

/* ---- numbers as text */

static BIGNUM *read_number(fg_str_t text) {
    fg_buf_t bytes = FG_BUF_INIT(NUMBER_MAX);
    BIGNUM *number = NULL;
    /* the first bit is the sign: there are no numbers below zero here (§4.2) */
    if (text.n > 0 && fg_base64_decode(&bytes, text) && bytes.length > 0 && ((unsigned char)bytes.data[0] & 0x80) == 0)
        number = BN_bin2bn((const unsigned char *)bytes.data, (int)bytes.length, NULL);
    fg_buf_free(&bytes);
    return number;
}

/* §4.2, btwoc: a zero before what would look negative.  Returns the length; 0: too long. */
static size_t to_bytes(const BIGNUM *number, unsigned char out[NUMBER_MAX]) {
    size_t n = (size_t)BN_num_bytes(number);
    size_t zero = n == 0 || BN_is_bit_set(number, (int)(8 * n - 1)) ? 1 : 0;
    if (n + zero > NUMBER_MAX)
        return 0;
    out[0] = 0;
    BN_bn2bin(number, out + zero);
    return n + zero;
}

static fg_str_t to_text(fg_exchange_t *ex, const BIGNUM *number) {
    unsigned char bytes[NUMBER_MAX];
    size_t n = to_bytes(number, bytes);
    fg_buf_t text = FG_BUF_INIT(2 * NUMBER_MAX);
    fg_base64_encode(&text, bytes, n);
    fg_str_t copy = n > 0 && fg_buf_ok(&text) ? fg_arena_str(ex->arena, fg_buf_str(&text)) : FG_STR_NONE;
    fg_buf_free(&text);
    return copy;
}

/* 2 to p - 2: the rest has an answer that everybody knows. */
static bool is_within(const BIGNUM *number, const BIGNUM *p) {
    BIGNUM *last = BN_dup(p);
    bool within = last != NULL && BN_sub_word(last, 1) && !BN_is_negative(number) && !BN_is_zero(number) &&
                  !BN_is_one(number) && BN_cmp(number, last) < 0;
    BN_free(last);
    return within;
}

/* ---- */

static bool read_group(fg_openid2_dh_t *dh, fg_str_t modulus, fg_str_t generator) {
    if (modulus.n > 0)
        dh->p = read_number(modulus);
    else if (!BN_hex2bn(&dh->p, modulus_hex))
        return false;
    dh->g = generator.n > 0 ? read_number(generator) : BN_new();
    if (dh->p == NULL || dh->g == NULL || (generator.n == 0 && !BN_set_word(dh->g, GENERATOR)))
        return false;
    int bits = BN_num_bits(dh->p);
    return bits >= BITS_MIN && bits <= BITS_MAX && BN_is_odd(dh->p) && is_within(dh->g, dh->p);
}

/* §8.4.2: a number from 1 to p - 1, of env's randomness. */
static bool choose_secret(fg_exchange_t *ex, fg_openid2_dh_t *dh) {
    unsigned char bytes[BITS_MAX / 8 + 8];
    size_t n = (size_t)BN_num_bytes(dh->p) + 8; /* so many more that what is left over tells nothing */
    BN_CTX *context = BN_CTX_new();
    BIGNUM *last = BN_dup(dh->p);
    bool good = context != NULL && last != NULL && ex->env->random(ex->env, bytes, n);
    if (good)
        dh->secret = BN_bin2bn(bytes, (int)n, NULL);
    good = good && dh->secret != NULL && BN_sub_word(last, 1) && BN_mod(dh->secret, dh->secret, last, context) &&
           BN_add_word(dh->secret, 1);
    if (good)
        BN_set_flags(dh->secret, BN_FLG_CONSTTIME);
    OPENSSL_cleanse(bytes, sizeof bytes);
    BN_free(last);
    BN_CTX_free(context);
    return good;
}

/* base ^ secret mod p; NULL: memory. */
static BIGNUM *raise(const fg_openid2_dh_t *dh, const BIGNUM *base) {
    BN_CTX *context = BN_CTX_new();
    BIGNUM *result = BN_new();
    if (context == NULL || result == NULL || !BN_mod_exp(result, base, dh->secret, dh->p, context)) {
        BN_clear_free(result);
        result = NULL;
    }
    BN_CTX_free(context);
    return result;
}

fg_openid2_dh_t *fg_openid2_dh_new(fg_exchange_t *ex, fg_str_t modulus, fg_str_t generator, fg_err_t *err) {
    fg_openid2_dh_t *dh = fg_arena_alloc(ex->arena, sizeof *dh);
    if (dh == NULL || !fg_arena_own(ex->arena, release, dh)) {
        FG_FAIL(err, FG_E_MEMORY, "a Diffie-Hellman key");
        return NULL;
    }
    if (!read_group(dh, modulus, generator)) {
        FG_FAIL(err, FG_E_OPENID2_REQUEST, "dh_modulus or dh_gen is not one of %d to %d bits", BITS_MIN, BITS_MAX);
        return NULL;
    }
    BIGNUM *public = choose_secret(ex, dh) ? raise(dh, dh->g) : NULL;
    dh->public_text = public ? to_text(ex, public) : FG_STR_NONE;
    BN_free(public);
    if (dh->public_text.p != NULL)
        return dh;
    FG_FAIL(err, FG_E_INTERNAL, "a Diffie-Hellman key could not be made");
    return NULL;
}

fg_str_t fg_openid2_dh_public(const fg_openid2_dh_t *dh) { return dh->public_text; }

bool fg_openid2_dh_xor(const fg_openid2_dh_t *dh, fg_openid2_session_t session, fg_str_t other, const unsigned char *in,
                       unsigned char *out, size_t size) {
    unsigned char bytes[NUMBER_MAX], digest[FG_HASH_MAX];
    BIGNUM *number = read_number(other), *shared = NULL;
    if (number != NULL && is_within(number, dh->p))
        shared = raise(dh, number);
    size_t n = shared != NULL ? to_bytes(shared, bytes) : 0;
    fg_hash_t hash = session == FG_OPENID2_DH_SHA1 ? FG_HASH_SHA1 : FG_HASH_SHA256;
    bool good = n > 0 && is_within(shared, dh->p) && fg_hash(hash, bytes, n, digest) == size;
    for (size_t i = 0; good && i < size; i++)
        out[i] = in[i] ^ digest[i];
    OPENSSL_cleanse(bytes, sizeof bytes);
    OPENSSL_cleanse(digest, sizeof digest);
    BN_free(number);
    BN_clear_free(shared);
    return good;
}
