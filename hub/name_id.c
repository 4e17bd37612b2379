/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/name_id.h"

#include "core/crypto.h"
#include "hub/bytes.h"

/* What stays the same when somebody is given another name, the best first. */
static fg_str_t stable_name(const fg_identity_t *identity) {
    static const char *const types[] = {FG_CLAIM_IMMUTABLEID, FG_CLAIM_WINDOWSACCOUNTNAME, FG_CLAIM_UPN, FG_CLAIM_NAME,
                                        FG_CLAIM_EMAIL};
    if (identity->name_id.value.n > 0 && !fg_str_is(identity->name_id.format, FG_NAME_ID_TRANSIENT))
        return identity->name_id.value;
    for (size_t i = 0; i < FG_ARRAY_SIZE(types); i++) {
        const fg_claim_t *claim = fg_claims_get(&identity->claims, types[i]);
        if (claim != NULL && claim->value.n > 0)
            return claim->value;
    }
    return FG_STR_NONE;
}

bool fg_pairwise_name(fg_exchange_t *ex, const fg_identity_t *identity, fg_str_t party, fg_str_t *name, fg_err_t *err) {
    fg_str_t person = stable_name(identity);
    unsigned char code[FG_SHA256_SIZE];
    fg_buf_t bytes = FG_BUF_INIT(16u << 10), text = FG_BUF_INIT(64);
    if (person.n == 0)
        return FG_FAIL(err, FG_E_SAML_NAME_ID, "nothing about the person is known that stays");
    fg_bytes_put_string(&bytes, identity->issuer);
    fg_bytes_put_string(&bytes, person);
    fg_bytes_put_string(&bytes, party);
    fg_hmac_sha256((fg_str_t){(const char *)ex->keys->pairwise, sizeof ex->keys->pairwise}, fg_buf_str(&bytes), code);
    fg_base64url_encode(&text, code, sizeof code);
    *name = fg_buf_ok(&bytes) ? fg_arena_str(ex->arena, fg_buf_str(&text)) : FG_STR_NONE;
    fg_buf_free(&bytes);
    fg_buf_free(&text);
    return name->p != NULL || FG_FAIL(err, FG_E_MEMORY, "a pairwise name");
}

static bool make_transient(fg_exchange_t *ex, fg_name_id_t *name_id, fg_err_t *err) {
    char id[FG_ID_SIZE];
    if (!fg_id_xml(ex->env, id))
        return FG_FAIL(err, FG_E_INTERNAL, "no randomness for a name");
    name_id->format = FG_STR(FG_NAME_ID_TRANSIENT);
    name_id->value = fg_arena_str(ex->arena, fg_str(id));
    return name_id->value.p != NULL || FG_FAIL(err, FG_E_MEMORY, "a name");
}

/* core §8.3.7: qualified by who made it and for whom. */
static bool make_persistent(fg_exchange_t *ex, const fg_partner_t *partner, const fg_identity_t *identity,
                            fg_name_id_t *name_id, fg_err_t *err) {
    name_id->format = FG_STR(FG_NAME_ID_PERSISTENT);
    name_id->name_qualifier = ex->hub->entity_id;
    name_id->sp_name_qualifier = partner->realms[0];
    return fg_pairwise_name(ex, identity, partner->realms[0], &name_id->value, err);
}

/* Formats that are a claim of the person's. */
static const struct {
    const char *format;
    const char *claim;
} claim_formats[] = {
    {FG_NAME_ID_EMAIL, FG_CLAIM_EMAIL},
    {FG_NAME_ID_WINDOWS, FG_CLAIM_WINDOWSACCOUNTNAME},
    {FG_NAME_ID_KERBEROS, FG_CLAIM_UPN},
};

static bool take_claim(const fg_claims_t *claims, fg_str_t format, fg_name_id_t *name_id, fg_err_t *err) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(claim_formats); i++) {
        const fg_claim_t *claim = fg_claims_get(claims, claim_formats[i].claim);
        if (!fg_str_is(format, claim_formats[i].format) || claim == NULL || claim->value.n == 0)
            continue;
        *name_id = (fg_name_id_t){.value = claim->value, .format = fg_str(claim_formats[i].format)};
        return true;
    }
    return FG_FAIL(err, FG_E_SAML_NAME_ID, "no name of format %.*s among what the partner gets", FG_STR_ARG(format));
}

bool fg_name_id_choose(fg_exchange_t *ex, const fg_partner_t *partner, const fg_identity_t *identity,
                       const fg_claims_t *claims, fg_str_t format, fg_name_id_t *name_id, fg_err_t *err) {
    bool any = format.n == 0 || fg_str_is(format, FG_NAME_ID_UNSPECIFIED);
    if (name_id->value.n > 0 && (any || fg_str_eq(format, name_id->format)))
        return true;
    *name_id = (fg_name_id_t){.format = FG_STR_NONE};
    if (any || fg_str_is(format, FG_NAME_ID_TRANSIENT))
        return make_transient(ex, name_id, err);
    if (fg_str_is(format, FG_NAME_ID_PERSISTENT))
        return make_persistent(ex, partner, identity, name_id, err);
    return take_claim(claims, format, name_id, err);
}
