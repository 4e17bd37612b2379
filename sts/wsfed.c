/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sts/wsfed.h"

#include <stdlib.h>

#include "sts/federation_metadata.h"

/* The parameters of WS-Federation 1.2 §13.2 and two of our own ("choose": show the home realms again; "login_hint", as
 * OpenID Connect has it: who is going to sign in). */
static const struct {
    const char *name;
    bool kept;    /* belongs to the request that a page must bring back */
    bool pointer; /* names a message elsewhere: never fetched (WF-06) */
} param_table[] = {
    {"wa", true, false},         {"wtrealm", true, false}, {"wreply", true, false},     {"wctx", true, false},
    {"wct", true, false},        {"wfresh", true, false},  {"wauth", true, false},      {"whr", true, false},
    {"login_hint", true, false}, {"wreq", true, false},    {"wp", true, false},         {"choose", false, false},
    {"wresult", false, false},   {"wreqptr", false, true}, {"wresultptr", false, true}, {"wattrptr", false, true},
    {"wpseudoptr", false, true},
};

bool fg_wsfed_is_kept(fg_str_t name) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(param_table); i++)
        if (param_table[i].kept && fg_str_is(name, param_table[i].name))
            return true;
    return false;
}

bool fg_wsfed_read_query(fg_exchange_t *ex, fg_params_t *params, fg_err_t *err) {
    return fg_params_parse(ex->arena, ex->request.query, params, err);
}

bool fg_wsfed_read_form(fg_exchange_t *ex, fg_params_t *params, fg_err_t *err) {
    if (ex->request.body_too_large)
        return FG_FAIL(err, FG_E_HTTP_TOO_LARGE, "form over %zu bytes", ex->hub->body_max);
    if (!fg_str_is(fg_request_media_type(ex->arena, &ex->request), "application/x-www-form-urlencoded"))
        return FG_FAIL(err, FG_E_HTTP_MEDIA_TYPE, "a form is expected, with one Content-Type");
    return fg_params_parse(ex->arena, ex->request.body, params, err);
}

bool fg_wsfed_check_params(const fg_params_t *params, fg_err_t *err) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(param_table); i++) {
        size_t times;
        fg_params_get(params, param_table[i].name, &times);
        if (times > 1)
            return FG_FAIL(err, FG_E_WSFED_REQUEST, "%s was sent %zu times", param_table[i].name, times);
        if (times > 0 && param_table[i].pointer)
            return FG_FAIL(err, FG_E_WSFED_POINTER, "%s", param_table[i].name);
    }
    return true;
}

fg_str_t fg_wsfed_get(const fg_params_t *params, const char *name) {
    fg_str_t value = fg_params_get(params, name, NULL);
    return value.n > 0 ? value : FG_STR_NONE;
}

void fg_wsfed_put_param(fg_buf_t *url, const char *name, fg_str_t value) { fg_uri_put_param(url, fg_str(name), value); }

fg_str_t fg_wsfed_url(fg_exchange_t *ex, const char *path) {
    return fg_str(fg_arena_printf(ex->arena, "%.*s%s", (int)ex->hub->base_url.n, ex->hub->base_url.p, path));
}

void fg_wsfed_answer_cleanup(fg_exchange_t *ex) {
    static const char gif[] = "GIF89a\1\0\1\0\200\0\0\0\0\0\377\377\377!\371\4\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\1D\0;";
    fg_response_body(ex, 200, "image/gif", (fg_str_t){gif, sizeof gif - 1});
    fg_response_header(ex, "Cache-Control", FG_STR("no-store"));
    fg_response_header(ex, "X-Content-Type-Options", FG_STR("nosniff"));
}

fg_step_t fg_wsfed_refuse(fg_exchange_t *ex, const fg_err_t *err) {
    fg_response_error_page(ex, err);
    return FG_STEP_DONE;
}

/* A POST is the request itself if its form has wa; otherwise it is the sign-in form and the query holds the request. */
static bool read_params(fg_exchange_t *ex, fg_wsfed_t *in, fg_err_t *err) {
    if (!fg_wsfed_read_query(ex, &in->params, err))
        return false;
    if (ex->request.method == FG_METHOD_POST) {
        if (!fg_wsfed_read_form(ex, &in->form, err))
            return false;
        in->submitted = fg_params_get(&in->form, "wa", NULL).p == NULL;
        if (!in->submitted && fg_params_get(&in->params, "wa", NULL).p != NULL)
            return FG_FAIL(err, FG_E_WSFED_REQUEST, "wa in the query and in the form");
        if (!in->submitted)
            in->params = in->form;
    }
    return fg_wsfed_check_params(&in->params, err);
}

static const struct {
    const char *wa;
    fg_step_t (*handle)(fg_exchange_t *ex, fg_wsfed_t *in);
} action_table[] = {
    {FG_WSFED_SIGNIN, fg_wsfed_signin},
    {FG_WSFED_SIGNOUT, fg_wsfed_signout},
    {FG_WSFED_CLEANUP, fg_wsfed_signoutcleanup},
};

static fg_step_t handle(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    fg_wsfed_t *in = fg_arena_alloc(ex->arena, sizeof *in);
    if (in == NULL) {
        FG_FAIL(&err, FG_E_MEMORY, "request");
        return fg_wsfed_refuse(ex, &err);
    }
    ex->state = in;
    if (!read_params(ex, in, &err))
        return fg_wsfed_refuse(ex, &err);
    fg_str_t wa = fg_wsfed_get(&in->params, "wa");
    bool posted = ex->request.method == FG_METHOD_POST && !in->submitted;
    if (posted && fg_str_is(wa, FG_WSFED_SIGNIN) && fg_wsfed_get(&in->params, "wresult").n != 0)
        return fg_wsfed_response(ex, in);
    for (size_t i = 0; i < FG_ARRAY_SIZE(action_table); i++)
        if (fg_str_is(wa, action_table[i].wa))
            return action_table[i].handle(ex, in);
    /* wattr1.0 and wpseudo1.0 (§13.3, §13.4) among them */
    FG_FAIL(&err, wa.n ? FG_E_WSFED_ACTION : FG_E_WSFED_REQUEST, "wa is \"%.*s\"", FG_STR_ARG(wa));
    return fg_wsfed_refuse(ex, &err);
}

static const fg_endpoint_t endpoints[] = {
    {FG_WSFED_PATH, FG_METHOD_GET | FG_METHOD_POST, true, handle, fg_response_error_page},
    {FG_FEDERATION_METADATA_PATH, FG_METHOD_GET, true, fg_federation_metadata_handle, fg_response_error_page,
     .publishes = true},
};

const fg_protocol_t fg_wsfed_protocol = {
    .name = "wsfed",
    .endpoints = endpoints,
    .endpoint_count = FG_ARRAY_SIZE(endpoints),
    .begin_sign_on = fg_wsfed_begin_sign_on,
    .begin_sign_in = fg_wsfed_begin_sign_in,
    .tell_party = fg_wsfed_tell_party,
    .tell_provider = fg_wsfed_tell_provider,
};
