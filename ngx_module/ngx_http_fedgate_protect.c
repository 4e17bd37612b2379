/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What locations say of their protection. */
#include "ngx_module/ngx_http_fedgate.h"


typedef struct {
    ngx_str_t  name;
    ngx_str_t  value;
} ngx_http_fedgate_default_t;


static char *ngx_http_fedgate_protect_by(ngx_conf_t *cf,
    ngx_http_fedgate_loc_conf_t *flcf);
static ngx_int_t ngx_http_fedgate_add_defaults(ngx_conf_t *cf,
    ngx_http_fedgate_main_conf_t *fmcf);
static ngx_int_t ngx_http_fedgate_add_identity(ngx_conf_t *cf,
    ngx_array_t *identity, const ngx_str_t *name, const ngx_str_t *value);
static ngx_int_t ngx_http_fedgate_find_variable(ngx_conf_t *cf,
    ngx_http_fedgate_identity_t *one, const ngx_str_t *value);
static ngx_uint_t ngx_http_fedgate_is_name(const ngx_str_t *name);
static ngx_uint_t ngx_http_fedgate_is_nginx_header(const ngx_str_t *name);


static const ngx_http_fedgate_default_t  ngx_http_fedgate_defaults[] = {
    { ngx_string("X-Fedgate-Subject"), ngx_string("$fedgate_subject") },
    { ngx_string("X-Fedgate-Issuer"), ngx_string("$fedgate_issuer") },
    { ngx_string("X-Fedgate-Auth-Method"), ngx_string("$fedgate_auth_method") },
    { ngx_null_string, ngx_null_string }
};


char *
ngx_http_fedgate_protect(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_fedgate_loc_conf_t  *flcf = conf;

    ngx_str_t  *value;

    if (flcf->guard != NGX_CONF_UNSET_PTR) {
        return (char *) "is duplicate";
    }

    value = cf->args->elts;
    flcf->said = 1;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        flcf->guard = NULL;
        return NGX_CONF_OK;
    }

    return ngx_http_fedgate_protect_by(cf, flcf);
}


static char *
ngx_http_fedgate_protect_by(ngx_conf_t *cf, ngx_http_fedgate_loc_conf_t *flcf)
{
    char                          *name;
    ngx_str_t                     *value;
    ngx_http_fedgate_main_conf_t  *fmcf;

    value = cf->args->elts;
    name = cf->args->nelts == 3 ? (char *) value[2].data : NULL;
    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_fedgate_module);

    flcf->guard = ngx_http_fedgate_gateway_add(cf, &fmcf->gateways, &value[1]);
    if (flcf->guard == NULL) {
        return NGX_CONF_ERROR;
    }

    if (!fg_gateway_find_protect(flcf->guard->gateway, name, &flcf->protect)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "fedgate: \"%V\" has no section protect \"%s\"",
                           &value[1], name ? name : "");
        return NGX_CONF_ERROR;
    }

    return ngx_http_fedgate_add_defaults(cf, fmcf) == NGX_OK ? NGX_CONF_OK
                                                             : NGX_CONF_ERROR;
}


static ngx_int_t
ngx_http_fedgate_add_defaults(ngx_conf_t *cf,
    ngx_http_fedgate_main_conf_t *fmcf)
{
    const ngx_http_fedgate_default_t  *one;

    if (fmcf->identity) {
        return NGX_OK;
    }

    fmcf->identity = ngx_array_create(cf->pool, 4,
                                      sizeof(ngx_http_fedgate_identity_t));
    if (fmcf->identity == NULL) {
        return NGX_ERROR;
    }

    for (one = ngx_http_fedgate_defaults; one->name.len; one++) {
        if (ngx_http_fedgate_add_identity(cf, fmcf->identity, &one->name,
                                          &one->value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


char *
ngx_http_fedgate_identity_header(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_fedgate_loc_conf_t  *flcf = conf;

    ngx_str_t                     *value, *name;
    ngx_http_fedgate_main_conf_t  *fmcf;

    value = cf->args->elts;
    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_fedgate_module);

    if (!ngx_http_fedgate_is_name(&value[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is no header name", &value[1]);
        return NGX_CONF_ERROR;
    }

    if (ngx_http_fedgate_is_nginx_header(&value[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" means something else to nginx: use "
                           "\"proxy_set_header\" or the like", &value[1]);
        return NGX_CONF_ERROR;
    }

    name = ngx_array_push(&fmcf->names);
    if (name == NULL) {
        return NGX_CONF_ERROR;
    }

    *name = value[1];

    if (flcf->identity == NGX_CONF_UNSET_PTR) {
        flcf->identity = ngx_array_create(cf->pool, 4,
                                          sizeof(ngx_http_fedgate_identity_t));
        if (flcf->identity == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_http_fedgate_add_identity(cf, flcf->identity, &value[1],
                                      cf->args->nelts == 3 ? &value[2] : NULL)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_fedgate_add_identity(ngx_conf_t *cf, ngx_array_t *identity,
    const ngx_str_t *name, const ngx_str_t *value)
{
    ngx_str_t                          text;
    ngx_http_fedgate_identity_t       *one;
    ngx_http_compile_complex_value_t   ccv;

    one = ngx_array_push(identity);
    if (one == NULL) {
        return NGX_ERROR;
    }

    one->name = *name;
    one->value = NULL;
    one->variable = NGX_ERROR;

    one->lowcase = ngx_pnalloc(cf->pool, name->len);
    if (one->lowcase == NULL) {
        return NGX_ERROR;
    }

    one->hash = ngx_hash_strlow(one->lowcase, name->data, name->len);

    if (value == NULL) {
        return NGX_OK;
    }

    one->value = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (one->value == NULL) {
        return NGX_ERROR;
    }

    text = *value;

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));
    ccv.cf = cf;
    ccv.value = &text;
    ccv.complex_value = one->value;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_fedgate_find_variable(cf, one, value);
}


/* a value of one variable, as most are, need not be put together for each request */

static ngx_int_t
ngx_http_fedgate_find_variable(ngx_conf_t *cf,
    ngx_http_fedgate_identity_t *one, const ngx_str_t *value)
{
    ngx_str_t  name;

    name.data = value->data + 1;
    name.len = value->len - 1;

    /* "$1" is a part of what a pattern matched */
    if (value->data[0] != '$'
        || (value->data[1] >= '0' && value->data[1] <= '9')
        || !ngx_http_fedgate_is_name(&name)
        || ngx_strlchr(name.data, name.data + name.len, '-'))
    {
        return NGX_OK;
    }

    one->variable = ngx_http_get_variable_index(cf, &name);

    return one->variable == NGX_ERROR ? NGX_ERROR : NGX_OK;
}


static ngx_uint_t
ngx_http_fedgate_is_name(const ngx_str_t *name)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < name->len; i++) {
        c = name->data[i] | 0x20;

        if (!(c >= 'a' && c <= 'z')
            && !(name->data[i] >= '0' && name->data[i] <= '9')
            && name->data[i] != '-'
            && name->data[i] != '_')
        {
            return 0;
        }
    }

    return name->len > 0;
}


/* such headers have uses of their own, and nginx points to them */

static ngx_uint_t
ngx_http_fedgate_is_nginx_header(const ngx_str_t *name)
{
    ngx_http_header_t  *h;

    for (h = ngx_http_headers_in; h->name.len; h++) {
        if (h->name.len == name->len
            && ngx_strncasecmp(h->name.data, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}
