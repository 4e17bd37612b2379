/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Devices without a browser (RFC 8628): the device gets two codes, somebody enters the short one here and says yes, and
 * meanwhile the device asks the token endpoint with the long one.
 *
 * In the store: "device:WORD" what is asked for and what became of it, "device-user:CODE" its WORD, "device-poll:WORD"
 * until the device may ask again. */
#include "bridges/openid/oauth_client.h"
#include "bridges/openid/oauth_request.h"
#include "bridges/openid/oauth_trade.h"
#include "core/fault.h"
#include "core/time.h"
#include "hub/audit.h"
#include "hub/browser.h"
#include "hub/errand.h"
#include "hub/kept.h"

#define LIFETIME (10 * FG_MINUTE)
#define INTERVAL (5 * FG_SECOND)
#define CODE_SIZE 8u /* letters: 20^8, beside a limit of tries (RFC 8628 §5.1) */
#define LETTERS "BCDFGHJKLMNPQRSTVWXZ"
#define TRIES_MAX 20
#define BEGINS_MAX 60
#define WINDOW (10 * FG_MINUTE)
#define PARAM "user_code"
#define PURPOSE "oauth-device"

typedef enum state { PENDING, ALLOWED, REFUSED, STATES } state_t;

typedef struct device {
    fg_str_t word; /* the device_code */
    state_t state;
    int64_t until_ms;
    fg_str_t client_id, scope, resource, user_code;
    fg_str_t code; /* of what was granted, if ALLOWED */
} device_t;

/* ---- the store */

static fg_str_t key_of(fg_exchange_t *ex, const char *kind, fg_str_t name) {
    return fg_str(fg_arena_printf(ex->arena, "%s:%.*s", kind, FG_STR_ARG(name)));
}

static bool put(fg_exchange_t *ex, fg_str_t key, fg_str_t value, int64_t until_ms, fg_err_t *err) {
    fg_store_t *store = ex->env->store;
    return (store != NULL && key.p != NULL && store->put(store, key, value, ex->now_ms, until_ms) == FG_STORE_OK) ||
           FG_FAIL(err, FG_E_UNAVAILABLE, "the store has no room for a device");
}

static bool keep(fg_exchange_t *ex, const device_t *device, fg_err_t *err) {
    const fg_str_t texts[] = {device->client_id, device->scope, device->resource, device->user_code, device->code};
    fg_buf_t bytes = FG_BUF_INIT(FG_STORE_VALUE_MAX);
    fg_bytes_put_number(&bytes, device->state, 1);
    fg_bytes_put_number(&bytes, (uint64_t)device->until_ms, 8);
    for (size_t i = 0; i < FG_ARRAY_SIZE(texts); i++)
        fg_bytes_put_string(&bytes, texts[i]);
    bool done = fg_buf_ok(&bytes)
                    ? put(ex, key_of(ex, "device", device->word), fg_buf_str(&bytes), device->until_ms, err)
                    : FG_FAIL(err, FG_E_OPENID_REQUEST, "the request is too long");
    fg_buf_free(&bytes);
    return done;
}

static bool find(fg_exchange_t *ex, fg_str_t word, device_t *device) {
    fg_str_t *const texts[] = {&device->client_id, &device->scope, &device->resource, &device->user_code,
                               &device->code};
    fg_store_t *store = ex->env->store;
    *device = (device_t){.word = word};
    if (store == NULL || !fg_word_is(word))
        return false;
    fg_bytes_t in = {fg_store_get_str(store, ex->arena, key_of(ex, "device", word), ex->now_ms), false};
    device->state = (state_t)fg_bytes_get_number(&in, 1);
    device->until_ms = (int64_t)fg_bytes_get_number(&in, 8);
    for (size_t i = 0; i < FG_ARRAY_SIZE(texts); i++)
        *texts[i] = fg_bytes_get_string(&in);
    return fg_bytes_end(&in) && device->state < STATES;
}

/* False: more often than that within ten minutes, or nobody can tell. */
static bool count(fg_exchange_t *ex, const char *kind, fg_str_t who, int64_t most) {
    fg_store_t *store = ex->env->store;
    int64_t total = 0;
    fg_str_t key = key_of(ex, kind, who);
    return store != NULL && key.p != NULL &&
           store->add(store, key, 1, ex->now_ms, ex->now_ms + WINDOW, &total) == FG_STORE_OK && total <= most;
}

/* ---- the device begins (§3.1, §3.2) */

static bool make_user_code(fg_exchange_t *ex, fg_str_t *code, fg_err_t *err) {
    unsigned char random[CODE_SIZE];
    char text[CODE_SIZE];
    const size_t n = sizeof LETTERS - 1;
    for (size_t i = 0; i < CODE_SIZE; i++) {
        do /* every letter as likely as the others */
            if (!ex->env->random(ex->env, &random[i], 1))
                return FG_FAIL(err, FG_E_INTERNAL, "no randomness for a code");
        while (random[i] >= 256 / n * n);
        text[i] = LETTERS[random[i] % n];
    }
    *code = fg_arena_str(ex->arena, (fg_str_t){text, CODE_SIZE});
    return code->p != NULL || FG_FAIL(err, FG_E_MEMORY, "a code");
}

static bool answer_begin(fg_exchange_t *ex, const device_t *device, fg_err_t *err) {
    fg_str_t url = fg_openid_url(ex, FG_OPENID_DEVICE);
    const char *shown = fg_arena_printf(ex->arena, "%.4s-%.4s", device->user_code.p, device->user_code.p + 4);
    const char *whole = fg_arena_printf(ex->arena, "%.*s?" PARAM "=%s", FG_STR_ARG(url), shown ? shown : "");
    if (url.p == NULL || shown == NULL || whole == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "a device");
    json_t *json =
        json_pack("{s:s%, s:s, s:s, s:s, s:I, s:I}", "device_code", device->word.p, device->word.n, "user_code", shown,
                  "verification_uri", url.p, "verification_uri_complete", whole, "expires_in",
                  (json_int_t)(LIFETIME / FG_SECOND), "interval", (json_int_t)(INTERVAL / FG_SECOND));
    return fg_openid_answer_json(ex, json, "no-store", err);
}

static bool begin(fg_exchange_t *ex, fg_err_t *err) {
    static const char *const names[] = {"resource", NULL};
    fg_params_t form;
    fg_oauth_target_t target = {NULL, FG_STR_NONE};
    device_t device = {.state = PENDING, .until_ms = ex->now_ms + LIFETIME};
    const fg_partner_t *partner = fg_oauth_client_form(ex, &form, err);
    if (partner == NULL)
        return false;
    const fg_openid_client_t *client = partner->openid;
    if ((client->grants & FG_GRANT_DEVICE) == 0)
        return FG_FAIL(err, FG_E_OPENID_GRANT_FORBIDDEN, "%s is no device", partner->name);
    if (!count(ex, "device-begin", ex->request.client_address, BEGINS_MAX))
        return FG_FAIL(err, FG_E_BUSY, "too many devices begin there");
    bool named = fg_params_get(&form, "resource", NULL).n > 0;
    if (named && !fg_oauth_target_find(ex, client, &form, names, &target, err))
        return false;
    device.client_id = client->id;
    device.resource = target.realm;
    return fg_oauth_scope_read(ex, client, fg_params_get(&form, "scope", NULL), &device.scope, err) &&
           fg_word_make(ex, &device.word, err) && make_user_code(ex, &device.user_code, err) &&
           keep(ex, &device, err) &&
           put(ex, key_of(ex, "device-user", device.user_code), device.word, device.until_ms, err) &&
           answer_begin(ex, &device, err);
}

fg_step_t fg_oauth_device_begin(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    if (!begin(ex, &err))
        fg_oauth_refuse(ex, &err);
    return FG_STEP_DONE;
}

/* ---- the device asks (§3.4, §3.5) */

/* Too early: the next time is five seconds later than it would have been. */
static bool check_pace(fg_exchange_t *ex, const device_t *device, fg_err_t *err) {
    fg_store_t *store = ex->env->store;
    fg_str_t key = key_of(ex, "device-poll", device->word);
    char value[24];
    size_t length = sizeof value - 1;
    fg_store_result_t result = key.p ? store->take(store, key, ex->now_ms, value, &length) : FG_STORE_UNAVAILABLE;
    if (result == FG_STORE_UNAVAILABLE)
        return FG_FAIL(err, FG_E_UNAVAILABLE, "the store cannot tell about a device");
    bool early = result == FG_STORE_OK;
    int64_t step = INTERVAL;
    if (early) {
        value[length] = '\0';
        step = strtoll(value, NULL, 10) + INTERVAL;
    }
    const char *text = fg_arena_printf(ex->arena, "%lld", (long long)step);
    if (text == NULL || !put(ex, key, fg_str(text), ex->now_ms + step - FG_SECOND / 2, err))
        return FG_FAIL(err, FG_E_UNAVAILABLE, "the store cannot tell about a device");
    return early ? FG_FAIL(err, FG_E_OPENID_SLOW_DOWN, "%.*s asks too often", FG_STR_ARG(device->client_id))
                 : FG_FAIL(err, FG_E_OPENID_PENDING, "nobody has answered yet");
}

bool fg_oauth_grant_device(fg_exchange_t *ex, fg_oauth_trade_t *trade, fg_err_t *err) {
    fg_store_t *store = ex->env->store;
    device_t device;
    if (!find(ex, fg_oauth_trade_get(trade, "device_code"), &device))
        return FG_FAIL(err, FG_E_OPENID_DEVICE, "no device_code of ours, or too late");
    if (!fg_str_eq(device.client_id, trade->client->id))
        return FG_FAIL(err, FG_E_OPENID_GRANT, "a device_code of client \"%.*s\"", FG_STR_ARG(device.client_id));
    if (device.state == PENDING)
        return check_pace(ex, &device, err);
    (void)store->remove(store, key_of(ex, "device", device.word)); /* the code in it is good once anyway */
    if (device.state == REFUSED)
        return FG_FAIL(err, FG_E_OPENID_REFUSED, "the person said no");
    return fg_oauth_code_take(ex, device.code, &trade->grant, err) && fg_oauth_trade_tie(ex, trade, err) &&
           fg_oauth_give_granted(ex, trade, err);
}

/* ---- the person (§3.3) */

typedef struct page {
    fg_params_t params; /* of our own address */
    fg_params_t form;
    bool sent;
    fg_browser_signin_t browser;
} page_t;

static bool is_kept(fg_str_t name) { return fg_str_is(name, PARAM) || fg_str_is(name, "whr"); }

/* As people write it: small letters, with the hyphen or without; .n 0: no such code. */
static fg_str_t read_user_code(fg_exchange_t *ex, fg_str_t text) {
    char letters[CODE_SIZE];
    size_t n = 0;
    for (size_t i = 0; i < text.n && n <= CODE_SIZE; i++) {
        char c = text.p[i] >= 'a' && text.p[i] <= 'z' ? (char)(text.p[i] - 'a' + 'A') : text.p[i];
        if (c == '-' || c == ' ')
            continue;
        if (n == CODE_SIZE || strchr(LETTERS, c) == NULL)
            return FG_STR_NONE;
        letters[n++] = c;
    }
    return n == CODE_SIZE ? fg_arena_str(ex->arena, (fg_str_t){letters, n}) : FG_STR_NONE;
}

static bool find_by_user(fg_exchange_t *ex, fg_str_t code, device_t *device) {
    fg_store_t *store = ex->env->store;
    if (code.n == 0 || store == NULL)
        return false;
    fg_str_t word = fg_store_get_str(store, ex->arena, key_of(ex, "device-user", code), ex->now_ms);
    return word.p != NULL && find(ex, word, device) && device->state == PENDING &&
           fg_openid_client_get(ex, device->client_id) != NULL;
}

static const char *purpose(fg_exchange_t *ex, const fg_session_t *session, fg_str_t code) {
    const char *text = fg_arena_printf(ex->arena, PURPOSE ":%s:%.*s", session->id, FG_STR_ARG(code));
    return text ? text : PURPOSE;
}

/* device NULL: the code is to be entered.  state: what to say ("wrong", "done", "refused"), "" nothing. */
static bool show(fg_exchange_t *ex, const fg_session_t *session, const device_t *device, const char *state,
                 fg_err_t *err) {
    const fg_claim_t *name = session ? fg_claims_get(&session->identity.claims, FG_CLAIM_NAME) : NULL;
    const fg_partner_t *partner = device ? fg_openid_client_get(ex, device->client_id) : NULL;
    fg_str_t csrf = FG_STR("");
    fg_buf_t url = FG_BUF_INIT(1024);
    if (device != NULL && !fg_form_token_make(ex, purpose(ex, session, device->user_code), &csrf, err))
        return false;
    fg_buf_put_str(&url, fg_openid_url(ex, FG_OPENID_DEVICE));
    if (device != NULL)
        fg_uri_put_param(&url, FG_STR(PARAM), device->user_code);
    const char *shown =
        device ? fg_arena_printf(ex->arena, "%.4s-%.4s", device->user_code.p, device->user_code.p + 4) : "";
    json_t *model =
        !fg_buf_ok(&url)
            ? NULL
            : json_pack("{s:s%, s:s, s:s%, s:s%, s:s, s:s, s:s, s:s, s:o}", "action", url.data, url.length,
                        "application", partner ? partner->display_name : "", "csrf", csrf.p, csrf.n, "person",
                        name ? name->value.p : "", name ? name->value.n : 0, "code", shown ? shown : "", "wrong",
                        strcmp(state, "wrong") == 0 ? "1" : "", "done", strcmp(state, "done") == 0 ? "1" : "",
                        "refused", strcmp(state, "refused") == 0 ? "1" : "", "scopes",
                        fg_openid_scope_model(device ? device->scope : FG_STR_NONE));
    fg_buf_free(&url);
    return (model != NULL && ex->hub->render(ex, 200, "device", model)) ||
           FG_FAIL(err, FG_E_INTERNAL, "page device could not be made");
}

static void refuse(fg_exchange_t *ex, const fg_err_t *err) { fg_response_error_page(ex, err); }

static fg_step_t done(fg_exchange_t *ex, bool ok, const fg_err_t *err) {
    if (!ok)
        refuse(ex, err);
    return FG_STEP_DONE;
}

/* Whoever tries codes out is known, and stopped (§5.1). */
static bool check_tries(fg_exchange_t *ex, const fg_session_t *session, fg_err_t *err) {
    fg_str_t owner = session->identity.name_id.value.n > 0 ? session->identity.name_id.value : fg_str(session->id);
    return (count(ex, "device-tries", owner, TRIES_MAX) &&
            count(ex, "device-tries", ex->request.client_address, 3 * TRIES_MAX)) ||
           FG_FAIL(err, FG_E_BUSY, "too many codes were tried");
}

static fg_step_t finish(fg_exchange_t *ex, fg_browser_signin_t *browser) {
    const page_t *page = ex->state;
    fg_err_t err = FG_ERR_INIT;
    device_t device;
    fg_session_t *session = &browser->session;
    fg_str_t typed = fg_params_get(&page->params, PARAM, NULL);
    if (!fg_session_save(ex, session, &err))
        return done(ex, false, &err);
    if (typed.n == 0)
        return done(ex, show(ex, session, NULL, "", &err), &err);
    if (!check_tries(ex, session, &err))
        return done(ex, false, &err);
    if (!find_by_user(ex, read_user_code(ex, typed), &device))
        return done(ex, show(ex, session, NULL, "wrong", &err), &err);
    return done(ex, show(ex, session, &device, "", &err), &err);
}

/* What is granted then is what a code at a browser would grant; the code goes to the device by the store. */
static bool grant(fg_exchange_t *ex, fg_session_t *session, device_t *device, fg_err_t *err) {
    const fg_partner_t *partner = fg_openid_client_get(ex, device->client_id);
    bool refreshes = fg_openid_word_in(device->scope, "offline_access");
    int64_t life = refreshes ? partner->openid->refresh_lifetime_ms : partner->token_lifetime_ms;
    fg_oauth_grant_t granted = {
        .client_id = device->client_id,
        .scope = device->scope,
        .resource = device->resource,
        .until_ms = ex->now_ms + LIFETIME + life,
        .code_life_ms = device->until_ms - ex->now_ms,
        .session = *session,
    };
    const fg_session_party_t party = {.protocol = FG_PROTOCOL_OPENID, .realm = device->client_id};
    const fg_audit_field_t fields[] = {{"protocol", FG_STR(FG_OPENID_PROTOCOL)},
                                       {"user", fg_identity_name(&session->identity)},
                                       {"client_id", device->client_id}};
    if (!fg_oauth_grant_begin(ex, &granted, &device->code, err))
        return false;
    if (!fg_session_add_party(session, &party))
        fg_log(ex->env, FG_LOG_WARN, "%s: %s will not be told of the sign-out", ex->correlation_id, partner->name);
    device->state = ALLOWED;
    fg_audit(ex, "device", NULL, fields, FG_ARRAY_SIZE(fields));
    return keep(ex, device, err) && fg_session_save(ex, session, err);
}

static bool decide(fg_exchange_t *ex, const page_t *page, fg_str_t choice, fg_err_t *err) {
    fg_store_t *store = ex->env->store;
    fg_session_t session;
    device_t device;
    fg_str_t code = read_user_code(ex, fg_params_get(&page->params, PARAM, NULL));
    if (!fg_session_open(ex, &session))
        return FG_FAIL(err, FG_E_CSRF, "the session ended meanwhile");
    if (!fg_form_token_check(ex, purpose(ex, &session, code), fg_params_get(&page->form, "csrf", NULL), err))
        return false;
    if (!find_by_user(ex, code, &device))
        return FG_FAIL(err, FG_E_OPENID_DEVICE, "the device's time is over, or it was answered");
    (void)store->remove(store, key_of(ex, "device-user", code));
    if (fg_str_is(choice, "yes"))
        return grant(ex, &session, &device, err) && show(ex, &session, NULL, "done", err);
    device.state = REFUSED;
    return keep(ex, &device, err) && show(ex, &session, NULL, "refused", err);
}

static fg_step_t run(fg_exchange_t *ex, page_t *page, fg_err_t *err) {
    fg_browser_signin_t *browser = &page->browser;
    size_t times;
    if (!fg_params_parse(ex->arena, ex->request.query, &page->params, err) ||
        !fg_openid_params_once(&page->params, FG_E_OPENID_REQUEST, err) ||
        !fg_errand_choice(ex, &page->params, &browser->home_realm, err) ||
        !fg_errand_form(ex, &page->form, &page->sent, err))
        return done(ex, false, err);
    fg_str_t choice = fg_params_get(&page->form, "device", &times);
    if (times == 1)
        return done(ex, decide(ex, page, choice, err), err);
    if (page->sent)
        browser->form = &page->form;
    browser->path = FG_STR(FG_OPENID_DEVICE);
    browser->params = &page->params;
    browser->is_kept = is_kept;
    browser->application = FG_STR("");
    browser->fresh_ms = -1;
    browser->finish = finish;
    browser->refuse = refuse;
    return fg_browser_sign_in(ex, browser);
}

fg_step_t fg_oauth_device(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    page_t *page = fg_arena_alloc(ex->arena, sizeof *page);
    ex->state = page;
    if (page != NULL)
        return run(ex, page, &err);
    FG_FAIL(&err, FG_E_MEMORY, "a device's page");
    return done(ex, false, &err);
}
