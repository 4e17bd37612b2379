/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/openid.h"

#include "core/crypto.h"

static int compare(const void *a, const void *b) { return fg_realm_entry_compare(a, b); }

static void make_clients(openid_t *o) {
    browser_t *b = o->b;
    o->uris[0] = FG_STR(APP_CALLBACK);
    o->uris[1] = FG_STR(SPA_CALLBACK);
    o->uris[2] = FG_STR(ROBOT_CALLBACK);
    o->uris[3] = FG_STR("https://rp.test/bye");
    o->resource = FG_STR("https://other.test/");
    fg_sha256(SECRET, strlen(SECRET), o->secret.digest);
    const fg_openid_client_t common = {
        .grants = FG_GRANT_CODE | FG_GRANT_REFRESH,
        .post_logout_uris = {&o->uris[3], 1},
        .resources = {&o->resource, 1},
        .refresh_lifetime_ms = 14 * FG_DAY,
    };
    o->app = o->spa = o->robot = common;
    o->app.id = FG_STR("app");
    o->app.auth = FG_CLIENT_BASIC | FG_CLIENT_POST;
    o->app.secrets = &o->secret;
    o->app.secret_count = 1;
    o->app.redirect_uris = (fg_str_list_t){&o->uris[0], 1};
    o->app.front_channel_logout = FG_STR("https://rp.test/front?a=b");
    o->spa.id = FG_STR("spa");
    o->spa.auth = FG_CLIENT_NONE;
    o->spa.redirect_uris = (fg_str_list_t){&o->uris[1], 1};
    o->spa.sector = FG_STR("spa.test");
    o->robot.id = FG_STR("robot");
    o->robot.auth = FG_CLIENT_JWT;
    o->robot.redirect_uris = (fg_str_list_t){&o->uris[2], 1};
    o->robot.keys = (fg_jwk_set_t){&o->robot_jwk, 1};
    const fg_openid_client_t *clients[] = {&o->app, &o->spa, &o->robot};
    for (size_t i = 0; i < 3; i++) {
        b->partners[i].openid = clients[i];
        b->partners[i].name_id_claim = NULL;
        o->index[i] = (fg_realm_entry_t){clients[i]->id, &b->partners[i]};
    }
    qsort(o->index, 3, sizeof o->index[0], compare);
    b->hub.client_index = o->index;
    b->hub.client_count = 3;
    b->hub.protocols[FG_PROTOCOL_OPENID] = &fg_openid_protocol;
}

int openid_set_up(void **state) {
    fg_err_t err = FG_ERR_INIT;
    openid_t *o = calloc(1, sizeof *o);
    void *browser = NULL;
    if (o == NULL || browser_set_up(&browser) != 0)
        return -1;
    o->b = browser;
    o->robot_key = fg_key_generate(FG_KEY_EC_P256, "robot", TEST_NOW, TEST_NOW + FG_DAY, &err);
    o->robot_jwk = (fg_jwk_t){.key = o->robot_key};
    make_clients(o);
    *state = o;
    return o->robot_key != NULL ? 0 : -1;
}

int openid_tear_down(void **state) {
    openid_t *o = *state;
    void *browser = o->b;
    json_decref(o->tokens);
    fg_key_unref(o->robot_key);
    free(o);
    return browser_tear_down(&browser);
}

static char *next_text(void) {
    static char texts[4][8192];
    static int turn;
    return texts[turn++ % 4];
}

const char *openid_form(const char *const *pairs) {
    char *text = next_text();
    fg_buf_t form = FG_BUF_INIT(8192);
    for (; *pairs != NULL; pairs += 2)
        browser_put(&form, pairs[0], pairs[1]);
    snprintf(text, 8192, "%s", form.data ? form.data : "");
    fg_buf_free(&form);
    return text;
}

/* Replaces or adds one pair; value NULL: leaves it out. */
static const char *form_with(const char *const (*usual)[2], size_t count, const char *name, const char *value) {
    const char *pairs[64];
    size_t n = 0;
    bool replaced = false;
    for (size_t i = 0; i < count; i++) {
        bool same = name != NULL && strcmp(usual[i][0], name) == 0;
        replaced |= same;
        const char *text = same ? value : usual[i][1];
        if (text == NULL)
            continue;
        pairs[n++] = usual[i][0];
        pairs[n++] = text;
    }
    if (name != NULL && value != NULL && !replaced) {
        pairs[n++] = name;
        pairs[n++] = value;
    }
    pairs[n] = NULL;
    return openid_form(pairs);
}

const char *openid_request(const char *client_id, const char *name, const char *value) {
    const char *callback = strcmp(client_id, "app") == 0   ? APP_CALLBACK
                           : strcmp(client_id, "spa") == 0 ? SPA_CALLBACK
                                                           : ROBOT_CALLBACK;
    const char *const usual[][2] = {
        {"client_id", client_id},      {"redirect_uri", callback},
        {"response_type", "code"},     {"scope", SCOPE},
        {"state", "st&<te"},           {"nonce", "n-0S6_WzA2Mj"},
        {"code_challenge", CHALLENGE}, {"code_challenge_method", "S256"},
    };
    return form_with(usual, FG_ARRAY_SIZE(usual), name, value);
}

/* Where the browser is sent: by a redirect, or by the page that leads on after a form. */
static const char *location(const openid_t *o) {
    const char *header = browser_header(o->b, "Location");
    return header ? header : strcmp(o->b->page, "go_on") == 0 ? browser_text(o->b, "url") : "";
}

const char *openid_answer(openid_t *o, const char *name) {
    fg_err_t err = FG_ERR_INIT;
    fg_params_t params;
    const char *url = location(o), *from = strchr(url, '#');
    from = from != NULL ? from : strchr(url, '?');
    if (from == NULL || !fg_params_parse(o->b->ex->arena, fg_str(from + 1), &params, &err))
        return NULL;
    return fg_params_get(&params, name, NULL).p;
}

void openid_authorize(openid_t *o, const char *query) {
    browser_get(o->b, &fg_openid_protocol, FG_OPENID_AUTHORIZE, query);
    if (strcmp(o->b->page, "sign_in") == 0)
        browser_sign_in(o->b, &fg_openid_protocol, "alice", "alice-demo");
    const char *code = openid_answer(o, "code");
    if (code == NULL)
        print_error("no code: %s %s\n%s", o->b->page, location(o), o->b->audit);
    assert_non_null(code);
    snprintf(o->code, sizeof o->code, "%s", code);
}

static int answer(openid_t *o, int status) {
    json_decref(o->tokens);
    o->tokens = fg_json_parse(fg_buf_str(&o->b->ex->response.body), NULL);
    assert_non_null(o->tokens);
    return status;
}

static int post_token(openid_t *o, const char *basic, const char *body) {
    const char *headers[] = {"Content-Type", "application/x-www-form-urlencoded", NULL, NULL, NULL};
    char *text = next_text();
    if (basic != NULL) {
        fg_buf_t encoded = FG_BUF_INIT(4096);
        fg_base64_encode(&encoded, basic, strlen(basic));
        snprintf(text, 8192, "Basic %s", encoded.data);
        fg_buf_free(&encoded);
        headers[2] = "Authorization";
        headers[3] = text;
    }
    int status = browser_post_with(o->b, &fg_openid_protocol, FG_OPENID_TOKEN, "", body, headers);
    assert_string_equal(browser_header(o->b, "Cache-Control"), "no-store");
    return answer(o, status);
}

int openid_token(openid_t *o, const char *basic, const char *const *pairs) {
    return post_token(o, basic, openid_form(pairs));
}

int openid_trade(openid_t *o, const char *name, const char *value) {
    const char *const usual[][2] = {
        {"grant_type", "authorization_code"},
        {"code", o->code},
        {"redirect_uri", APP_CALLBACK},
        {"code_verifier", VERIFIER},
    };
    return post_token(o, "app:" SECRET, form_with(usual, FG_ARRAY_SIZE(usual), name, value));
}

const char *openid_member(const openid_t *o, const char *name) {
    const char *text = json_string_value(json_object_get(o->tokens, name));
    return text ? text : "(absent)";
}

json_t *openid_read(const char *token, int part) {
    fg_buf_t plain = FG_BUF_INIT(64u << 10);
    for (; part > 0; part--)
        token = strchr(token, '.') + 1;
    assert_true(fg_base64url_decode(&plain, (fg_str_t){token, strcspn(token, ".")}));
    json_t *json = fg_json_parse(fg_buf_str(&plain), NULL);
    fg_buf_free(&plain);
    assert_non_null(json);
    return json;
}

int openid_userinfo(openid_t *o, const char *access_token) {
    char *text = next_text();
    snprintf(text, 8192, "Bearer %s", access_token);
    const char *const headers[] = {"Authorization", text, NULL};
    return answer(o, browser_get_with(o->b, &fg_openid_protocol, FG_OPENID_USERINFO, "", headers));
}
