/* SPDX-License-Identifier: GPL-2.0-or-later
 * fedgate token make: test tokens of every kind. */
#include <stdlib.h>
#include <string.h>

#include "cli/input.h"
#include "cli/token.h"
#include "core/json.h"
#include "core/time.h"
#include "core/xmlwriter.h"
#include "token/assertion.h"
#include "token/jwt.h"

#define TOKEN_MAX (1u << 20)
#define LIFETIME 3600

typedef struct make {
    const char *kind, *key, *claims, *issuer, *audience, *subject, *recipient, *in_response_to, *id, *at, *lifetime,
        *nonce;
    fg_arena_t *arena;
    fg_env_t env;
    int64_t lifetime_ms;
    fg_identity_t identity;
    char made_id[FG_ID_SIZE];
} make_t;

static fg_str_t text(const char *option) { return option != NULL ? fg_str(option) : FG_STR_NONE; }

/* ---- claims: {"role": ["a", "b"]} or [{"type": …, "value": …}]; short names as in JWTs, or URIs */

static bool add(make_t *m, fg_str_t type, const json_t *value, fg_err_t *err) {
    fg_claim_t claim = {.type = fg_jwt_claim_type(type)};
    if (!json_is_string(value))
        return FG_FAIL(err, FG_E_FILE, "%.*s: expected a text or a list of texts", FG_STR_ARG(type));
    claim.value = fg_arena_str(m->arena, (fg_str_t){json_string_value(value), json_string_length(value)});
    claim.type = fg_arena_str(m->arena, claim.type);
    return (claim.value.p != NULL && claim.type.p != NULL && fg_claims_add(m->arena, &m->identity.claims, &claim)) ||
           FG_FAIL(err, FG_E_MEMORY, "claims");
}

static bool add_all(make_t *m, json_t *root, fg_err_t *err) {
    const char *name;
    json_t *values;
    if (!json_is_object(root) && !json_is_array(root))
        return FG_FAIL(err, FG_E_FILE, "expected an object or a list of claims");
    for (size_t i = 0; i < json_array_size(root); i++) {
        const json_t *one = json_array_get(root, i);
        if (!add(m, fg_json_string(one, "type"), json_object_get(one, "value"), err))
            return false;
    }
    json_object_foreach(root, name, values) {
        size_t count = json_is_array(values) ? json_array_size(values) : 1;
        for (size_t i = 0; i < count; i++)
            if (!add(m, fg_str(name), json_is_array(values) ? json_array_get(values, i) : values, err))
                return false;
    }
    return true;
}

static bool read_claims(make_t *m, fg_err_t *err) {
    fg_str_t bytes;
    if (m->claims == NULL)
        return true;
    if (!fg_input_read(m->arena, m->claims, TOKEN_MAX, &bytes, err))
        return false;
    json_t *root = fg_json_parse(bytes, err);
    bool good = root != NULL && add_all(m, root, err);
    json_decref(root);
    if (!good)
        err->code = FG_E_FILE;
    return good || fg_err_prefix(err, "%s", m->claims);
}

/* ---- kinds */

/* With --at the same command makes the same token: its id is a digest of what it says. */
static void choose_id(make_t *m, bool fixed) {
    unsigned char digest[FG_SHA256_SIZE];
    char hex[2 * FG_SHA256_SIZE + 1];
    if (m->id != NULL || (!fixed && fg_id_xml(&m->env, m->made_id))) {
        m->id = m->id != NULL ? m->id : m->made_id;
        return;
    }
    fg_str_t all = fg_str(fg_arena_printf(m->arena, "%s|%s|%s|%s|%lld", m->kind, m->issuer, m->audience,
                                          m->subject ? m->subject : "", (long long)fg_now(&m->env)));
    fg_sha256(all.p, all.n, digest);
    fg_hex_encode(digest, 16, hex);
    snprintf(m->made_id, sizeof m->made_id, "_%.32s", hex);
    m->id = m->made_id;
}

static bool write_assertion(make_t *m, const fg_key_t *key, fg_saml_version_t version, fg_buf_t *out, fg_err_t *err) {
    int64_t now = fg_now(&m->env);
    const fg_assertion_t assertion = {.version = version,
                                      .id = m->id,
                                      .issuer = fg_str(m->issuer),
                                      .issue_instant_ms = now,
                                      .not_before_ms = now,
                                      .not_on_or_after_ms = now + m->lifetime_ms,
                                      .audience = fg_str(m->audience),
                                      .name_id = m->identity.name_id,
                                      .recipient = text(m->recipient),
                                      .in_response_to = text(m->in_response_to),
                                      .identity = &m->identity,
                                      .claims = &m->identity.claims};
    return fg_assertion_write(&assertion, key, out, err);
}

static bool make_saml11(make_t *m, const fg_key_t *key, fg_buf_t *out, fg_err_t *err) {
    return write_assertion(m, key, FG_SAML_11, out, err);
}

static bool make_saml20(make_t *m, const fg_key_t *key, fg_buf_t *out, fg_err_t *err) {
    return write_assertion(m, key, FG_SAML_20, out, err);
}

static bool make_jwt(make_t *m, const fg_key_t *key, fg_buf_t *out, fg_err_t *err) {
    int64_t now = fg_now(&m->env);
    const fg_jwt_member_t nonce = {"nonce", text(m->nonce), false};
    const fg_jwt_t jwt = {.type = "JWT",
                          .id = fg_str(m->id),
                          .issuer = fg_str(m->issuer),
                          .subject = text(m->subject),
                          .audience = fg_str(m->audience),
                          .issued_ms = now,
                          .not_before_ms = now,
                          .expires_ms = now + m->lifetime_ms,
                          .identity = &m->identity,
                          .claims = &m->identity.claims,
                          .members = &nonce,
                          .member_count = 1};
    return fg_jwt_write(&jwt, key, out, err);
}

static void put_rstr(make_t *m, const fg_xns_t *trust, fg_str_t token, fg_xw_t *w) {
    static const fg_xns_t wsp = {"wsp", FG_NS_WSP}, wsa = {"wsa", FG_NS_WSA};
    fg_xw_start(w, trust, "RequestSecurityTokenResponse");
    fg_xw_start(w, &wsp, "AppliesTo");
    fg_xw_start(w, &wsa, "EndpointReference");
    fg_xw_leafz(w, &wsa, "Address", m->audience);
    fg_xw_end(w);
    fg_xw_end(w);
    fg_xw_start(w, trust, "RequestedSecurityToken");
    fg_xw_raw(w, token);
    fg_xw_end(w);
    fg_xw_end(w);
}

/* What a sign-in by WS-Federation posts as wresult: WS-Trust February 2005 around SAML 1.1, as AD FS has it. */
static bool make_wresult(make_t *m, const fg_key_t *key, fg_buf_t *out, fg_err_t *err) {
    static const fg_xns_t trust = {"t", FG_NS_TRUST_2005};
    fg_buf_t token = FG_BUF_INIT(TOKEN_MAX);
    fg_xw_t w;
    bool good = make_saml11(m, key, &token, err);
    fg_xw_init(&w, out);
    if (good)
        put_rstr(m, &trust, fg_buf_str(&token), &w);
    fg_buf_free(&token);
    return good && (fg_xw_ok(&w) || FG_FAIL(err, FG_E_FILE, "a value holds what XML cannot carry"));
}

/* The answer of a WS-Trust 1.3 service, without the envelope. */
static bool make_rstrc(make_t *m, const fg_key_t *key, fg_buf_t *out, fg_err_t *err) {
    static const fg_xns_t trust = {"trust", FG_NS_TRUST_13};
    fg_buf_t token = FG_BUF_INIT(TOKEN_MAX);
    fg_xw_t w;
    bool good = make_saml20(m, key, &token, err);
    fg_xw_init(&w, out);
    fg_xw_start(&w, &trust, "RequestSecurityTokenResponseCollection");
    if (good)
        put_rstr(m, &trust, fg_buf_str(&token), &w);
    fg_xw_end(&w);
    fg_buf_free(&token);
    return good && (fg_xw_ok(&w) || FG_FAIL(err, FG_E_FILE, "a value holds what XML cannot carry"));
}

static bool make_response(make_t *m, const fg_key_t *key, fg_buf_t *out, fg_err_t *err) {
    static const fg_xns_t protocol = {"samlp", FG_NS_SAML2P}, saml = {"saml", FG_NS_SAML2};
    fg_buf_t token = FG_BUF_INIT(TOKEN_MAX);
    fg_xw_t w;
    char now[FG_TIME_SIZE];
    bool good = make_saml20(m, key, &token, err);
    fg_time_format(fg_now(&m->env), now);
    fg_xw_init(&w, out);
    fg_xw_start(&w, &protocol, "Response");
    if (m->recipient != NULL)
        fg_xw_attrz(&w, "Destination", m->recipient);
    const char *id = fg_arena_printf(m->arena, "%s-response", m->id);
    fg_xw_attrz(&w, "ID", id ? id : m->id);
    if (m->in_response_to != NULL)
        fg_xw_attrz(&w, "InResponseTo", m->in_response_to);
    fg_xw_attrz(&w, "IssueInstant", now);
    fg_xw_attrz(&w, "Version", "2.0");
    fg_xw_leafz(&w, &saml, "Issuer", m->issuer);
    fg_xw_start(&w, &protocol, "Status");
    fg_xw_start(&w, &protocol, "StatusCode");
    fg_xw_attrz(&w, "Value", "urn:oasis:names:tc:SAML:2.0:status:Success");
    fg_xw_end(&w);
    fg_xw_end(&w);
    fg_xw_raw(&w, fg_buf_str(&token));
    fg_xw_end(&w);
    fg_buf_free(&token);
    return good && (fg_xw_ok(&w) || FG_FAIL(err, FG_E_FILE, "a value holds what XML cannot carry"));
}

static const struct {
    const char *name;
    bool (*make)(make_t *, const fg_key_t *, fg_buf_t *, fg_err_t *);
} kinds[] = {{"saml11", make_saml11},   {"saml20", make_saml20}, {"jwt", make_jwt},
             {"wresult", make_wresult}, {"rstrc", make_rstrc},   {"response", make_response}};

static int run(make_t *m, size_t kind) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t out = FG_BUF_INIT(4 * TOKEN_MAX);
    const fg_key_t *key = fg_input_read_key(m->arena, m->key, &err);
    bool good = key != NULL &&
                (fg_key_is_private(key) ||
                 FG_FAIL(&err, FG_E_FILE, "%s holds no private key: the file needs key and certificate", m->key));
    good = good && read_claims(m, &err) && kinds[kind].make(m, key, &out, &err);
    if (good) {
        fwrite(out.data, 1, out.length, stdout);
        putchar('\n');
    }
    fg_buf_free(&out);
    return good ? FG_CLI_OK : fg_cli_fail(&err);
}

static size_t find_kind(const char *name) {
    size_t i = 0;
    while (i < FG_ARRAY_SIZE(kinds) && strcmp(name, kinds[i].name) != 0)
        i++;
    return i;
}

int fg_cli_token_make(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    make_t m = {.env = *env};
    int64_t now;
    char *end;
    const fg_cli_option_t options[] = {{"--key", .value = &m.key},
                                       {"--claims", .value = &m.claims},
                                       {"--issuer", .value = &m.issuer},
                                       {"--audience", .value = &m.audience},
                                       {"--subject", .value = &m.subject},
                                       {"--recipient", .value = &m.recipient},
                                       {"--in-response-to", .value = &m.in_response_to},
                                       {"--id", .value = &m.id},
                                       {"--at", .value = &m.at},
                                       {"--lifetime", .value = &m.lifetime},
                                       {"--nonce", .value = &m.nonce}};
    if (!fg_cli_parse(command, argc, argv, options, FG_ARRAY_SIZE(options), &m.kind, 1, 1))
        return FG_CLI_USAGE;
    size_t kind = find_kind(m.kind);
    if (kind == FG_ARRAY_SIZE(kinds))
        return fg_cli_usage(command, "'%s': saml11, saml20, jwt, wresult, rstrc or response is expected", m.kind);
    if (m.key == NULL || m.issuer == NULL || m.audience == NULL)
        return fg_cli_usage(command, "--key, --issuer and --audience are needed");
    if (m.at != NULL && !fg_input_time(m.at, &now))
        return fg_cli_usage(command, "'--at %s': a time as 2026-01-31T12:00:00Z, or @SECONDS, is expected", m.at);
    if (m.at != NULL)
        fg_input_set_clock(&m.env, now);
    m.lifetime_ms = (m.lifetime != NULL ? strtoll(m.lifetime, &end, 10) : LIFETIME) * FG_SECOND;
    if (m.lifetime != NULL && (*end != '\0' || m.lifetime_ms <= 0))
        return fg_cli_usage(command, "'--lifetime %s': seconds are expected", m.lifetime);
    m.identity.name_id.value = text(m.subject);
    m.identity.auth_method = FG_STR(FG_AUTH_PASSWORD);
    m.identity.auth_instant_ms = fg_now(&m.env);
    m.arena = fg_arena_new(0);
    if (m.arena != NULL)
        choose_id(&m, m.at != NULL);
    int code = m.arena != NULL ? run(&m, kind) : FG_CLI_FAILED;
    fg_arena_free(m.arena);
    return code;
}
