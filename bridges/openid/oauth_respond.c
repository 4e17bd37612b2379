/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The answer to an authorization request, by the response mode (OAuth 2.0 multiple response types §2.1, form post
 * response mode §2). */
#include "bridges/openid/oauth_request.h"
#include "core/fault.h"
#include "core/time.h"

#define URL_MAX (64u << 10)
#define PARAMS 8

typedef struct answer {
    fg_param_t items[PARAMS];
    size_t count;
} answer_t;

static void put(answer_t *answer, const char *name, fg_str_t value) {
    if (value.p != NULL && answer->count < PARAMS)
        answer->items[answer->count++] = (fg_param_t){fg_str(name), value};
}

static bool send_form(fg_exchange_t *ex, const fg_oauth_request_t *request, const answer_t *answer, fg_err_t *err) {
    json_t *fields = json_array();
    for (size_t i = 0; i < answer->count; i++) {
        const fg_param_t *item = &answer->items[i];
        (void)json_array_append_new(fields, json_pack("{s:s%, s:s%}", "name", item->name.p, item->name.n, "value",
                                                      item->value.p, item->value.n));
    }
    json_t *model = json_pack("{s:s%, s:s, s:o}", "action", request->redirect_uri.p, request->redirect_uri.n,
                              "application", request->partner->display_name, "fields", fields);
    return (model != NULL && ex->hub->render(ex, 200, "auto_post", model)) ||
           FG_FAIL(err, FG_E_INTERNAL, "the answer's form could not be made");
}

/* After a form of ours a page leads on: browsers hold our forms' policy against redirects that follow. */
static bool send_on(fg_exchange_t *ex, const fg_oauth_request_t *request, fg_str_t url, fg_err_t *err) {
    if (ex->request.method != FG_METHOD_POST) {
        fg_response_redirect(ex, url);
        return true;
    }
    json_t *model = json_pack("{s:s%, s:s}", "url", url.p, url.n, "application", request->partner->display_name);
    return (model != NULL && ex->hub->render(ex, 200, "go_on", model)) ||
           FG_FAIL(err, FG_E_INTERNAL, "the page that leads on could not be made");
}

static bool send_url(fg_exchange_t *ex, const fg_oauth_request_t *request, const answer_t *answer, fg_err_t *err) {
    fg_buf_t url = FG_BUF_INIT(URL_MAX), encoded = FG_BUF_INIT(URL_MAX);
    for (size_t i = 0; i < answer->count; i++) {
        fg_uri_put_param(&encoded, answer->items[i].name, answer->items[i].value);
    }
    fg_str_t text = fg_buf_str(&encoded);
    bool has_query = memchr(request->redirect_uri.p, '?', request->redirect_uri.n) != NULL;
    fg_buf_put_str(&url, request->redirect_uri);
    fg_buf_putc(&url, request->mode == FG_OAUTH_FRAGMENT ? '#' : has_query ? '&' : '?');
    if (text.n > 0)
        fg_buf_put_str(&url, (fg_str_t){text.p + 1, text.n - 1});
    bool done = fg_buf_ok(&url) && fg_buf_ok(&encoded) ? send_on(ex, request, fg_buf_str(&url), err)
                                                       : FG_FAIL(err, FG_E_OPENID_REQUEST, "state is too long");
    fg_buf_free(&url);
    fg_buf_free(&encoded);
    return done;
}

static void put_tokens(fg_exchange_t *ex, const fg_oauth_request_t *request, const fg_oauth_answer_t *told,
                       answer_t *answer) {
    put(answer, "code", told->code);
    put(answer, "id_token", told->id_token);
    if (told->access_token.n == 0)
        return;
    put(answer, "access_token", told->access_token); /* RFC 6749 §4.2.2 */
    put(answer, "token_type", FG_STR("Bearer"));
    put(answer, "expires_in", fg_str(fg_arena_printf(ex->arena, "%lld", (long long)(told->lifetime_ms / FG_SECOND))));
    put(answer, "scope", request->scope);
}

bool fg_oauth_respond(fg_exchange_t *ex, const fg_oauth_request_t *request, const fg_oauth_answer_t *told,
                      const fg_err_t *why, fg_err_t *err) {
    answer_t answer = {.count = 0};
    if (why == NULL) {
        put_tokens(ex, request, told, &answer);
    } else {
        const fg_fault_t *fault = fg_fault_get(why->code);
        put(&answer, "error", fg_str(fault->oauth_error));
        put(&answer, "error_description", fg_str(fault->sentence));
    }
    put(&answer, "state", request->state);
    put(&answer, "iss", fg_openid_url(ex, FG_OPENID_ISSUER));
    return request->mode == FG_OAUTH_FORM_POST ? send_form(ex, request, &answer, err)
                                               : send_url(ex, request, &answer, err);
}
