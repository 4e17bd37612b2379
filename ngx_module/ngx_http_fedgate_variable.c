/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What is known of a request to a protected location, as nginx's variables.
 * Before it is decided there is nothing; refused ones have the reason. */
#include "ngx_module/ngx_http_fedgate.h"


typedef fg_str_t (*ngx_http_fedgate_value_pt)(ngx_http_request_t *r,
    const fg_access_t *access);


static ngx_int_t ngx_http_fedgate_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_fedgate_claim_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_fedgate_decision_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static const fg_access_t *ngx_http_fedgate_decided(ngx_http_request_t *r,
    fg_arena_t **arena);
static ngx_int_t ngx_http_fedgate_value(ngx_http_variable_value_t *v,
    fg_str_t value);
static fg_str_t ngx_http_fedgate_subject(ngx_http_request_t *r,
    const fg_access_t *access);
static fg_str_t ngx_http_fedgate_issuer(ngx_http_request_t *r,
    const fg_access_t *access);
static fg_str_t ngx_http_fedgate_auth_method(ngx_http_request_t *r,
    const fg_access_t *access);
static fg_str_t ngx_http_fedgate_session_id(ngx_http_request_t *r,
    const fg_access_t *access);
static fg_str_t ngx_http_fedgate_reason(ngx_http_request_t *r,
    const fg_access_t *access);
static fg_str_t ngx_http_fedgate_rule(ngx_http_request_t *r,
    const fg_access_t *access);
static fg_str_t ngx_http_fedgate_token(ngx_http_request_t *r,
    const fg_access_t *access);
static fg_str_t ngx_http_fedgate_wsman_operation(ngx_http_request_t *r,
    const fg_access_t *access);


static ngx_http_fedgate_value_pt  ngx_http_fedgate_values[] = {
    ngx_http_fedgate_subject,
    ngx_http_fedgate_issuer,
    ngx_http_fedgate_auth_method,
    ngx_http_fedgate_session_id,
    ngx_http_fedgate_reason,
    ngx_http_fedgate_rule,
    ngx_http_fedgate_token,
    ngx_http_fedgate_wsman_operation,
};


/* data: the place in the table above */
static ngx_http_variable_t  ngx_http_fedgate_variables[] = {

    { ngx_string("fedgate_subject"), NULL,
      ngx_http_fedgate_variable, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("fedgate_issuer"), NULL,
      ngx_http_fedgate_variable, 1, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("fedgate_auth_method"), NULL,
      ngx_http_fedgate_variable, 2, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("fedgate_session_id"), NULL,
      ngx_http_fedgate_variable, 3, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("fedgate_reason"), NULL,
      ngx_http_fedgate_variable, 4, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("fedgate_rule"), NULL,
      ngx_http_fedgate_variable, 5, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("fedgate_token"), NULL,
      ngx_http_fedgate_variable, 6, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("fedgate_wsman_operation"), NULL,
      ngx_http_fedgate_variable, 7, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("fedgate_decision"), NULL,
      ngx_http_fedgate_decision_variable, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("fedgate_claim_"), NULL,
      ngx_http_fedgate_claim_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_fedgate_variable_add(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_fedgate_variables; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_http_fedgate_variable_is_ours(ngx_http_request_t *r, ngx_int_t index)
{
    ngx_http_variable_t        *v;
    ngx_http_core_main_conf_t  *cmcf;

    if (index == NGX_ERROR) {
        return 0;
    }

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);
    v = cmcf->variables.elts;

    if (!r->variables[index].no_cacheable) {
        /* "set" puts a value of its own in the place of one with such a name */
        return 0;
    }

    return v[index].get_handler == ngx_http_fedgate_variable
           || v[index].get_handler == ngx_http_fedgate_claim_variable
           || v[index].get_handler == ngx_http_fedgate_decision_variable;
}


static ngx_int_t
ngx_http_fedgate_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    fg_str_t            value;
    fg_arena_t         *arena;
    const fg_access_t  *access;

    access = ngx_http_fedgate_decided(r, &arena);
    if (access == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    value = ngx_http_fedgate_values[data](r, access);

    if (value.n > 0) {
        value = fg_access_text(arena, value);
    }

    return ngx_http_fedgate_value(v, value);
}


static ngx_int_t
ngx_http_fedgate_claim_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t  *name = (ngx_str_t *) data;

    fg_str_t            alias;
    fg_arena_t         *arena;
    const fg_access_t  *access;

    access = ngx_http_fedgate_decided(r, &arena);
    if (access == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    alias.p = (char *) name->data + sizeof("fedgate_claim_") - 1;
    alias.n = name->len - (sizeof("fedgate_claim_") - 1);

    return ngx_http_fedgate_value(v, fg_access_claim(arena, access,
                                                     alias));
}


static ngx_int_t
ngx_http_fedgate_decision_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    fg_arena_t         *arena;
    const fg_access_t  *access;

    access = ngx_http_fedgate_decided(r, &arena);

    if (access == NULL) {
        return ngx_http_fedgate_value(v, FG_STR("none"));
    }

    return ngx_http_fedgate_value(v,
                            access->outcome == FG_ACCESS_PERMITTED
                            ? FG_STR("permit") : FG_STR("deny"));
}


/* NULL: the request is not decided, or needed no decision; arena: for texts about it */

static const fg_access_t *
ngx_http_fedgate_decided(ngx_http_request_t *r, fg_arena_t **arena)
{
    fg_exchange_t           *ex;
    ngx_http_fedgate_ctx_t  *ctx;

    ctx = ngx_http_fedgate_find_decision(r);

    if (ctx == NULL || ctx->out) {
        return NULL;
    }

    if (ctx->pass) {
        *arena = ngx_http_fedgate_pass_arena(ctx);
        return *arena ? ngx_http_fedgate_pass_access(ctx->pass) : NULL;
    }

    ex = ctx->exchange;

    if (ex == NULL
        || (ex->access->outcome == FG_ACCESS_UNDECIDED
            && ex->response.status == 0))
    {
        return NULL;
    }

    *arena = ex->arena;

    return ex->access;
}


static ngx_int_t
ngx_http_fedgate_value(ngx_http_variable_value_t *v, fg_str_t value)
{
    if (value.n == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->len = value.n;
    v->data = (u_char *) value.p;
    v->valid = 1;
    v->no_cacheable = 1;
    v->not_found = 0;

    return NGX_OK;
}


static fg_str_t
ngx_http_fedgate_subject(ngx_http_request_t *r,
    const fg_access_t *access)
{
    const fg_claim_t     *claim;
    const fg_identity_t  *identity = &access->session.identity;

    if (identity->name_id.value.n > 0) {
        return identity->name_id.value;
    }

    claim = fg_claims_get(&identity->claims, FG_CLAIM_NAME);

    return claim ? claim->value : FG_STR_NONE;
}


static fg_str_t
ngx_http_fedgate_issuer(ngx_http_request_t *r,
    const fg_access_t *access)
{
    return access->session.identity.issuer;
}


static fg_str_t
ngx_http_fedgate_auth_method(ngx_http_request_t *r,
    const fg_access_t *access)
{
    return access->session.identity.auth_method;
}


static fg_str_t
ngx_http_fedgate_session_id(ngx_http_request_t *r,
    const fg_access_t *access)
{
    return fg_str(access->session.id);
}


static fg_str_t
ngx_http_fedgate_reason(ngx_http_request_t *r,
    const fg_access_t *access)
{
    return access->reason ? fg_str(access->reason) : FG_STR_NONE;
}


static fg_str_t
ngx_http_fedgate_rule(ngx_http_request_t *r,
    const fg_access_t *access)
{
    u_char                 *p;
    size_t                  size;
    fg_str_t                rule;
    const fg_rule_place_t  *place;

    place = access->decision.place;
    if (place == NULL) {
        return FG_STR_NONE;
    }

    size = ngx_strlen(place->file) + 1 + NGX_INT_T_LEN;

    p = ngx_pnalloc(r->pool, size);
    if (p == NULL) {
        return FG_STR_NONE;
    }

    rule.p = (char *) p;
    rule.n = ngx_snprintf(p, size, "%s:%ui", place->file,
                          (ngx_uint_t) place->line)
             - p;

    return rule;
}


static fg_str_t
ngx_http_fedgate_token(ngx_http_request_t *r,
    const fg_access_t *access)
{
    return access->upstream_token;
}


static fg_str_t
ngx_http_fedgate_wsman_operation(ngx_http_request_t *r,
    const fg_access_t *access)
{
    return access->wsman.operation ? fg_str(access->wsman.operation)
                                       : FG_STR_NONE;
}
