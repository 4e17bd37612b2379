/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What clients read about us: OpenID Connect discovery 1.0 §3, RFC 8414 §2, and the keys. */
#include "bridges/openid/openid.h"
#include "core/json.h"

/* Rolled keys are published for days before they sign. */
#define KEYS_CACHING "public, max-age=3600"

static const struct {
    const char *name;
    const char *path;
} addresses[] = {
    {"issuer", FG_OPENID_ISSUER},
    {"authorization_endpoint", FG_OPENID_AUTHORIZE},
    {"token_endpoint", FG_OPENID_TOKEN},
    {"userinfo_endpoint", FG_OPENID_USERINFO},
    {"pushed_authorization_request_endpoint", FG_OPENID_PAR},
    {"device_authorization_endpoint", FG_OPENID_DEVICE_BEGIN},
    {"introspection_endpoint", FG_OPENID_INTROSPECT},
    {"revocation_endpoint", FG_OPENID_REVOKE},
    {"end_session_endpoint", FG_OPENID_LOGOUT},
    {"jwks_uri", FG_OPENID_KEYS},
};

#define AUTH_METHODS "client_secret_basic client_secret_post client_secret_jwt private_key_jwt tls_client_auth"

static const struct {
    const char *name;
    const char *words; /* divided by spaces */
} lists[] = {
    {"response_types_supported", "code"}, /* the others below */
    {"response_modes_supported", "query fragment form_post"},
    {"grant_types_supported",
     "authorization_code implicit refresh_token client_credentials urn:ietf:params:oauth:grant-type:device_code "
     "urn:ietf:params:oauth:grant-type:token-exchange urn:ietf:params:oauth:grant-type:jwt-bearer "
     "urn:ietf:params:oauth:grant-type:saml2-bearer"},
    {"subject_types_supported", "public pairwise"},
    {"scopes_supported", "openid profile email address phone offline_access"},
    {"token_endpoint_auth_methods_supported", AUTH_METHODS " none"},
    {"token_endpoint_auth_signing_alg_values_supported", FG_JWS_ALG_NAMES " HS256"},
    {"introspection_endpoint_auth_methods_supported", AUTH_METHODS},
    {"introspection_endpoint_auth_signing_alg_values_supported", FG_JWS_ALG_NAMES " HS256"},
    {"revocation_endpoint_auth_methods_supported", AUTH_METHODS " none"},
    {"revocation_endpoint_auth_signing_alg_values_supported", FG_JWS_ALG_NAMES " HS256"},
    {"request_object_signing_alg_values_supported", FG_JWS_ALG_NAMES},
    {"request_object_encryption_alg_values_supported", FG_JWE_ALG_NAMES},
    {"request_object_encryption_enc_values_supported", FG_JWE_ENC_NAMES},
    {"dpop_signing_alg_values_supported", FG_JWS_ALG_NAMES},
    {"id_token_encryption_alg_values_supported", FG_JWE_ALG_NAMES},
    {"id_token_encryption_enc_values_supported", FG_JWE_ENC_NAMES},
    {"code_challenge_methods_supported", "S256"},
    {"prompt_values_supported", "none login consent select_account"},
    {"claim_types_supported", "normal"},
    {"claims_supported",
     "iss sub aud exp iat auth_time nonce acr amr at_hash sid name given_name family_name middle_name nickname "
     "preferred_username profile picture website gender birthdate zoneinfo locale updated_at email email_verified "
     "phone_number phone_number_verified address upn role group"},
};

static const struct {
    const char *name;
    bool value;
} switches[] = {
    {"claims_parameter_supported", true},
    {"request_parameter_supported", true},
    {"tls_client_certificate_bound_access_tokens", true},
    {"request_uri_parameter_supported", false},
    {"authorization_response_iss_parameter_supported", true},
    {"frontchannel_logout_supported", true},
    {"frontchannel_logout_session_supported", true},
    {"backchannel_logout_supported", true},
    {"backchannel_logout_session_supported", true},
};

static json_t *make_list(const char *words) {
    json_t *list = json_array();
    fg_str_t rest = fg_str(words);
    for (fg_str_t word = fg_openid_next_word(&rest); word.n > 0; word = fg_openid_next_word(&rest))
        (void)json_array_append_new(list, json_stringn(word.p, word.n));
    return list;
}

/* With which ID tokens can be signed by the key that signs, and by the one that will. */
static json_t *make_algorithms(const fg_keys_t *keys) {
    const fg_key_t *active = keys->signing[FG_KEY_ACTIVE], *next = keys->signing[FG_KEY_NEXT];
    json_t *list = json_array();
    for (fg_jws_alg_t alg = FG_JWS_RS256; alg <= FG_JWS_EDDSA; alg++)
        if (fg_key_fits(active, alg) || (next != NULL && fg_key_fits(next, alg)))
            (void)json_array_append_new(list, json_string(fg_jws_alg_name(alg)));
    return list;
}

/* That of the key that signs, and of the one that will. */
static json_t *make_own_algorithms(const fg_keys_t *keys) {
    static const fg_key_state_t states[] = {FG_KEY_ACTIVE, FG_KEY_NEXT};
    const char *before = "";
    json_t *list = json_array();
    for (size_t i = 0; i < FG_ARRAY_SIZE(states); i++) {
        const char *alg = keys->signing[states[i]] ? fg_key_get_jws_alg(keys->signing[states[i]]) : before;
        if (strcmp(alg, before) != 0)
            (void)json_array_append_new(list, json_string(alg));
        before = alg;
    }
    return list;
}

/* Sets of words, and which of them a client may use is its registration's to say. */
static void put_response_types(json_t *document) {
    static const char *const types[] = {"id_token", "id_token token", "code id_token", "code token",
                                        "code id_token token"};
    json_t *list = json_object_get(document, "response_types_supported");
    for (size_t i = 0; i < FG_ARRAY_SIZE(types); i++)
        (void)json_array_append_new(list, json_string(types[i]));
}

/* Documents for everybody: scripts of any origin may read them. */
static void open_to_all(fg_exchange_t *ex) { fg_response_header(ex, "Access-Control-Allow-Origin", FG_STR("*")); }

static fg_step_t done(fg_exchange_t *ex, bool ok, const fg_err_t *err) {
    if (ok)
        open_to_all(ex);
    else
        fg_oauth_refuse(ex, err);
    return FG_STEP_DONE;
}

fg_step_t fg_openid_discovery(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    json_t *document = json_object();
    for (size_t i = 0; i < FG_ARRAY_SIZE(addresses); i++) {
        fg_str_t url = fg_openid_url(ex, addresses[i].path);
        (void)json_object_set_new(document, addresses[i].name, json_stringn(url.p ? url.p : "", url.n));
    }
    for (size_t i = 0; i < FG_ARRAY_SIZE(lists); i++)
        (void)json_object_set_new(document, lists[i].name, make_list(lists[i].words));
    for (size_t i = 0; i < FG_ARRAY_SIZE(switches); i++)
        (void)json_object_set_new(document, switches[i].name, json_boolean(switches[i].value));
    put_response_types(document);
    fg_str_t registration = fg_openid_url(ex, FG_OPENID_REGISTER);
    if (ex->hub->registered != NULL)
        (void)json_object_set_new(document, "registration_endpoint", json_stringn(registration.p, registration.n));
    (void)json_object_set_new(document, "id_token_signing_alg_values_supported", make_algorithms(ex->keys));
    (void)json_object_set_new(document, "userinfo_signing_alg_values_supported", make_own_algorithms(ex->keys));
    return done(ex, fg_openid_answer_json(ex, document, "public, max-age=300", &err), &err);
}

fg_step_t fg_openid_keys(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t json = FG_BUF_INIT(FG_OPENID_JSON_MAX);
    bool ok = true;
    fg_buf_puts(&json, "{\"keys\":[");
    for (size_t i = 0; i < FG_KEY_STATES && ok; i++) {
        if (ex->keys->signing[i] == NULL)
            continue;
        fg_buf_puts(&json, i == FG_KEY_ACTIVE ? "" : ",");
        ok = fg_jwk_write(ex->keys->signing[i], &json, &err);
    }
    if (ok && ex->keys->encryption[FG_KEY_ACTIVE] != NULL) { /* for ID tokens of providers, and request objects */
        fg_buf_putc(&json, ',');
        ok = fg_jwk_write_encryption(ex->keys->encryption[FG_KEY_ACTIVE], &json, &err);
    }
    fg_buf_puts(&json, "]}");
    if (ok)
        fg_openid_answer(ex, 200, fg_buf_str(&json), KEYS_CACHING);
    fg_buf_free(&json);
    return done(ex, ok, &err);
}
