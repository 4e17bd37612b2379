/* SPDX-License-Identifier: GPL-2.0-or-later
 * JSON Web Key sets (RFC 7517 §5). */
#include "core/json.h"
#include "token/jwe.h"
#include "token/jws.h"

#define SET_MAX (256u << 10)
#define KEYS_MAX 64u

typedef enum verdict { TAKEN, LEFT_OUT, REFUSED } verdict_t;

/* A member's bytes; .p NULL: absent or no base64url. */
static fg_str_t number(fg_arena_t *arena, const json_t *jwk, const char *name) {
    fg_str_t text = fg_json_string(jwk, name);
    return text.n > 0 ? fg_jws_decode(arena, text) : FG_STR_NONE;
}

static fg_key_t *read_rsa(fg_arena_t *arena, const json_t *jwk, fg_err_t *err) {
    return fg_key_from_rsa(number(arena, jwk, "n"), number(arena, jwk, "e"), err);
}

static fg_key_t *read_ec(fg_arena_t *arena, const json_t *jwk, fg_err_t *err) {
    return fg_key_from_point(fg_json_string(jwk, "crv"), number(arena, jwk, "x"), number(arena, jwk, "y"), err);
}

static fg_key_t *read_okp(fg_arena_t *arena, const json_t *jwk, fg_err_t *err) {
    return fg_key_from_ed25519(number(arena, jwk, "x"), err);
}

static const struct {
    const char *kty;
    const char *crv; /* NULL: the type has none */
    fg_key_t *(*read)(fg_arena_t *, const json_t *, fg_err_t *);
} types[] = {
    {"RSA", NULL, read_rsa},  {"EC", "P-256", read_ec},     {"EC", "P-384", read_ec},
    {"EC", "P-521", read_ec}, {"OKP", "Ed25519", read_okp},
};

/* The row for a key's type and curve, -1: not known here. */
static int find_type(const json_t *jwk) {
    fg_str_t kty = fg_json_string(jwk, "kty"), crv = fg_json_string(jwk, "crv");
    for (size_t i = 0; i < FG_ARRAY_SIZE(types); i++)
        if (fg_str_is(kty, types[i].kty) && (types[i].crv == NULL || fg_str_is(crv, types[i].crv)))
            return (int)i;
    return -1;
}

/* What a set is read for. */
typedef struct purpose {
    const char *use;        /* RFC 7517 §4.2 */
    const char *operations; /* of §4.3, either of these, divided by a blank */
    bool (*knows)(fg_str_t alg);
    bool (*fits)(const fg_key_t *key, fg_str_t alg);
} purpose_t;

static bool knows_signature(fg_str_t alg) {
    fg_jws_alg_t known;
    return fg_jws_alg_from_name(alg, &known);
}

static bool fits_signature(const fg_key_t *key, fg_str_t alg) {
    fg_jws_alg_t known;
    return fg_jws_alg_from_name(alg, &known) && fg_key_fits(key, known);
}

static bool knows_encryption(fg_str_t alg) {
    fg_jwe_alg_t known;
    return fg_jwe_alg_from_name(alg, &known);
}

static bool fits_encryption(const fg_key_t *key, fg_str_t alg) {
    fg_jwe_alg_t known;
    return fg_jwe_alg_from_name(alg, &known) && fg_jwe_alg_fits(known, key);
}

static const purpose_t signatures = {"sig", "verify", knows_signature, fits_signature};
static const purpose_t encryption = {"enc", "wrapKey encrypt deriveKey deriveBits", knows_encryption, fits_encryption};

static bool is_operation(const purpose_t *purpose, const json_t *operation) {
    const char *name = json_string_value(operation), *at = name ? strstr(purpose->operations, name) : NULL;
    size_t n = name ? strlen(name) : 0;
    return at != NULL && n > 0 && (at == purpose->operations || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0');
}

static bool may_do(const purpose_t *purpose, const json_t *operations) {
    size_t i;
    const json_t *operation;
    json_array_foreach(operations, i, operation) if (is_operation(purpose, operation)) return true;
    return operations == NULL;
}

/* What the key says that it is for (RFC 7517 §4.2-4.4). */
static verdict_t check_purpose(const purpose_t *purpose, const json_t *jwk, fg_str_t *alg, fg_err_t *err) {
    static const char *const texts[] = {"kty", "use", "alg", "kid"};
    const json_t *operations = json_object_get(jwk, "key_ops");
    for (size_t i = 0; i < FG_ARRAY_SIZE(texts); i++) {
        const json_t *value = json_object_get(jwk, texts[i]);
        if (value != NULL ? !json_is_string(value) : i == 0) {
            FG_FAIL(err, FG_E_CONFIG, "JSON web key whose %s is no string", texts[i]);
            return REFUSED;
        }
    }
    if (operations != NULL && !json_is_array(operations)) {
        FG_FAIL(err, FG_E_CONFIG, "JSON web key whose key_ops is no list");
        return REFUSED;
    }
    fg_str_t use = fg_json_string(jwk, "use");
    *alg = fg_json_string(jwk, "alg");
    bool meant = (use.p == NULL || fg_str_is(use, purpose->use)) && may_do(purpose, operations) &&
                 (alg->p == NULL || purpose->knows(*alg));
    return meant ? TAKEN : LEFT_OUT;
}

static void release_key(void *key) { fg_key_unref(key); }

static verdict_t read_key(fg_arena_t *arena, const purpose_t *purpose, const json_t *jwk, fg_jwk_t *result,
                          fg_err_t *err) {
    if (!json_is_object(jwk)) {
        FG_FAIL(err, FG_E_CONFIG, "JSON web key that is no object");
        return REFUSED;
    }
    verdict_t verdict = check_purpose(purpose, jwk, &result->alg, err);
    int type = verdict == TAKEN ? find_type(jwk) : -1;
    if (type < 0)
        return verdict == TAKEN ? LEFT_OUT : verdict;
    result->kid = fg_json_string(jwk, "kid");
    result->key = types[type].read(arena, jwk, err);
    if (result->key == NULL || !fg_arena_own(arena, release_key, result->key)) {
        fg_err_prefix(err, "JSON web key '%.*s'", FG_STR_ARG(result->kid));
        return REFUSED;
    }
    if (result->alg.n > 0 && !purpose->fits(result->key, result->alg)) {
        FG_FAIL(err, FG_E_CONFIG, "JSON web key '%.*s' cannot have the algorithm %.*s", FG_STR_ARG(result->kid),
                FG_STR_ARG(result->alg));
        return REFUSED;
    }
    return TAKEN;
}

/* A kid that names two keys would leave the choice to chance (JW-04). */
static bool is_new(const fg_jwk_set_t *set, const fg_jwk_t *jwk) {
    for (size_t i = 0; i < set->count; i++)
        if (jwk->kid.n > 0 && fg_str_eq(set->items[i].kid, jwk->kid))
            return false;
    return true;
}

static bool read_set(fg_arena_t *arena, const purpose_t *purpose, fg_str_t json, fg_jwk_set_t *set, fg_err_t *err) {
    size_t i;
    const json_t *jwk;
    memset(set, 0, sizeof *set);
    if (json.n > SET_MAX)
        return FG_FAIL(err, FG_E_CONFIG, "JSON web key set larger than %u bytes", SET_MAX);
    const json_t *root = fg_jws_object(arena, json, "JSON web key set", err);
    if (root == NULL)
        return false;
    const json_t *keys = json_object_get(root, "keys");
    size_t count = json_array_size(keys);
    if (!json_is_array(keys) || count > KEYS_MAX)
        return FG_FAIL(err, FG_E_CONFIG, "JSON web key set without a list of at most %u keys", KEYS_MAX);
    set->items = fg_arena_alloc(arena, (count + 1) * sizeof *set->items);
    if (set->items == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "no memory for keys");
    json_array_foreach(keys, i, jwk) {
        fg_jwk_t *next = &set->items[set->count];
        verdict_t verdict = read_key(arena, purpose, jwk, next, err);
        if (verdict == TAKEN && !is_new(set, next))
            return FG_FAIL(err, FG_E_CONFIG, "JSON web key '%.*s' is there twice", FG_STR_ARG(next->kid));
        if (verdict == REFUSED)
            return false;
        set->count += verdict == TAKEN;
    }
    return true;
}

bool fg_jwk_set_read(fg_arena_t *arena, fg_str_t json, fg_jwk_set_t *set, fg_err_t *err) {
    return read_set(arena, &signatures, json, set, err);
}

bool fg_jwk_set_read_encryption(fg_arena_t *arena, fg_str_t json, fg_jwk_set_t *set, fg_err_t *err) {
    return read_set(arena, &encryption, json, set, err);
}
