/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A key set from a partner.  Besides memory errors it looks for what must never come out: a key that is too weak or
 * private, an algorithm that the key cannot have, a kid that is there twice. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "core/crypto.h"
#include "core/json.h"
#include "token/jwt.h"

static void check_key(const fg_jwk_set_t *set, size_t at) {
    const fg_jwk_t *jwk = &set->items[at];
    fg_jws_alg_t alg;
    if (jwk->key == NULL || fg_key_is_private(jwk->key))
        abort();
    if (jwk->alg.n > 0 && (!fg_jws_alg_from_name(jwk->alg, &alg) || !fg_key_fits(jwk->key, alg)))
        abort();
    if (EVP_PKEY_is_a(fg_key_get_pkey(jwk->key), "RSA") && EVP_PKEY_get_bits(fg_key_get_pkey(jwk->key)) < 2048)
        abort();
    for (size_t i = 0; i < at; i++)
        if (jwk->kid.n > 0 && fg_str_eq(set->items[i].kid, jwk->kid))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fg_jwk_set_t set;
    fg_err_t err = FG_ERR_INIT;
    fg_arena_t *arena = fg_arena_new(0);
    if (arena == NULL || !fg_crypto_start())
        abort();
    if (fg_jwk_set_read(arena, (fg_str_t){(const char *)data, size}, &set, &err))
        for (size_t i = 0; i < set.count; i++)
            check_key(&set, i);
    fg_arena_free(arena);
    return 0;
}
