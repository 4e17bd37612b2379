/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/saml/message.h"

#include <stdio.h>

#include "core/crypto.h"
#include "core/deflate.h"
#include "core/time.h"

#define URL_MAX (64u << 10)
#define MESSAGE_MAX (512u << 10)

const fg_xns_t fg_saml_ns_protocol = {"samlp", FG_NS_SAML2P};
const fg_xns_t fg_saml_ns_around = {"samlr", FG_NS_SAML2P};
const fg_xns_t fg_saml_ns_assertion = {"saml", FG_NS_SAML2};

static const char *param_name(const fg_saml_outbound_t *out) {
    return out->is_response ? "SAMLResponse" : "SAMLRequest";
}

/* ---- Redirect: bindings §3.4.4.1 */

static bool put_message(const fg_saml_outbound_t *out, fg_buf_t *query, fg_err_t *err) {
    fg_buf_t deflated = FG_BUF_INIT(URL_MAX), text = FG_BUF_INIT(URL_MAX);
    bool good = fg_deflate(out->xml, &deflated);
    if (good) {
        fg_base64_encode(&text, deflated.data, deflated.length);
        fg_buf_printf(query, "%s=", param_name(out));
        fg_uri_encode(query, fg_buf_str(&text));
        good = fg_buf_ok(&text);
    }
    fg_buf_free(&deflated);
    fg_buf_free(&text);
    return good || FG_FAIL(err, FG_E_INTERNAL, "the message is too long for an address");
}

static bool put_signature(fg_exchange_t *ex, fg_buf_t *query, fg_err_t *err) {
    const fg_key_t *key = ex->keys->signing[FG_KEY_ACTIVE];
    fg_buf_t value = FG_BUF_INIT(1024), text = FG_BUF_INIT(2048);
    fg_buf_puts(query, "&SigAlg=");
    fg_uri_encode(query, fg_str(fg_key_get_signature_uri(key)));
    bool good = fg_buf_ok(query) && fg_key_sign(key, fg_buf_str(query), &value, err);
    if (good) {
        fg_base64_encode(&text, value.data, value.length);
        fg_buf_puts(query, "&Signature=");
        fg_uri_encode(query, fg_buf_str(&text));
    }
    fg_buf_free(&value);
    fg_buf_free(&text);
    return good;
}

fg_str_t fg_saml_redirect_url(fg_exchange_t *ex, const fg_saml_outbound_t *out, fg_err_t *err) {
    fg_buf_t query = FG_BUF_INIT(URL_MAX), url = FG_BUF_INIT(URL_MAX);
    fg_str_t made = FG_STR_NONE;
    bool good = put_message(out, &query, err);
    if (good && out->relay_state.p != NULL) {
        fg_buf_puts(&query, "&RelayState=");
        fg_uri_encode(&query, out->relay_state);
    }
    if (good && put_signature(ex, &query, err)) {
        fg_buf_put_str(&url, out->to);
        fg_buf_putc(&url, memchr(out->to.p, '?', out->to.n) ? '&' : '?');
        fg_buf_put_str(&url, fg_buf_str(&query));
        made = fg_buf_ok(&query) && fg_buf_ok(&url) ? fg_arena_str(ex->arena, fg_buf_str(&url)) : FG_STR_NONE;
        if (made.p == NULL)
            FG_FAIL(err, FG_E_INTERNAL, "the message is too long for an address");
    }
    fg_buf_free(&query);
    fg_buf_free(&url);
    return made;
}

/* ---- POST: bindings §3.5.4 */

static bool send_form(fg_exchange_t *ex, const fg_saml_outbound_t *out, fg_err_t *err) {
    fg_buf_t text = FG_BUF_INIT(MESSAGE_MAX);
    fg_base64_encode(&text, out->xml.p, out->xml.n);
    json_t *fields =
        fg_buf_ok(&text) ? json_pack("[{s:s, s:s%}]", "name", param_name(out), "value", text.data, text.length) : NULL;
    fg_buf_free(&text);
    if (fields != NULL && out->relay_state.p != NULL)
        (void)json_array_append_new(
            fields, json_pack("{s:s, s:s%}", "name", "RelayState", "value", out->relay_state.p, out->relay_state.n));
    json_t *model = json_pack("{s:s%, s:o, s:s}", "action", out->to.p, out->to.n, "fields", fields, "application",
                              out->application);
    return (model != NULL && ex->hub->render(ex, 200, out->in_frame ? "post_frame" : "auto_post", model)) ||
           FG_FAIL(err, FG_E_INTERNAL, "page auto_post could not be made");
}

bool fg_saml_send(fg_exchange_t *ex, const fg_saml_outbound_t *out, fg_err_t *err) {
    if (out->binding == FG_SAML_POST)
        return send_form(ex, out, err);
    fg_str_t url = fg_saml_redirect_url(ex, out, err);
    if (url.p == NULL)
        return false;
    fg_response_redirect(ex, url);
    fg_response_header(ex, "Cache-Control", FG_STR("no-store"));
    return true;
}

/* ---- writing */

static bool begin(fg_exchange_t *ex, fg_saml_writing_t *writing, const fg_xns_t *ns, const char *name, const char *id,
                  fg_str_t destination, fg_str_t in_response_to, fg_buf_t *out, fg_err_t *err) {
    fg_xw_t *w = &writing->w;
    if (id != NULL)
        snprintf(writing->id, sizeof writing->id, "%s", id);
    else if (!fg_id_xml(ex->env, writing->id))
        return FG_FAIL(err, FG_E_INTERNAL, "no randomness for an id");
    fg_time_format(ex->now_ms, writing->instant);
    fg_xw_init(w, out);
    fg_xw_start(w, ns, name);
    if (destination.n > 0)
        fg_xw_attr(w, "Destination", destination);
    fg_xw_attrz(w, "ID", writing->id);
    if (in_response_to.n > 0)
        fg_xw_attr(w, "InResponseTo", in_response_to);
    fg_xw_attrz(w, "IssueInstant", writing->instant);
    fg_xw_attrz(w, "Version", "2.0");
    return true;
}

bool fg_saml_begin(fg_exchange_t *ex, fg_saml_writing_t *writing, const char *name, const char *id,
                   fg_str_t destination, fg_str_t in_response_to, fg_buf_t *out, fg_err_t *err) {
    return begin(ex, writing, &fg_saml_ns_protocol, name, id, destination, in_response_to, out, err);
}

bool fg_saml_begin_around(fg_exchange_t *ex, fg_saml_writing_t *writing, const char *name, fg_str_t in_response_to,
                          fg_buf_t *out, fg_err_t *err) {
    return begin(ex, writing, &fg_saml_ns_around, name, NULL, FG_STR_NONE, in_response_to, out, err);
}

void fg_saml_put_issuer(fg_saml_writing_t *writing, fg_str_t issuer) {
    fg_xw_leaf(&writing->w, &fg_saml_ns_assertion, "Issuer", issuer);
    writing->signature_at = writing->w.out->length;
}

bool fg_saml_end(fg_exchange_t *ex, fg_saml_writing_t *writing, bool signed_inside, fg_buf_t *out, fg_err_t *err) {
    fg_xw_end(&writing->w);
    if (!fg_xw_ok(&writing->w) || !fg_buf_ok(out))
        return FG_FAIL(err, FG_E_INTERNAL, "a SAML message could not be written");
    return !signed_inside ||
           fg_dsig_sign(out, 0, writing->signature_at, fg_str(writing->id), ex->keys->signing[FG_KEY_ACTIVE], err);
}
