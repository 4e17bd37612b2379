/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How full a gateway's store is, in Prometheus' text format (0.0.4). */
#include "ngx_module/ngx_http_fedgate.h"

#include "hub/store.h"

#define NGX_HTTP_FEDGATE_STATUS_MAX  16384


typedef struct {
    const char  *name;
    const char  *type;
    const char  *help;
    size_t       offset;                     /* in fg_store_kind_stats_t */
} ngx_http_fedgate_metric_t;


static ngx_int_t ngx_http_fedgate_status_handler(ngx_http_request_t *r);
static void ngx_http_fedgate_write_stats(fg_buf_t *out,
    const fg_store_stats_t *stats);
static ngx_int_t ngx_http_fedgate_send_status(ngx_http_request_t *r,
    const fg_buf_t *text);


static const ngx_http_fedgate_metric_t  ngx_http_fedgate_metrics[] = {
    { "fedgate_store_entries", "gauge",
      "Entries, with those that expired and were not swept yet.",
      offsetof(fg_store_kind_stats_t, entries) },
    { "fedgate_store_entry_bytes", "gauge",
      "Bytes that the entries take.",
      offsetof(fg_store_kind_stats_t, bytes) },
    { "fedgate_store_refused_total", "counter",
      "Entries refused for want of room.",
      offsetof(fg_store_kind_stats_t, refused) },
    { "fedgate_store_displaced_total", "counter",
      "Entries of a cache that went before their time.",
      offsetof(fg_store_kind_stats_t, displaced) },
};


char *
ngx_http_fedgate_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_fedgate_loc_conf_t  *flcf = conf;

    ngx_str_t                     *value;
    ngx_http_core_loc_conf_t      *clcf;
    ngx_http_fedgate_main_conf_t  *fmcf;

    if (flcf->status) {
        return (char *) "is duplicate";
    }

    value = cf->args->elts;
    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_fedgate_module);

    flcf->status = ngx_http_fedgate_gateway_add(cf, &fmcf->gateways,
                                                &value[1]);
    if (flcf->status == NULL) {
        return NGX_CONF_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_fedgate_status_handler;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_fedgate_status_handler(ngx_http_request_t *r)
{
    fg_buf_t                      text;
    ngx_int_t                     rc;
    fg_store_stats_t              stats;
    ngx_http_fedgate_loc_conf_t  *conf;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    conf = ngx_http_get_module_loc_conf(r, ngx_http_fedgate_module);

    if (!fg_store_stats(conf->status->env.store, &stats)) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    fg_buf_init(&text, NGX_HTTP_FEDGATE_STATUS_MAX);
    ngx_http_fedgate_write_stats(&text, &stats);
    rc = ngx_http_fedgate_send_status(r, &text);
    fg_buf_free(&text);

    return rc;
}


static void
ngx_http_fedgate_write_stats(fg_buf_t *out, const fg_store_stats_t *stats)
{
    size_t                            m, k;
    const char                       *value;
    const ngx_http_fedgate_metric_t  *metric;

    fg_buf_printf(out,
                  "# HELP fedgate_store_bytes Shared memory for entries.\n"
                  "# TYPE fedgate_store_bytes gauge\n"
                  "fedgate_store_bytes %" PRIu64 "\n"
                  "# HELP fedgate_store_used_bytes Of it, in use.\n"
                  "# TYPE fedgate_store_used_bytes gauge\n"
                  "fedgate_store_used_bytes %" PRIu64 "\n",
                  stats->bytes_total, stats->bytes_used);

    for (m = 0; m < sizeof(ngx_http_fedgate_metrics)
                    / sizeof(ngx_http_fedgate_metrics[0]); m++)
    {
        metric = &ngx_http_fedgate_metrics[m];

        fg_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name,
                      metric->help, metric->name, metric->type);

        for (k = 0; k < FG_STORE_KINDS; k++) {
            value = (const char *) &stats->kinds[k] + metric->offset;

            fg_buf_printf(out, "%s{kind=\"%s\"} %" PRIu64 "\n", metric->name,
                          stats->kinds[k].name, *(const uint64_t *) value);
        }
    }
}


static ngx_int_t
ngx_http_fedgate_send_status(ngx_http_request_t *r, const fg_buf_t *text)
{
    ngx_int_t    rc;
    ngx_buf_t   *b;
    ngx_chain_t  out;

    if (!fg_buf_ok(text)) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b = ngx_create_temp_buf(r->pool, text->length);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->last = ngx_cpymem(b->last, text->data, text->length);
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = (off_t) text->length;
    ngx_str_set(&r->headers_out.content_type, "text/plain; version=0.0.4");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_http_output_filter(r, &out);
}
