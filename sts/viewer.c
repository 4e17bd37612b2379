/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sts/viewer.h"

#include "core/time.h"
#include "hub/audit.h"
#include "sts/rstr.h"
#include "sts/wsfed.h"

#define URL_MAX 8192u
#define STATE_PURPOSE "viewer"

typedef struct viewer {
    const fg_partner_t *partner;
    fg_str_t url; /* where the viewer stands and tokens go */
} viewer_t;

static bool open_viewer(fg_exchange_t *ex, viewer_t *viewer, fg_err_t *err) {
    const fg_hub_t *hub = ex->hub;
    if (hub->viewer == NULL || hub->viewer_path == NULL || hub->viewer->realm_count == 0)
        return FG_FAIL(err, FG_E_HTTP_NOT_FOUND, "the claims viewer is off");
    viewer->partner = hub->viewer;
    viewer->url = fg_wsfed_url(ex, hub->viewer_path);
    return viewer->url.p != NULL || FG_FAIL(err, FG_E_MEMORY, "viewer");
}

/* ---- to the identity provider */

/* wctx is bound to this browser: a response that another browser asked for is not taken (WF-08).  fresh: wfresh, which
 * is passed on; .n 0: none. */
static bool start_signin(fg_exchange_t *ex, const viewer_t *viewer, fg_str_t fresh, fg_err_t *err) {
    fg_str_t state;
    fg_buf_t url = FG_BUF_INIT(URL_MAX);
    if (!fg_form_token_make(ex, STATE_PURPOSE, &state, err))
        return false;
    fg_buf_put_str(&url, fg_wsfed_url(ex, FG_WSFED_PATH));
    fg_wsfed_put_param(&url, "wa", FG_STR(FG_WSFED_SIGNIN));
    fg_wsfed_put_param(&url, "wtrealm", viewer->partner->realms[0]);
    fg_wsfed_put_param(&url, "wreply", viewer->url);
    fg_wsfed_put_param(&url, "wctx", state);
    if (fresh.n != 0)
        fg_wsfed_put_param(&url, "wfresh", fresh);
    bool ok = fg_buf_ok(&url);
    if (ok)
        fg_response_redirect(ex, fg_buf_str(&url));
    fg_buf_free(&url);
    return ok || FG_FAIL(err, FG_E_MEMORY, "viewer");
}

static bool handle_get(fg_exchange_t *ex, const viewer_t *viewer, fg_err_t *err) {
    fg_params_t params;
    if (!fg_wsfed_read_query(ex, &params, err) || !fg_wsfed_check_params(&params, err))
        return false;
    fg_str_t wa = fg_wsfed_get(&params, "wa");
    if (fg_str_is(wa, FG_WSFED_CLEANUP)) {
        /* nothing is kept here between two pages */
        fg_wsfed_answer_cleanup(ex);
        return true;
    }
    if (wa.n != 0)
        return FG_FAIL(err, FG_E_WSFED_ACTION, "viewer: wa \"%.*s\" by GET", FG_STR_ARG(wa));
    return start_signin(ex, viewer, fg_wsfed_get(&params, "wfresh"), err);
}

/* ---- back with a token */

static bool read_token(fg_exchange_t *ex, const viewer_t *viewer, fg_str_t wresult, fg_assertion_read_t *read,
                       fg_err_t *err) {
    const fg_key_t *keys[FG_KEY_STATES];
    size_t key_count = 0;
    for (size_t i = 0; i < FG_KEY_STATES; i++)
        if (ex->keys->signing[i] != NULL)
            keys[key_count++] = ex->keys->signing[i];
    const fg_assertion_trust_t trust = {
        .issuer = ex->hub->entity_id,
        .dsig = {.keys = keys, .key_count = key_count},
        .audiences = viewer->partner->realms,
        .audience_count = viewer->partner->realm_count,
        .recipient = viewer->url,
        .skew_ms = ex->hub->skew_ms,
        .once = true,
    };
    fg_rstr_read_t rstr;
    xmlDoc *doc = fg_xml_parse(ex->arena, wresult, &ex->hub->xml, err);
    return doc != NULL && fg_rstr_read(ex->arena, doc, &rstr, err) &&
           fg_assertion_read(ex->env, ex->arena, rstr.token, &trust, read, err);
}

static bool put(json_t *model, const char *name, fg_str_t value) {
    return json_object_set_new(model, name, json_stringn(value.p ? value.p : "", value.n)) == 0;
}

static bool put_claims(json_t *model, const fg_claims_t *claims) {
    json_t *list = json_array();
    for (size_t i = 0; i < claims->count; i++) {
        json_t *item = json_object();
        if (item == NULL || !put(item, "type", claims->items[i].type) || !put(item, "value", claims->items[i].value) ||
            json_array_append_new(list, item) != 0) {
            json_decref(list);
            return false;
        }
    }
    return json_object_set_new(model, "claims", list) == 0;
}

static bool put_sign_out(fg_exchange_t *ex, const viewer_t *viewer, json_t *model) {
    fg_buf_t url = FG_BUF_INIT(URL_MAX);
    fg_buf_put_str(&url, fg_wsfed_url(ex, FG_WSFED_PATH));
    fg_wsfed_put_param(&url, "wa", FG_STR(FG_WSFED_SIGNOUT));
    fg_wsfed_put_param(&url, "wtrealm", viewer->partner->realms[0]);
    fg_wsfed_put_param(&url, "wreply", viewer->url);
    bool ok = fg_buf_ok(&url) && put(model, "sign_out_url", fg_buf_str(&url));
    fg_buf_free(&url);
    return ok;
}

static bool fill_model(fg_exchange_t *ex, const viewer_t *viewer, const fg_assertion_read_t *read, json_t *model) {
    char instant[FG_TIME_SIZE], expires[FG_TIME_SIZE];
    fg_time_format(read->identity.auth_instant_ms, instant);
    fg_time_format(read->not_on_or_after_ms, expires);
    return put(model, "subject", read->identity.name_id.value) && put(model, "issuer", read->identity.issuer) &&
           put(model, "audience", read->audience) && put(model, "method", read->identity.auth_method) &&
           put(model, "instant", fg_str(instant)) && put(model, "expires", fg_str(expires)) &&
           put(model, "version", read->version == FG_SAML_11 ? FG_STR("SAML 1.1") : FG_STR("SAML 2.0")) &&
           put_claims(model, &read->identity.claims) && put_sign_out(ex, viewer, model);
}

static bool show_claims(fg_exchange_t *ex, const viewer_t *viewer, const fg_assertion_read_t *read, fg_err_t *err) {
    json_t *model = json_object();
    if (model == NULL || !fill_model(ex, viewer, read, model)) {
        json_decref(model);
        return FG_FAIL(err, FG_E_MEMORY, "claims page");
    }
    return ex->hub->render(ex, 200, "claims", model) ||
           FG_FAIL(err, FG_E_INTERNAL, "the claims page could not be made");
}

static void audit_accepted(fg_exchange_t *ex, const fg_assertion_read_t *read) {
    const fg_audit_field_t fields[] = {
        {"user", read->identity.name_id.value},
        {"protocol", FG_STR("wsfed")},
        {"audience", read->audience},
        {"token_id", read->id},
    };
    fg_audit(ex, "accepted", NULL, fields, FG_ARRAY_SIZE(fields));
}

static bool handle_post(fg_exchange_t *ex, const viewer_t *viewer, fg_err_t *err) {
    fg_params_t params;
    fg_assertion_read_t read;
    if (!fg_wsfed_read_form(ex, &params, err) || !fg_wsfed_check_params(&params, err))
        return false;
    fg_str_t wa = fg_wsfed_get(&params, "wa"), wresult = fg_wsfed_get(&params, "wresult");
    if (!fg_str_is(wa, FG_WSFED_SIGNIN))
        return FG_FAIL(err, wa.n ? FG_E_WSFED_ACTION : FG_E_WSFED_REQUEST, "viewer: wa \"%.*s\"", FG_STR_ARG(wa));
    if (wresult.n == 0)
        return FG_FAIL(err, FG_E_WSFED_RESULT, "no wresult");
    if (!fg_form_token_check(ex, STATE_PURPOSE, fg_wsfed_get(&params, "wctx"), err))
        return false;
    if (!read_token(ex, viewer, wresult, &read, err))
        return fg_err_prefix(err, "viewer");
    audit_accepted(ex, &read);
    return show_claims(ex, viewer, &read, err);
}

static fg_step_t handle(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    viewer_t viewer = {0};
    bool post = ex->request.method == FG_METHOD_POST;
    if (open_viewer(ex, &viewer, &err) && (post ? handle_post(ex, &viewer, &err) : handle_get(ex, &viewer, &err)))
        return FG_STEP_DONE;
    return fg_wsfed_refuse(ex, &err);
}

static const fg_endpoint_t endpoints[] = {
    {"/demo/", FG_METHOD_GET | FG_METHOD_POST, true, handle, fg_response_error_page},
};

const fg_protocol_t fg_viewer_protocol = {"viewer", endpoints, FG_ARRAY_SIZE(endpoints)};
