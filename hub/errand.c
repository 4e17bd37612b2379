/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/errand.h"

#include "core/time.h"
#include "hub/bytes.h"
#include "hub/federation.h"
#include "hub/seal.h"

bool fg_errand_put(fg_exchange_t *ex, const char *name, fg_str_t bytes, fg_code_t code, fg_params_t *params,
                   fg_err_t *err) {
    fg_str_t text = FG_STR_NONE;
    fg_buf_t plain = FG_BUF_INIT(FG_ERRAND_MAX);
    fg_bytes_put_number(&plain, (uint64_t)ex->now_ms, 8);
    fg_buf_put_str(&plain, bytes);
    bool sealed = fg_buf_ok(&plain) && fg_cookie_seal(ex, name, fg_buf_str(&plain), &text);
    fg_buf_free(&plain);
    fg_param_t *param = fg_arena_alloc(ex->arena, sizeof *param);
    if (!sealed || param == NULL)
        return FG_FAIL(err, code, "the request is too long to be brought back");
    *param = (fg_param_t){fg_str(name), text};
    *params = (fg_params_t){param, 1};
    return true;
}

bool fg_errand_take(fg_exchange_t *ex, const char *name, fg_params_t *params, fg_str_t *bytes, fg_err_t *err) {
    size_t times;
    fg_bytes_t in = {FG_STR_NONE, false};
    if (!fg_params_parse(ex->arena, ex->request.query, params, err))
        return false;
    fg_str_t text = fg_params_get(params, name, &times);
    bool ours = times == 1 && text.n <= 2 * FG_ERRAND_MAX && fg_cookie_unseal(ex, name, text, &in.rest);
    int64_t made_ms = (int64_t)fg_bytes_get_number(&in, 8);
    if (!ours || in.failed || ex->now_ms - made_ms >= FG_HOUR)
        return FG_FAIL(err, FG_E_CSRF, "the request is not one that was made here within the hour");
    *bytes = in.rest;
    return true;
}

bool fg_errand_form(fg_exchange_t *ex, fg_params_t *form, bool *sent, fg_err_t *err) {
    *sent = ex->request.method == FG_METHOD_POST;
    if (!*sent)
        return true;
    fg_str_t type = fg_request_media_type(ex->arena, &ex->request);
    if (!fg_str_is(type, "application/x-www-form-urlencoded"))
        return FG_FAIL(err, FG_E_HTTP_MEDIA_TYPE, "Content-Type %.*s", FG_STR_ARG(type));
    return fg_params_parse(ex->arena, ex->request.body, form, err);
}

bool fg_errand_choice(fg_exchange_t *ex, const fg_params_t *params, const fg_home_realm_t **realm, fg_err_t *err) {
    fg_str_t chosen = fg_params_get(params, "whr", NULL);
    if (chosen.n == 0)
        return true;
    *realm = fg_find_home_realm(ex, chosen);
    return *realm != NULL || FG_FAIL(err, FG_E_WSFED_HOME_REALM, "whr \"%.*s\"", FG_STR_ARG(chosen));
}
