/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The gateways of a cycle: loaded in the master, their store in shared memory,
 * their audit file, their refreshing in the workers. */
#include "ngx_module/ngx_http_fedgate.h"

#include "hub/store.h"

#define NGX_HTTP_FEDGATE_REFRESH_MS  1000
#define NGX_HTTP_FEDGATE_AUDIT_ROOM  16384


typedef struct {
    ngx_http_fedgate_gateway_t  *gateway;
    fg_env_t                     env;
    ngx_http_fedgate_journal_t   journal;
} ngx_http_fedgate_refresh_t;


static ngx_http_fedgate_gateway_t *ngx_http_fedgate_gateway_create(
    ngx_conf_t *cf, ngx_str_t *path);
static ngx_int_t ngx_http_fedgate_gateway_load(ngx_conf_t *cf,
    ngx_http_fedgate_gateway_t *gw);
static void ngx_http_fedgate_find_owner(ngx_http_fedgate_gateway_t *gw,
    ngx_cycle_t *cycle);
static ngx_int_t ngx_http_fedgate_check_owner(ngx_http_fedgate_gateway_t *gw,
    ngx_log_t *log);
static void ngx_http_fedgate_gateway_cleanup(void *data);
static ngx_int_t ngx_http_fedgate_add_zone(ngx_conf_t *cf,
    ngx_http_fedgate_gateway_t *gw);
static ngx_int_t ngx_http_fedgate_init_zone(ngx_shm_zone_t *zone, void *data);
static ngx_int_t ngx_http_fedgate_add_audit(ngx_conf_t *cf,
    ngx_http_fedgate_gateway_t *gw);
static void ngx_http_fedgate_gateway_turn_over(ngx_event_t *ev);
static ngx_int_t ngx_http_fedgate_gateway_start_audit(
    ngx_http_fedgate_gateway_t *gw, ngx_cycle_t *cycle);
static void ngx_http_fedgate_refresh_timer(ngx_event_t *ev);
static void ngx_http_fedgate_refresh_job(void *data, ngx_log_t *log);
static void ngx_http_fedgate_refresh_done(ngx_event_t *ev);


/*
 * The libraries below are started once per process, in the master before it
 * forks.  They are never stopped: keys of a cycle may outlive every place where
 * that could be done, and the process ends then anyway.  The module is linked
 * with -z nodelete, so that this and the address of the module (the tag of its
 * shared memory) survive a reload that unloads and loads it again.
 */
static ngx_uint_t  ngx_http_fedgate_started;


/* the same file named twice is one gateway */

ngx_http_fedgate_gateway_t *
ngx_http_fedgate_gateway_add(ngx_conf_t *cf, ngx_array_t *gateways,
    ngx_str_t *path)
{
    ngx_uint_t                    i;
    ngx_http_fedgate_gateway_t   *gw, **slot;

    /* as nginx's own files: relative to the folder of nginx.conf */
    if (ngx_conf_full_name(cf->cycle, path, 1) != NGX_OK) {
        return NULL;
    }

    slot = gateways->elts;

    for (i = 0; i < gateways->nelts; i++) {
        if (slot[i]->path.len == path->len
            && ngx_strncmp(slot[i]->path.data, path->data, path->len) == 0)
        {
            return slot[i];
        }
    }

    gw = ngx_http_fedgate_gateway_create(cf, path);
    if (gw == NULL) {
        return NULL;
    }

    slot = ngx_array_push(gateways);
    if (slot == NULL) {
        return NULL;
    }

    *slot = gw;

    return gw;
}


static ngx_http_fedgate_gateway_t *
ngx_http_fedgate_gateway_create(ngx_conf_t *cf, ngx_str_t *path)
{
    ngx_pool_cleanup_t          *cln;
    ngx_http_fedgate_gateway_t  *gw;

    gw = ngx_pcalloc(cf->pool, sizeof(ngx_http_fedgate_gateway_t));
    if (gw == NULL) {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_fedgate_gateway_cleanup;
    cln->data = gw;

    gw->path = *path;
    gw->cycle = cf->cycle;
    ngx_http_fedgate_env_init(&gw->env, &gw->journal, cf->log);

    if (ngx_http_fedgate_gateway_load(cf, gw) != NGX_OK
        || ngx_http_fedgate_add_zone(cf, gw) != NGX_OK
        || ngx_http_fedgate_add_audit(cf, gw) != NGX_OK)
    {
        return NULL;
    }

    /* the log of the configuration phase does not live as long as the cycle */
    gw->journal.log = &cf->cycle->new_log;

    return gw;
}


static ngx_int_t
ngx_http_fedgate_gateway_load(ngx_conf_t *cf, ngx_http_fedgate_gateway_t *gw)
{
    fg_err_t              err = FG_ERR_INIT;
    fg_gateway_options_t  options;

    if (!ngx_http_fedgate_started) {
        if (!fg_gateway_start(&err)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "fedgate: %s", err.detail);
            return NGX_ERROR;
        }

        ngx_http_fedgate_started = 1;
    }

    ngx_http_fedgate_find_owner(gw, cf->cycle);

    /* "nginx -t" and "nginx -s" read the configuration without serving it */
    options.check_only = ngx_test_config
                         || ngx_process == NGX_PROCESS_SIGNALLER;
    options.uid = (unsigned) gw->uid;
    options.gid = (unsigned) gw->gid;

    gw->gateway = fg_gateway_load((char *) gw->path.data, &options, &gw->env,
                                  &err);
    if (gw->gateway == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "fedgate: %s", err.detail);
        return NGX_ERROR;
    }

    gw->env.http = fg_gateway_get_http(gw->gateway);

    return NGX_OK;
}


/* who the workers will be: what the master makes must be theirs */

static void
ngx_http_fedgate_find_owner(ngx_http_fedgate_gateway_t *gw, ngx_cycle_t *cycle)
{
    struct group     *grp;
    struct passwd    *pwd;
    ngx_core_conf_t  *ccf;

    gw->uid = (unsigned) -1;
    gw->gid = (unsigned) -1;

    if (geteuid() != 0) {
        return;
    }

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    if (ccf->user != (ngx_uid_t) NGX_CONF_UNSET_UINT) {
        gw->uid = ccf->user;
        gw->gid = ccf->group;
        return;
    }

    pwd = getpwnam(NGX_USER);
    grp = getgrnam(NGX_GROUP);

    if (pwd && grp) {
        gw->uid = pwd->pw_uid;
        gw->gid = grp->gr_gid;
    }
}


/* whether a "user" directive came after the gateway was loaded */

static ngx_int_t
ngx_http_fedgate_check_owner(ngx_http_fedgate_gateway_t *gw, ngx_log_t *log)
{
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(gw->cycle->conf_ctx,
                                           ngx_core_module);

    if (geteuid() != 0 || ccf->user == (ngx_uid_t) gw->uid) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, log, 0,
                  "fedgate: the \"user\" directive must stand before \"http\"");

    return NGX_ERROR;
}


static void
ngx_http_fedgate_gateway_cleanup(void *data)
{
    ngx_http_fedgate_gateway_t  *gw = data;

    ngx_http_fedgate_refresh_t  *refresh;

    if (__atomic_load_n(&gw->jobs, __ATOMIC_ACQUIRE) != 0) {
        /*
         * A worker ends with jobs still on threads: nginx gives up waiting for
         * its thread pools when their queues are full.
         */
        return;
    }

    if (gw->refresh) {
        /* its last job may have ended after the event loop did */
        refresh = gw->refresh->ctx;
        ngx_http_fedgate_journal_write(&refresh->journal, ngx_cycle->log);
    }

    ngx_http_fedgate_free_blocks(gw);
    ngx_http_fedgate_free_passes(gw);

    if (gw->gateway) {
        fg_gateway_free(gw->gateway);
    }

    if (gw->env.store) {
        fg_store_close(gw->env.store);
    }
}


static ngx_int_t
ngx_http_fedgate_add_zone(ngx_conf_t *cf, ngx_http_fedgate_gateway_t *gw)
{
    u_char     *p;
    size_t      size;
    ngx_str_t   name;

    static const ngx_str_t  prefix = ngx_string("fedgate:");

    name.len = prefix.len + gw->path.len;
    name.data = ngx_pnalloc(cf->pool, name.len);
    if (name.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(name.data, prefix.data, prefix.len);
    ngx_memcpy(p, gw->path.data, gw->path.len);

    gw->store_size = ngx_align(fg_gateway_get_store_size(gw->gateway),
                               ngx_pagesize);

    /* nginx makes every zone a slab pool: room for its descriptions of pages */
    size = gw->store_size
           + ngx_align(gw->store_size / ngx_pagesize * sizeof(ngx_slab_page_t),
                       ngx_pagesize)
           + 8 * ngx_pagesize;

    gw->zone = ngx_shared_memory_add(cf, &name, size,
                                     &ngx_http_fedgate_module);
    if (gw->zone == NULL) {
        return NGX_ERROR;
    }

    gw->zone->init = ngx_http_fedgate_init_zone;
    gw->zone->data = gw;

    return NGX_OK;
}


/* data: the old cycle's gateway if the zone is taken over from it */

static ngx_int_t
ngx_http_fedgate_init_zone(ngx_shm_zone_t *zone, void *data)
{
    bool                         attach;
    fg_err_t                     err = FG_ERR_INIT;
    ngx_slab_pool_t             *slab;
    ngx_http_fedgate_gateway_t  *gw;

    gw = zone->data;
    slab = (ngx_slab_pool_t *) zone->shm.addr;
    attach = data != NULL;

    /* the first moment when all directives are known and a refusal leaves the running configuration in place */
    if (ngx_http_fedgate_check_owner(gw, zone->shm.log) != NGX_OK) {
        return NGX_ERROR;
    }

    if (!attach) {
        slab->data = ngx_slab_alloc(slab, gw->store_size);
        if (slab->data == NULL) {
            return NGX_ERROR;
        }
    }

    gw->env.store = fg_store_open(slab->data, gw->store_size, attach, &err);
    if (gw->env.store == NULL) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0, "fedgate: %s",
                      err.detail);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_fedgate_add_audit(ngx_conf_t *cf, ngx_http_fedgate_gateway_t *gw)
{
    ngx_str_t    name;
    const char  *path;

    path = fg_gateway_get_audit_path(gw->gateway);
    if (path == NULL) {
        return NGX_OK;
    }

    name.len = ngx_strlen(path);
    name.data = ngx_pnalloc(cf->pool, name.len + 1);
    if (name.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(name.data, path, name.len + 1);

    gw->audit = ngx_conf_open_file(cf->cycle, &name);

    return gw->audit ? NGX_OK : NGX_ERROR;
}


/*
 * On the event loop.  Lines are kept until the loop's present turn is over and
 * written then, whole ones in one write, so that workers do not mix theirs.
 */

void
ngx_http_fedgate_gateway_audit(ngx_http_fedgate_gateway_t *gw,
    const fg_audit_line_t *line, ngx_log_t *log)
{
    for ( /* void */ ; line; line = line->next) {

        if (gw->audit == NULL) {
            ngx_log_error(NGX_LOG_NOTICE, log, 0, "fedgate: audit %*s",
                          line->text.n, line->text.p);
            continue;
        }

        if (line->text.n >= NGX_HTTP_FEDGATE_AUDIT_ROOM - gw->lines.length) {
            ngx_http_fedgate_gateway_audit_write(gw);
        }

        if (line->text.n >= NGX_HTTP_FEDGATE_AUDIT_ROOM) {
            ngx_log_error(NGX_LOG_ALERT, log, 0,
                          "fedgate: too long for the audit file: %*s",
                          line->text.n, line->text.p);
            continue;
        }

        ngx_memcpy(gw->lines.data + gw->lines.length, line->text.p,
                   line->text.n);
        gw->lines.length += line->text.n;
        gw->lines.data[gw->lines.length++] = '\n';

        if (!gw->lines_event.posted) {
            ngx_post_event(&gw->lines_event, &ngx_posted_events);
        }
    }
}


/* also when the process ends */

void
ngx_http_fedgate_gateway_audit_write(ngx_http_fedgate_gateway_t *gw)
{
    size_t  n;

    n = gw->lines.length;
    gw->lines.length = 0;

    if (n == 0 || ngx_write_fd(gw->audit->fd, gw->lines.data, n) == (ssize_t) n)
    {
        return;
    }

    ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_errno,
                  "fedgate: the audit file \"%V\" did not take: %*s",
                  &gw->audit->name, n, gw->lines.data);
}


static void
ngx_http_fedgate_gateway_turn_over(ngx_event_t *ev)
{
    ngx_http_fedgate_gateway_audit_write(ev->data);
}


/* room for lines, in workers only */

static ngx_int_t
ngx_http_fedgate_gateway_start_audit(ngx_http_fedgate_gateway_t *gw,
    ngx_cycle_t *cycle)
{
    gw->lines_event.handler = ngx_http_fedgate_gateway_turn_over;
    gw->lines_event.data = gw;
    gw->lines_event.log = cycle->log;

    if (gw->audit) {
        gw->lines.data = ngx_palloc(cycle->pool, NGX_HTTP_FEDGATE_AUDIT_ROOM);
    }

    return gw->audit && gw->lines.data == NULL ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_http_fedgate_gateway_start(ngx_http_fedgate_gateway_t *gw,
    ngx_cycle_t *cycle)
{
    ngx_thread_task_t           *task;
    ngx_http_fedgate_refresh_t  *refresh;

    if (ngx_http_fedgate_gateway_start_audit(gw, cycle) != NGX_OK) {
        return NGX_ERROR;
    }

    task = ngx_thread_task_alloc(cycle->pool,
                                 sizeof(ngx_http_fedgate_refresh_t));
    if (task == NULL) {
        return NGX_ERROR;
    }

    refresh = task->ctx;
    refresh->gateway = gw;
    refresh->env = gw->env;
    ngx_http_fedgate_env_init(&refresh->env, &refresh->journal, cycle->log);
    ngx_http_fedgate_journal_defer(&refresh->journal);

    task->handler = ngx_http_fedgate_refresh_job;
    task->event.handler = ngx_http_fedgate_refresh_done;
    task->event.data = gw;
    gw->refresh = task;

    gw->timer.handler = ngx_http_fedgate_refresh_timer;
    gw->timer.data = gw;
    gw->timer.log = cycle->log;
    gw->timer.cancelable = 1;

    ngx_add_timer(&gw->timer, NGX_HTTP_FEDGATE_REFRESH_MS);

    return NGX_OK;
}


static void
ngx_http_fedgate_refresh_timer(ngx_event_t *ev)
{
    ngx_http_fedgate_gateway_t  *gw = ev->data;

    if (ngx_exiting || ngx_terminate) {
        return;
    }

    ngx_http_fedgate_job_begin(gw);

    if (ngx_thread_task_post(gw->pool, gw->refresh) == NGX_OK) {
        return;
    }

    ngx_http_fedgate_job_end(gw);

    /* the queue is full: later */
    ngx_add_timer(&gw->timer, NGX_HTTP_FEDGATE_REFRESH_MS);
}


static void
ngx_http_fedgate_refresh_job(void *data, ngx_log_t *log)
{
    ngx_http_fedgate_refresh_t  *refresh = data;

    fg_gateway_refresh(refresh->gateway->gateway, &refresh->env);
    ngx_http_fedgate_job_end(refresh->gateway);
}


/* the next one is due a second after this one ended: never two at once */

static void
ngx_http_fedgate_refresh_done(ngx_event_t *ev)
{
    ngx_http_fedgate_gateway_t  *gw = ev->data;
    ngx_http_fedgate_refresh_t  *refresh = gw->refresh->ctx;

    ngx_http_fedgate_journal_write(&refresh->journal, ngx_cycle->log);

    if (!ngx_exiting && !ngx_terminate) {
        ngx_add_timer(&gw->timer, NGX_HTTP_FEDGATE_REFRESH_MS);
    }
}
