/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/openid/oauth_request.h"

#include "core/json.h"
#include "core/time.h"

#define TEXT_MAX 1024u
#define CHALLENGE_SIZE 43u /* of SHA-256 in base64url (RFC 7636 §4.2) */
#define DEFAULT_SCOPES "openid profile email address phone offline_access"
#define SECONDS_MAX 9 /* digits */

typedef struct reading {
    fg_exchange_t *ex;
    const fg_params_t *params;
    fg_oauth_request_t *out;
} reading_t;

static fg_str_t get(const reading_t *in, const char *name) { return fg_params_get(in->params, name, NULL); }

/* ---- where the answer goes; what is wrong here is for the person, never sent on (RFC 6749 §4.1.2.1) */

static bool check_once_before(const reading_t *in, fg_err_t *err) {
    static const char *const names[] = {"client_id", "redirect_uri", "state", "response_mode"};
    size_t times;
    for (size_t i = 0; i < FG_ARRAY_SIZE(names); i++) {
        fg_params_get(in->params, names[i], &times);
        if (times > 1)
            return FG_FAIL(err, FG_E_OPENID_REQUEST, "parameter %s %zu times", names[i], times);
    }
    return true;
}

/* OI-05: byte by byte.  It may be left out of a request that is no OpenID Connect if there is only one. */
static bool choose_redirect(const reading_t *in, fg_str_t *chosen, fg_err_t *err) {
    const fg_str_list_t *known = &in->out->client->redirect_uris;
    fg_str_t wanted = get(in, "redirect_uri");
    if (wanted.p == NULL && known->count == 1 && !fg_openid_word_in(get(in, "scope"), "openid"))
        wanted = known->items[0];
    if (!fg_str_list_has(known, wanted))
        return FG_FAIL(err, FG_E_OPENID_REDIRECT, "redirect_uri \"%.*s\"", FG_STR_ARG(wanted));
    *chosen = wanted;
    return true;
}

static bool read_mode(const reading_t *in, fg_err_t *err) {
    static const char *const words[FG_OAUTH_MODES] = {"query", "fragment", "form_post"};
    fg_str_t wanted = get(in, "response_mode");
    for (size_t i = 0; i < FG_OAUTH_MODES; i++)
        if (fg_str_is(wanted, words[i])) {
            in->out->mode = (fg_oauth_mode_t)i;
            return true;
        }
    return wanted.p == NULL || FG_FAIL(err, FG_E_OPENID_REQUEST, "response_mode \"%.*s\"", FG_STR_ARG(wanted));
}

static bool read_back(const reading_t *in, fg_err_t *err) {
    fg_oauth_request_t *out = in->out;
    fg_str_t redirect;
    if (!check_once_before(in, err))
        return false;
    out->partner = fg_openid_find_client(in->ex, get(in, "client_id"), err);
    if (out->partner == NULL)
        return false;
    out->client = out->partner->openid;
    out->state = get(in, "state");
    if (!choose_redirect(in, &redirect, err))
        return false;
    out->redirect_uri = redirect;
    return true;
}

/* ---- what is asked for */

/* The words in any order (OAuth 2.0 multiple response types §3); 0: another one is there, or one twice. */
static unsigned read_set(fg_str_t rest) {
    static const struct {
        const char *word;
        unsigned bit;
    } words[] = {{"code", FG_RESPONSE_CODE}, {"id_token", FG_RESPONSE_ID_TOKEN}, {"token", FG_RESPONSE_TOKEN}};
    unsigned set = 0;
    for (fg_str_t word = fg_openid_next_word(&rest); word.n > 0; word = fg_openid_next_word(&rest)) {
        unsigned bit = 0;
        for (size_t i = 0; i < FG_ARRAY_SIZE(words); i++)
            bit |= fg_str_is(word, words[i].word) ? words[i].bit : 0;
        if (bit == 0 || (set & bit) != 0)
            return 0;
        set |= bit;
    }
    return set;
}

/* What comes by way of the browser stands in no address that servers see (multiple response types §3.0), and an ID
 * token there has a nonce (core §3.2.2.1). */
static bool check_front(const reading_t *in, fg_err_t *err) {
    fg_oauth_request_t *out = in->out;
    if (out->response == FG_RESPONSE_CODE)
        return true;
    if (get(in, "response_mode").p == NULL)
        out->mode = FG_OAUTH_FRAGMENT;
    if (out->mode == FG_OAUTH_QUERY)
        return FG_FAIL(err, FG_E_OPENID_REQUEST, "response_mode query for tokens");
    return (out->response & FG_RESPONSE_ID_TOKEN) == 0 || get(in, "nonce").n > 0 ||
           FG_FAIL(err, FG_E_OPENID_REQUEST, "an ID token by the browser without nonce");
}

static bool read_type(const reading_t *in, fg_err_t *err) {
    const fg_openid_client_t *client = in->out->client;
    unsigned types = client->response_types != 0 ? client->response_types : 1u << FG_RESPONSE_CODE;
    fg_str_t type = get(in, "response_type");
    if (type.n == 0)
        return FG_FAIL(err, FG_E_OPENID_REQUEST, "no response_type");
    unsigned set = in->out->response = read_set(type);
    bool coded = (set & FG_RESPONSE_CODE) == 0 || (client->grants & FG_GRANT_CODE) != 0;
    if (set == 0 || (types & 1u << set) == 0 || !coded)
        return FG_FAIL(err, FG_E_OPENID_RESPONSE_TYPE, "response_type \"%.*s\" of %s", FG_STR_ARG(type),
                       in->out->partner->name);
    return check_front(in, err);
}

/* Core §6: what is not read must not be passed over, as it could say something else (OI-09). */
static bool check_objects(const reading_t *in, fg_err_t *err) {
    if (get(in, "request").p != NULL)
        return FG_FAIL(err, FG_E_OPENID_OBJECT, "a request object");
    if (get(in, "request_uri").p != NULL)
        return FG_FAIL(err, FG_E_OPENID_OBJECT_URI, "request_uri");
    return get(in, "registration").p == NULL || FG_FAIL(err, FG_E_OPENID_REQUEST, "registration");
}

static bool is_challenge(fg_str_t text) {
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    return text.n == CHALLENGE_SIZE;
}

/* OI-03: who cannot prove itself otherwise must; and nobody by "plain", which the method is when it is not said (RFC
 * 7636 §4.3). */
static bool read_pkce(const reading_t *in, fg_err_t *err) {
    fg_str_t challenge = get(in, "code_challenge"), method = get(in, "code_challenge_method");
    if (challenge.p == NULL && method.p == NULL)
        return !fg_openid_client_is_public(in->out->client) || (in->out->response & FG_RESPONSE_CODE) == 0 ||
               FG_FAIL(err, FG_E_OPENID_PKCE, "%s is a public client without code_challenge", in->out->partner->name);
    if (!fg_str_is(method, "S256") || !is_challenge(challenge))
        return FG_FAIL(err, FG_E_OPENID_PKCE, "code_challenge_method \"%.*s\", %zu bytes", FG_STR_ARG(method),
                       challenge.n);
    in->out->challenge = challenge;
    return true;
}

static bool may_have(const fg_openid_client_t *client, fg_str_t word) {
    fg_str_t rest = FG_STR(DEFAULT_SCOPES);
    if (client->scopes.count > 0)
        return fg_str_list_has(&client->scopes, word);
    for (fg_str_t known = fg_openid_next_word(&rest); known.n > 0; known = fg_openid_next_word(&rest))
        if (fg_str_eq(known, word))
            return true;
    return false;
}

bool fg_oauth_scope_read(fg_exchange_t *ex, const fg_openid_client_t *client, fg_str_t wanted, fg_str_t *scope,
                         fg_err_t *err) {
    fg_str_t rest = wanted;
    fg_buf_t kept = FG_BUF_INIT(TEXT_MAX);
    for (fg_str_t word = fg_openid_next_word(&rest); word.n > 0; word = fg_openid_next_word(&rest)) {
        bool refreshes = fg_str_is(word, "offline_access");
        if (!may_have(client, word) || (refreshes && (client->grants & FG_GRANT_REFRESH) == 0))
            continue;
        fg_buf_puts(&kept, kept.length > 0 ? " " : "");
        fg_buf_put_str(&kept, word);
    }
    *scope = fg_buf_ok(&kept) ? fg_arena_str(ex->arena, fg_buf_str(&kept)) : FG_STR_NONE;
    bool none = wanted.n > 0 && kept.length == 0;
    fg_buf_free(&kept);
    return (scope->p != NULL && !none) || FG_FAIL(err, FG_E_OPENID_SCOPE, "no scope is left");
}

static bool read_scope(const reading_t *in, fg_err_t *err) {
    return fg_oauth_scope_read(in->ex, in->out->client, get(in, "scope"), &in->out->scope, err);
}

/* A partner that the client may call (RFC 8707 §2; AD FS calls it resource too). */
static bool read_resource(const reading_t *in, fg_err_t *err) {
    fg_str_t resource = get(in, "resource");
    if (resource.n == 0)
        return true;
    if (!fg_str_list_has(&in->out->client->resources, resource) || fg_hub_find_partner(in->ex->hub, resource) == NULL)
        return FG_FAIL(err, FG_E_OPENID_TARGET, "resource \"%.*s\"", FG_STR_ARG(resource));
    in->out->resource = resource;
    return true;
}

static bool read_prompt(const reading_t *in, fg_err_t *err) {
    static const struct {
        const char *word;
        unsigned bit;
    } words[] = {{"none", FG_PROMPT_NONE},
                 {"login", FG_PROMPT_LOGIN},
                 {"consent", FG_PROMPT_CONSENT},
                 {"select_account", FG_PROMPT_SELECT}};
    fg_str_t rest = get(in, "prompt");
    for (fg_str_t word = fg_openid_next_word(&rest); word.n > 0; word = fg_openid_next_word(&rest)) {
        unsigned bit = 0;
        for (size_t i = 0; i < FG_ARRAY_SIZE(words); i++)
            bit |= fg_str_is(word, words[i].word) ? words[i].bit : 0;
        if (bit == 0)
            return FG_FAIL(err, FG_E_OPENID_REQUEST, "prompt \"%.*s\"", FG_STR_ARG(word));
        in->out->prompt |= bit;
    }
    return (in->out->prompt & FG_PROMPT_NONE) == 0 || in->out->prompt == FG_PROMPT_NONE ||
           FG_FAIL(err, FG_E_OPENID_REQUEST, "prompt none and another");
}

static bool read_max_age(const reading_t *in, fg_err_t *err) {
    fg_str_t text = get(in, "max_age");
    int64_t seconds = 0;
    in->out->max_age_ms = -1;
    if (text.p == NULL)
        return true;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9' || i >= SECONDS_MAX)
            return FG_FAIL(err, FG_E_OPENID_REQUEST, "max_age \"%.*s\"", FG_STR_ARG(text));
        seconds = seconds * 10 + (text.p[i] - '0');
    }
    in->out->max_age_ms = seconds * FG_SECOND;
    return text.n > 0 || FG_FAIL(err, FG_E_OPENID_REQUEST, "max_age without a number");
}

/* ---- claims (core §5.5) */

bool fg_oidc_claims_read(fg_exchange_t *ex, fg_str_t text, const json_t **claims, fg_err_t *err) {
    fg_err_t why = FG_ERR_INIT;
    *claims = NULL;
    if (text.n == 0)
        return true;
    json_t *json = fg_json_parse(text, &why);
    if (json == NULL || !fg_arena_own(ex->arena, (void (*)(void *))json_decref, json) || !json_is_object(json))
        return FG_FAIL(err, FG_E_OPENID_REQUEST, "claims: %s", json ? "no object" : why.detail);
    *claims = json;
    return true;
}

static bool is_essential(const json_t *wish) { return json_is_true(json_object_get(wish, "essential")); }

/* The first value that can be had: the method is named by it. */
static fg_str_t first_value(const json_t *wish) {
    fg_str_t value = fg_json_string(wish, "value");
    const json_t *first = json_array_get(json_object_get(wish, "values"), 0);
    if (value.p == NULL && json_is_string(first))
        value = (fg_str_t){json_string_value(first), json_string_length(first)};
    return value;
}

static bool read_claims(const reading_t *in, fg_err_t *err) {
    fg_oauth_request_t *out = in->out;
    out->claims_text = get(in, "claims");
    if (!fg_oidc_claims_read(in->ex, out->claims_text, &out->claims, err))
        return false;
    const json_t *id_token = json_object_get(out->claims, "id_token");
    const json_t *acr = json_object_get(id_token, "acr");
    if (is_essential(acr))
        out->acr = first_value(acr);
    out->subject = fg_json_string(json_object_get(id_token, "sub"), "value");
    return true;
}

static bool read_hint(const reading_t *in, fg_err_t *err) {
    fg_oidc_hint_t hint;
    fg_str_t token = get(in, "id_token_hint");
    if (token.n == 0)
        return true;
    if (!fg_oidc_hint_read(in->ex, token, &hint, err))
        return false;
    if (!fg_str_eq(hint.client_id, in->out->client->id))
        return FG_FAIL(err, FG_E_OPENID_REQUEST, "id_token_hint of another client");
    in->out->subject = hint.subject;
    return true;
}

static bool read_rest(const reading_t *in, fg_err_t *err) {
    fg_oauth_request_t *out = in->out;
    out->nonce = get(in, "nonce");
    out->login_hint = get(in, "login_hint");
    out->ui_locales = get(in, "ui_locales");
    out->key = get(in, "dpop_jkt");
    if (out->key.p != NULL && !is_challenge(out->key)) /* of the same form */
        return FG_FAIL(err, FG_E_OPENID_REQUEST, "dpop_jkt of %zu bytes", out->key.n);
    if (out->nonce.n > TEXT_MAX || out->login_hint.n > TEXT_MAX)
        return FG_FAIL(err, FG_E_OPENID_REQUEST, "nonce or login_hint is too long");
    return true;
}

void fg_oauth_request_read_back(fg_exchange_t *ex, const fg_params_t *params, fg_oauth_request_t *request) {
    fg_err_t err = FG_ERR_INIT;
    *request = (fg_oauth_request_t){.max_age_ms = -1};
    const reading_t in = {ex, params, request};
    if (read_back(&in, &err) && !read_mode(&in, &err))
        request->mode = FG_OAUTH_QUERY;
}

bool fg_oauth_request_read(fg_exchange_t *ex, const fg_params_t *params, fg_oauth_request_t *request, fg_err_t *err) {
    static bool (*const parts[])(const reading_t *, fg_err_t *) = {
        read_back,   read_mode,     check_objects, read_type,   read_pkce, read_scope,
        read_prompt, read_resource, read_max_age,  read_claims, read_hint, read_rest,
    };
    *request = (fg_oauth_request_t){.max_age_ms = -1};
    const reading_t in = {ex, params, request};
    for (size_t i = 0; i < FG_ARRAY_SIZE(parts); i++) {
        if (!parts[i](&in, err))
            return false;
        if (i == 0 && !fg_openid_params_once(params, FG_E_OPENID_REQUEST, err))
            return false;
    }
    return true;
}
