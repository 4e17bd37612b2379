/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Grants without a browser: the client's own (RFC 6749 §4.4), and assertions of identity providers that we know (RFC
 * 7521 §4.1; in JSON RFC 7523 §2.1, in XML RFC 7522 §2.1).  An assertion is good once, for a token that ends with it.
 */
#include "bridges/openid/oauth_trade.h"
#include "core/fault.h"
#include "hub/presented.h"

#define TOKEN_MAX (256u << 10)

static const char *const target_names[] = {"resource", NULL};

bool fg_oauth_trade_scope(fg_exchange_t *ex, const fg_oauth_trade_t *trade, fg_str_t *scope, fg_err_t *err) {
    fg_str_t rest = fg_oauth_trade_get(trade, "scope");
    fg_buf_t kept = FG_BUF_INIT(1024);
    bool any = rest.n > 0;
    for (fg_str_t word = fg_openid_next_word(&rest); word.n > 0; word = fg_openid_next_word(&rest)) {
        if (!fg_str_list_has(&trade->client->scopes, word))
            continue;
        fg_buf_puts(&kept, kept.length > 0 ? " " : "");
        fg_buf_put_str(&kept, word);
    }
    *scope = fg_buf_ok(&kept) ? fg_arena_str(ex->arena, fg_buf_str(&kept)) : FG_STR_NONE;
    fg_buf_free(&kept);
    return (scope->p != NULL && (scope->n > 0 || !any)) || FG_FAIL(err, FG_E_OPENID_SCOPE, "no scope is left");
}

bool fg_oauth_grant_client(fg_exchange_t *ex, fg_oauth_trade_t *trade, fg_err_t *err) {
    fg_identity_t identity;
    fg_oauth_access_t access = {.identity = &identity, .subject = trade->client->id};
    return fg_oauth_target_find(ex, trade->client, trade->form, target_names, &access.target, err) &&
           fg_oauth_trade_scope(ex, trade, &access.scope, err) &&
           fg_oauth_client_identity(ex, trade->client, &identity, err) &&
           fg_oauth_give_access(ex, trade, &access, NULL, err);
}

/* ---- assertions */

xmlNode *fg_oauth_assertion_parse(fg_exchange_t *ex, fg_str_t text, fg_err_t *err) {
    fg_buf_t bytes = FG_BUF_INIT(TOKEN_MAX);
    bool decoded = fg_base64url_decode(&bytes, text) && fg_buf_ok(&bytes);
    if (!decoded) {
        fg_buf_reset(&bytes);
        decoded = fg_base64_decode(&bytes, text) && fg_buf_ok(&bytes);
    }
    fg_str_t xml = decoded ? fg_arena_str(ex->arena, fg_buf_str(&bytes)) : FG_STR_NONE;
    fg_buf_free(&bytes);
    if (xml.p == NULL) {
        FG_FAIL(err, FG_E_TOKEN_MALFORMED, "an assertion that is no base64url");
        return NULL;
    }
    xmlDoc *document = fg_xml_parse(ex->arena, xml, &ex->hub->xml, err);
    return document != NULL ? xmlDocGetRootElement(document) : NULL;
}

static bool read_saml(fg_exchange_t *ex, fg_str_t text, const fg_presented_rules_t *rules, fg_presented_t *token,
                      fg_err_t *err) {
    xmlNode *element = fg_oauth_assertion_parse(ex, text, err);
    if (element == NULL || !fg_presented_read(ex, element, rules, token, err))
        return false;
    return token->version == FG_SAML_20 || FG_FAIL(err, FG_E_TOKEN_MALFORMED, "no assertion of SAML 2.0");
}

/* RFC 7522 §3, RFC 7523 §3: for us, once. */
static bool serve(fg_exchange_t *ex, fg_oauth_trade_t *trade, bool jwt, fg_err_t *err) {
    const fg_str_t audiences[] = {fg_openid_url(ex, FG_OPENID_TOKEN), fg_openid_url(ex, FG_OPENID_ISSUER)};
    const fg_presented_rules_t rules = {
        .audiences = audiences,
        .audience_count = FG_ARRAY_SIZE(audiences),
        .any_of_ours = true, /* the entity id, or how the provider knows us */
        .recipient = audiences[0],
        .once = true,
    };
    fg_err_t why = FG_ERR_INIT;
    fg_presented_t token;
    fg_oauth_access_t access = {.identity = &token.identity};
    fg_str_t text = fg_oauth_trade_get(trade, "assertion");
    if (text.n == 0)
        return FG_FAIL(err, FG_E_OPENID_REQUEST, "no assertion");
    if (!fg_oauth_target_find(ex, trade->client, trade->form, target_names, &access.target, err) ||
        !fg_oauth_trade_scope(ex, trade, &access.scope, err))
        return false;
    if (jwt ? !fg_presented_read_jwt(ex, text, &rules, &token, &why) : !read_saml(ex, text, &rules, &token, &why))
        return FG_FAIL(err, fg_fault_is_temporary(why.code) ? why.code : FG_E_OPENID_GRANT, "%s: %s",
                       fg_fault_get(why.code)->reason, why.detail);
    if (token.realm == NULL) /* what we issued is exchanged, by delegation rules */
        return FG_FAIL(err, FG_E_OPENID_GRANT, "an assertion of our own");
    access.not_after_ms = token.expires_ms;
    return fg_oauth_give_access(ex, trade, &access, NULL, err);
}

bool fg_oauth_grant_jwt(fg_exchange_t *ex, fg_oauth_trade_t *trade, fg_err_t *err) {
    if (fg_str_is(fg_oauth_trade_get(trade, "requested_token_use"), "on_behalf_of"))
        return fg_oauth_grant_on_behalf_of(ex, trade, err);
    return serve(ex, trade, true, err);
}

bool fg_oauth_grant_saml(fg_exchange_t *ex, fg_oauth_trade_t *trade, fg_err_t *err) {
    return serve(ex, trade, false, err);
}
