/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Directives and the module's place in nginx. */
#include "ngx_module/ngx_http_fedgate.h"


static void *ngx_http_fedgate_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_fedgate_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_fedgate_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static ngx_int_t ngx_http_fedgate_merge_protect(ngx_conf_t *cf,
    ngx_http_fedgate_loc_conf_t *prev, ngx_http_fedgate_loc_conf_t *conf);
static char *ngx_http_fedgate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static ngx_int_t ngx_http_fedgate_postconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_fedgate_init_process(ngx_cycle_t *cycle);
static void ngx_http_fedgate_exit_process(ngx_cycle_t *cycle);


static ngx_command_t  ngx_http_fedgate_commands[] = {

    { ngx_string("fedgate"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_fedgate,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("fedgate_protect"),
      NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_CONF_TAKE12,
      ngx_http_fedgate_protect,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("fedgate_identity_header"),
      NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_fedgate_identity_header,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("fedgate_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_fedgate_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("fedgate_thread_pool"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_fedgate_loc_conf_t, thread_pool),
      NULL },

    { ngx_string("fedgate_password_pool"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_fedgate_loc_conf_t, password_pool),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_fedgate_module_ctx = {
    ngx_http_fedgate_variable_add,         /* preconfiguration */
    ngx_http_fedgate_postconfiguration,    /* postconfiguration */

    ngx_http_fedgate_create_main_conf,     /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_fedgate_create_loc_conf,      /* create location configuration */
    ngx_http_fedgate_merge_loc_conf        /* merge location configuration */
};


ngx_module_t  ngx_http_fedgate_module = {
    NGX_MODULE_V1,
    &ngx_http_fedgate_module_ctx,          /* module context */
    ngx_http_fedgate_commands,             /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_fedgate_init_process,         /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_fedgate_exit_process,         /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_http_fedgate_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_fedgate_main_conf_t  *fmcf;

    fmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_fedgate_main_conf_t));
    if (fmcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&fmcf->gateways, cf->pool, 4,
                       sizeof(ngx_http_fedgate_gateway_t *))
        != NGX_OK
        || ngx_array_init(&fmcf->names, cf->pool, 4, sizeof(ngx_str_t))
           != NGX_OK)
    {
        return NULL;
    }

    return fmcf;
}


static void *
ngx_http_fedgate_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_fedgate_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_fedgate_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->guard = NGX_CONF_UNSET_PTR;
    conf->identity = NGX_CONF_UNSET_PTR;

    return conf;
}


static char *
ngx_http_fedgate_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_core_loc_conf_t     *clcf;
    ngx_http_fedgate_loc_conf_t  *prev = parent;
    ngx_http_fedgate_loc_conf_t  *conf = child;

    ngx_conf_merge_str_value(conf->thread_pool, prev->thread_pool, "fedgate");
    ngx_conf_merge_str_value(conf->password_pool, prev->password_pool,
                             "fedgate_password");

    if (ngx_http_fedgate_merge_protect(cf, prev, conf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (conf->gateway == NULL) {
        return NGX_CONF_OK;
    }

    conf->gateway->pool = conf->thread_tp;

    /*
     * The limit is the gateway's own: nginx would answer with a page of its
     * own before the handler is asked.
     */
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->client_max_body_size = 0;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_fedgate_merge_protect(ngx_conf_t *cf,
    ngx_http_fedgate_loc_conf_t *prev, ngx_http_fedgate_loc_conf_t *conf)
{
    ngx_http_fedgate_main_conf_t  *fmcf;

    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_fedgate_module);

    ngx_conf_merge_ptr_value(conf->identity, prev->identity, fmcf->identity);

    if (conf->guard == NGX_CONF_UNSET_PTR) {
        conf->guard = prev->guard == NGX_CONF_UNSET_PTR ? NULL : prev->guard;
        conf->protect = prev->protect;
    }

    if (conf->guard == NULL && conf->gateway == NULL && conf->status == NULL) {
        return NGX_OK;
    }

    conf->thread_tp = ngx_thread_pool_add(cf, &conf->thread_pool);
    conf->password_tp = ngx_thread_pool_add(cf, &conf->password_pool);

    if (conf->thread_tp == NULL || conf->password_tp == NULL) {
        return NGX_ERROR;
    }

    if (conf->guard && conf->guard->pool == NULL) {
        conf->guard->pool = conf->thread_tp;
    }

    if (conf->status && conf->status->pool == NULL) {
        conf->status->pool = conf->thread_tp;
    }

    return NGX_OK;
}


static char *
ngx_http_fedgate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_fedgate_loc_conf_t  *flcf = conf;

    ngx_str_t                     *value;
    ngx_http_core_loc_conf_t      *clcf;
    ngx_http_fedgate_main_conf_t  *fmcf;

    if (flcf->gateway) {
        return (char *) "is duplicate";
    }

    value = cf->args->elts;
    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_fedgate_module);

    flcf->gateway = ngx_http_fedgate_gateway_add(cf, &fmcf->gateways,
                                                 &value[1]);
    if (flcf->gateway == NULL) {
        return NGX_CONF_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_fedgate_handler;

    return NGX_CONF_OK;
}


/* what nobody asked for costs nothing */

static ngx_int_t
ngx_http_fedgate_postconfiguration(ngx_conf_t *cf)
{
    ngx_http_fedgate_main_conf_t  *fmcf;

    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_fedgate_module);

    if ((fmcf->identity || fmcf->names.nelts)
        && ngx_http_fedgate_forward_init(cf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (fmcf->identity
        && (ngx_http_fedgate_access_init(cf) != NGX_OK
            || ngx_http_fedgate_answer_init(cf) != NGX_OK))
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_fedgate_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                      i;
    ngx_http_fedgate_gateway_t    **gw;
    ngx_http_fedgate_main_conf_t   *fmcf;

    if (ngx_process != NGX_PROCESS_WORKER
        && ngx_process != NGX_PROCESS_SINGLE)
    {
        /* the cache manager and loader have no thread pools */
        return NGX_OK;
    }

    fmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_fedgate_module);
    if (fmcf == NULL) {
        return NGX_OK;
    }

    gw = fmcf->gateways.elts;

    for (i = 0; i < fmcf->gateways.nelts; i++) {
        if (ngx_http_fedgate_gateway_start(gw[i], cycle) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_http_fedgate_exit_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                      i;
    ngx_http_fedgate_gateway_t    **gw;
    ngx_http_fedgate_main_conf_t   *fmcf;

    fmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_fedgate_module);
    if (fmcf == NULL) {
        return;
    }

    gw = fmcf->gateways.elts;

    for (i = 0; i < fmcf->gateways.nelts; i++) {
        ngx_http_fedgate_gateway_audit_write(gw[i]);
    }
}
