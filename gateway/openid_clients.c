/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gateway/openid_clients.h"

#include <stdlib.h>

#include "bridges/openid/openid2_realm.h"
#include "core/file.h"

#define SECRETS_MAX FG_CLIENT_SECRETS_MAX
#define SECRET_MIN 20u /* bytes: only random texts may be kept as a plain digest */
#define FILE_MAX (256u << 10)

typedef struct building {
    const fg_config_partner_t *section;
    fg_arena_t *arena;
    fg_openid_client_t *client;
} building_t;

static bool refuse(const building_t *b, fg_err_t *err, const char *option, const char *expected) {
    return fg_config_refuse(err, &b->section->at, option, 0, "%s", expected);
}

static fg_str_list_t strings(const fg_config_list_t *list) { return (fg_str_list_t){list->items, list->count}; }

static unsigned bits(const fg_config_list_t *list, unsigned fallback) {
    unsigned all = 0;
    for (size_t i = 0; i < list->count; i++)
        all |= ((const unsigned *)list->items)[i];
    return list->count > 0 ? all : fallback;
}

/* ---- files */

static bool read_file(const building_t *b, const char *option, const char *path, fg_str_t *text, fg_err_t *err) {
    fg_buf_t buf = FG_BUF_INIT(FILE_MAX);
    fg_err_t why = FG_ERR_INIT;
    bool done = fg_file_read(path, &buf, NULL, &why);
    *text = done ? fg_arena_str(b->arena, fg_buf_str(&buf)) : FG_STR_NONE;
    fg_buf_free(&buf);
    if (!done)
        return fg_config_refuse(err, &b->section->at, option, 0, "a file that can be read (%s)", why.detail);
    return text->p != NULL || FG_FAIL(err, FG_E_MEMORY, "reading %s", path);
}

/* One secret a line: while a secret is changed, the old one and the new one. */
static bool read_secrets(const building_t *b, fg_err_t *err) {
    static const char expected[] = "a file of one to four lines, each a random secret of at least 20 bytes";
    fg_client_secret_t *secrets = fg_arena_alloc(b->arena, SECRETS_MAX * sizeof *secrets);
    fg_str_t text;
    if (b->section->client_secret == NULL)
        return true;
    if (secrets == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "reading partners");
    if (!read_file(b, "client_secret_file", b->section->client_secret, &text, err))
        return false;
    size_t count = 0;
    while (text.n > 0) {
        const char *end = memchr(text.p, '\n', text.n);
        size_t n = end ? (size_t)(end - text.p) : text.n, taken = end ? n + 1 : n;
        fg_str_t line = fg_str_trim((fg_str_t){text.p, n});
        text = (fg_str_t){text.p + taken, text.n - taken};
        if (line.n == 0)
            continue;
        if (line.n < SECRET_MIN || count == SECRETS_MAX)
            return refuse(b, err, "client_secret_file", expected);
        if ((b->client->auth & FG_CLIENT_SECRET_JWT) != 0)
            secrets[count].text = line;
        fg_sha256(line.p, line.n, secrets[count++].digest);
    }
    b->client->secrets = secrets;
    b->client->secret_count = count;
    return count > 0 || refuse(b, err, "client_secret_file", expected);
}

/* The first that can be encrypted to; without alg as its type allows. */
static bool read_encryption_key(const building_t *b, fg_str_t text, fg_err_t *err) {
    fg_jwk_set_t keys;
    fg_openid_client_t *client = b->client;
    if (!fg_jwk_set_read_encryption(b->arena, text, &keys, err))
        return false;
    if (keys.count == 0)
        return refuse(b, err, "client_jwks", "a JWK set with a key for encryption, beside id_token_encryption");
    client->encryption_key = &keys.items[0];
    if (keys.items[0].alg.n > 0)
        return fg_jwe_alg_from_name(keys.items[0].alg, &client->encryption_alg);
    client->encryption_alg = fg_key_is_ec(keys.items[0].key) ? FG_JWE_ECDH_ES : FG_JWE_RSA_OAEP_256;
    return fg_jwe_alg_fits(client->encryption_alg, keys.items[0].key) ||
           refuse(b, err, "client_jwks", "an RSA or EC key for encryption");
}

static bool check_algorithms(const building_t *b, fg_err_t *err) {
    const fg_config_partner_t *s = b->section;
    if (s->id_token_encryption != NULL && b->client->encryption_key == NULL)
        return refuse(b, err, "client_jwks", "client_jwks = \"FILE\" beside id_token_encryption");
    if (s->id_token_encryption != NULL && !fg_jwe_enc_from_name(fg_str(s->id_token_encryption), &b->client->encryption))
        return refuse(b, err, "id_token_encryption", "the name of an algorithm");
    for (unsigned alg = FG_JWS_RS256; alg <= FG_JWS_EDDSA; alg++)
        if (s->id_token_alg == 1u << alg)
            b->client->id_token_alg = (fg_jws_alg_t)alg;
    b->client->has_id_token_alg = s->id_token_alg != 0;
    return true;
}

static bool read_keys(const building_t *b, fg_err_t *err) {
    fg_err_t why = FG_ERR_INIT;
    fg_str_t text;
    if (b->section->client_jwks == NULL)
        return true;
    if (!read_file(b, "client_jwks", b->section->client_jwks, &text, err))
        return false;
    if (!fg_jwk_set_read(b->arena, text, &b->client->keys, &why) ||
        (b->client->keys.count == 0 && b->section->id_token_encryption == NULL))
        return fg_config_refuse(err, &b->section->at, "client_jwks", 0, "a JWK set with a key for signatures (%s)",
                                why.code ? why.detail : "there is none");
    return b->section->id_token_encryption == NULL || read_encryption_key(b, text, err);
}

/* ---- what fits together */

static bool check_auth(const building_t *b, fg_err_t *err) {
    const fg_openid_client_t *client = b->client;
    bool by_secret = (client->auth & (FG_CLIENT_BASIC | FG_CLIENT_POST | FG_CLIENT_SECRET_JWT)) != 0;
    bool named = client->certificate_subject.n > 0 || client->certificate_dns.n > 0;
    unsigned proven = FG_GRANT_CLIENT | FG_GRANT_EXCHANGE | FG_GRANT_JWT | FG_GRANT_SAML;
    if (by_secret && client->secret_count == 0)
        return refuse(b, err, "client_secret_file", "client_secret_file = \"FILE\", or another client_auth");
    if ((client->auth & FG_CLIENT_JWT) != 0 && client->keys.count == 0)
        return refuse(b, err, "client_jwks", "client_jwks = \"FILE\" for private_key_jwt");
    if (fg_openid_client_is_public(client) && client->auth != FG_CLIENT_NONE)
        return refuse(b, err, "client_auth", "none alone, or ways of proving it");
    if (((client->auth & FG_CLIENT_TLS) != 0) != named)
        return refuse(b, err, "client_certificate_subject",
                      "client_certificate_subject or client_certificate_dns beside client_auth = tls_client_auth, and "
                      "only there");
    /* what comes by the browser comes without a proof */
    if (client->binding != FG_BINDING_NONE && (client->response_types & (1u << 5 | 1u << 6 | 1u << 7)) != 0)
        return refuse(b, err, "response_types", "no tokens by the browser where bound_tokens are asked for");
    if (client->signed_only && client->keys.count == 0)
        return refuse(b, err, "client_jwks", "client_jwks = \"FILE\" for signed_requests");
    /* RFC 6749 §4.4: nobody's word is as good as no word */
    if (fg_openid_client_is_public(client) && (client->grants & proven) != 0)
        return refuse(b, err, "grants", "a client that proves who it is for grants without a browser");
    return true;
}

static bool check_redirects(const building_t *b, fg_err_t *err) {
    const fg_str_list_t *uris = &b->client->redirect_uris;
    if ((b->client->grants & FG_GRANT_CODE) != 0 && uris->count == 0)
        return refuse(b, err, "redirect_uri", "redirect_uri = {\"https://…\"} beside client_id");
    for (size_t i = 0; i < uris->count; i++)
        if (!fg_openid_redirect_is_possible(uris->items[i]))
            return fg_config_refuse(err, &b->section->at, "redirect_uri", (unsigned)i,
                                    "an http or https address, or one of an application's own scheme (with a dot), "
                                    "without fragment");
    return true;
}

/* Core §8.1: the host of all redirect URIs. */
static bool choose_sector(const building_t *b, fg_err_t *err) {
    const fg_str_list_t *uris = &b->client->redirect_uris;
    if (b->section->subject != FG_CHOICE_YES)
        return true;
    b->client->sector = uris->count > 0 ? fg_openid_redirect_host(uris->items[0]) : b->client->id;
    for (size_t i = 1; i < uris->count; i++)
        if (!fg_str_eq(fg_openid_redirect_host(uris->items[i]), b->client->sector))
            return refuse(b, err, "subject", "redirect URIs of one host for pairwise subjects");
    return b->client->sector.n > 0 || refuse(b, err, "subject", "redirect URIs with a host for pairwise subjects");
}

static bool fill(const building_t *b, fg_err_t *err) {
    const fg_config_partner_t *s = b->section;
    *b->client = (fg_openid_client_t){
        .id = fg_str(s->client_id),
        .auth = bits(&s->client_auth, FG_CLIENT_BASIC | FG_CLIENT_POST),
        .grants = bits(&s->grants, FG_GRANT_CODE),
        .response_types = bits(&s->response_types, 0),
        .redirect_uris = strings(&s->redirect_uris),
        .post_logout_uris = strings(&s->post_logout_uris),
        .scopes = strings(&s->scopes),
        .resources = strings(&s->resources),
        .origins = strings(&s->origins),
        .certificate_subject = s->certificate_subject,
        .certificate_dns = s->certificate_dns,
        .binding = s->binding,
        .pushed_only = s->pushed_only == FG_CHOICE_YES,
        .signed_only = s->signed_only == FG_CHOICE_YES,
        .userinfo_signed = s->userinfo_signed == FG_CHOICE_YES,
        .front_channel_logout = s->front_channel_logout,
        .back_channel_logout = s->back_channel_logout,
        .asks_consent = s->consent == FG_CHOICE_YES,
        .claims_in_id_token = s->id_token_claims == FG_CHOICE_YES,
        .refresh_lifetime_ms = s->refresh_lifetime_ms,
    };
    return read_secrets(b, err) && read_keys(b, err) && check_algorithms(b, err) && check_auth(b, err) &&
           check_redirects(b, err) && choose_sector(b, err);
}

bool fg_openid_client_build(const fg_config_partner_t *section, fg_arena_t *arena, const fg_openid_client_t **client,
                            fg_err_t *err) {
    *client = NULL;
    if (section->client_id == NULL)
        return section->redirect_uris.count == 0 ||
               fg_config_refuse(err, &section->at, "redirect_uri", 0, "it beside client_id only");
    fg_openid_client_t *built = fg_arena_alloc(arena, sizeof *built);
    if (built == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "reading partners");
    *client = built;
    const building_t b = {section, arena, built};
    return fill(&b, err);
}

/* ---- OpenID 2.0 */

bool fg_openid2_party_build(const fg_config_partner_t *section, fg_arena_t *arena, const fg_openid2_party_t **party,
                            fg_err_t *err) {
    bool open = section->openid2_open == FG_CHOICE_YES;
    *party = NULL;
    if (section->openid2_realms.count == 0 && !open)
        return true;
    fg_openid2_party_t *built = fg_arena_alloc(arena, sizeof *built);
    if (built == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "reading partners");
    *built = (fg_openid2_party_t){
        .realms = strings(&section->openid2_realms),
        .open = open,
        .asks_consent = section->consent == FG_CHOICE_YES,
        .checks_return = section->openid2_check_return == FG_CHOICE_YES ||
                         (open && section->openid2_check_return == FG_CHOICE_UNSET),
        .pairwise = section->subject == FG_CHOICE_YES,
    };
    *party = built;
    return true;
}

static bool shares_realm(const fg_openid2_party_t *a, const fg_openid2_party_t *b) {
    for (size_t i = 0; i < a->realms.count; i++)
        for (size_t k = 0; k < b->realms.count; k++)
            if (fg_openid2_realm_eq(a->realms.items[i], b->realms.items[k]))
                return true;
    return a->open && b->open;
}

void fg_openid2_parties_check(const fg_hub_t *hub, const fg_partner_t **twice) {
    *twice = NULL;
    for (size_t i = 0; i < hub->partner_count; i++)
        for (size_t k = 0; k < i && hub->partners[i].openid2 != NULL; k++)
            if (hub->partners[k].openid2 != NULL && shares_realm(hub->partners[i].openid2, hub->partners[k].openid2))
                *twice = &hub->partners[i];
}

bool fg_openid2_source_build(const fg_config_provider_t *section, fg_arena_t *arena, const fg_openid2_source_t **source,
                             fg_err_t *err) {
    fg_buf_t normal = FG_BUF_INIT(4096);
    *source = NULL;
    if (section->protocol != FG_CONFIG_OPENID2)
        return section->openid2_identifier == NULL ||
               fg_config_refuse(err, &section->at, "openid2_identifier", 0, "it beside protocol = \"openid2\" only");
    bool good = fg_openid2_identifier_normal(fg_str(section->openid2_identifier), &normal);
    fg_str_t identifier = good ? fg_arena_str(arena, fg_buf_str(&normal)) : FG_STR_NONE;
    fg_openid2_source_t *built = fg_arena_alloc(arena, sizeof *built);
    fg_buf_free(&normal);
    if (!good)
        return fg_config_refuse(err, &section->at, "openid2_identifier", 0,
                                "the address of an OpenID provider, as \"https://openid.example.org/\" (no XRI)");
    if (built == NULL || identifier.p == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "reading identity providers");
    *built = (fg_openid2_source_t){
        .identifier = identifier,
        .stateless = section->openid2_stateless == FG_CHOICE_YES,
        .any_host = section->openid2_any_host == FG_CHOICE_YES,
        .allow_sha1 = section->allow_sha1 == FG_CHOICE_YES,
        .attributes = strings(&section->openid2_attributes),
    };
    *source = built;
    return true;
}

bool fg_openid_clients_index(fg_hub_t *hub, fg_arena_t *arena, const fg_partner_t **twice, fg_err_t *err) {
    fg_realm_entry_t *index = fg_arena_alloc(arena, (hub->partner_count + 1) * sizeof *index);
    size_t count = 0;
    *twice = NULL;
    if (index == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "reading partners");
    for (size_t i = 0; i < hub->partner_count; i++)
        if (hub->partners[i].openid != NULL)
            index[count++] = (fg_realm_entry_t){hub->partners[i].openid->id, &hub->partners[i]};
    qsort(index, count, sizeof *index, fg_realm_entry_compare);
    for (size_t i = 1; i < count; i++)
        if (fg_str_eq(index[i - 1].realm, index[i].realm))
            *twice = index[i - 1].partner > index[i].partner ? index[i - 1].partner : index[i].partner;
    hub->client_index = index;
    hub->client_count = count;
    return true;
}
