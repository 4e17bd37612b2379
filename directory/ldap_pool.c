/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The connections of a directory: at most so many at once, kept for the next one who needs one.  A server that does not
 * answer is left alone for a while that doubles each time; then one thread, and only one, finds out whether it is back,
 * while the others go to the next server or fail at once. */
#include "directory/ldap_parts.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define FIRST_WAIT 1000
#define LONGEST_WAIT 30000
#define IDLE_MAX (5 * 60 * 1000) /* servers close earlier or later; Active Directory after 15 minutes */

struct fg_ldap_pool {
    const fg_ldap_options_t *options;
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t returned;
    fg_ldap_connection_t *idle; /* the last one put back first */
    unsigned in_use;
    fg_ldap_server_t *servers;
};

/* ---- servers */

bool fg_ldap_server_read(fg_ldap_server_t *server, const char *uri) {
    server->start_tls = strncmp(uri, "ldap://", 7) == 0;
    const char *host = uri + (server->start_tls ? 7 : 8);
    size_t length = strcspn(host, "/");
    const char *colon = memrchr(host, ':', length), *bracket = memchr(host, ']', length);
    size_t name = colon != NULL && (bracket == NULL || colon > bracket) ? (size_t)(colon - host) : length;
    server->port = name < length ? strndup(colon + 1, length - name - 1) : strdup(server->start_tls ? "389" : "636");
    server->uri = strndup(uri, (size_t)(host - uri) + length);
    server->host = host[0] == '[' ? strndup(host + 1, name - 2) : strndup(host, name);
    return server->port != NULL && server->uri != NULL && server->host != NULL;
}

void fg_ldap_server_free(fg_ldap_server_t *server) {
    free((char *)(uintptr_t)server->uri);
    free((char *)(uintptr_t)server->host);
    free((char *)(uintptr_t)server->port);
}

/* Back-off; its idle connections would only time out one after the other. */
static void note_down(fg_ldap_pool_t *pool, fg_ldap_server_t *server, const char *why) {
    fg_ldap_connection_t *dead = NULL;
    pthread_mutex_lock(&pool->mutex);
    int64_t wait = (int64_t)FIRST_WAIT << (server->failures < 5 ? server->failures : 5);
    server->failures++;
    server->retry_at = fg_ldap_now() + (wait > LONGEST_WAIT ? LONGEST_WAIT : wait);
    server->trying = false;
    server->told = server->down && server->told;
    server->down = true;
    snprintf(server->why, sizeof server->why, "%s", why);
    for (fg_ldap_connection_t **at = &pool->idle; *at != NULL;) {
        fg_ldap_connection_t *one = *at;
        if (one->server != server) {
            at = &one->next;
            continue;
        }
        *at = one->next;
        one->next = dead;
        dead = one;
    }
    pthread_mutex_unlock(&pool->mutex);
    while (dead != NULL) {
        fg_ldap_connection_t *one = dead;
        dead = one->next;
        one->broken = true;
        fg_ldap_disconnect(one);
    }
}

static void note_up(fg_ldap_pool_t *pool, fg_ldap_server_t *server) {
    pthread_mutex_lock(&pool->mutex);
    server->told = !server->down && server->told;
    server->down = server->trying = false;
    server->failures = 0;
    pthread_mutex_unlock(&pool->mutex);
}

void fg_ldap_pool_log(fg_ldap_pool_t *pool, const fg_env_t *env, const char *name) {
    for (size_t i = 0; i < pool->options->server_count; i++) {
        fg_ldap_server_t *server = &pool->servers[i];
        pthread_mutex_lock(&pool->mutex);
        bool tell = !server->told, down = server->down;
        char why[sizeof server->why];
        memcpy(why, server->why, sizeof why);
        server->told = true;
        pthread_mutex_unlock(&pool->mutex);
        if (tell && down)
            fg_log(env, FG_LOG_ERROR, "directory %s: %s is down: %s", name, server->uri, why);
        else if (tell)
            fg_log(env, FG_LOG_NOTICE, "directory %s: %s is up again", name, server->uri);
    }
}

/* ---- getting one */

/* Of those that are kept: one bound that way, else any. */
static fg_ldap_connection_t *take_idle(fg_ldap_pool_t *pool, fg_ldap_bound_t bound) {
    fg_ldap_connection_t **best = &pool->idle;
    for (fg_ldap_connection_t **at = &pool->idle; *at != NULL; at = &(*at)->next)
        if ((*at)->bound == bound) {
            best = at;
            break;
        }
    fg_ldap_connection_t *one = *best;
    if (one != NULL)
        *best = one->next;
    return one;
}

/* Room for one more; *kept: one that is there already, NULL: to be made. */
static bool enter(fg_ldap_pool_t *pool, fg_ldap_bound_t bound, int64_t deadline, fg_ldap_connection_t **kept) {
    struct timespec until = {.tv_sec = deadline / 1000, .tv_nsec = deadline % 1000 * 1000000};
    pthread_mutex_lock(&pool->mutex);
    int rc = 0;
    while (pool->in_use >= pool->options->connections && rc == 0)
        rc = pthread_cond_timedwait(&pool->returned, &pool->mutex, &until);
    bool room = pool->in_use < pool->options->connections;
    *kept = room ? take_idle(pool, bound) : NULL;
    pool->in_use += room;
    pthread_mutex_unlock(&pool->mutex);
    return room;
}

static void leave(fg_ldap_pool_t *pool) {
    pthread_mutex_lock(&pool->mutex);
    pool->in_use--;
    pthread_cond_signal(&pool->returned);
    pthread_mutex_unlock(&pool->mutex);
}

/* How many servers, from this one on, may be tried now; takes the first if it is one of them. */
static size_t claim(fg_ldap_pool_t *pool, size_t from, bool *take) {
    size_t count = 0;
    int64_t now = fg_ldap_now();
    pthread_mutex_lock(&pool->mutex);
    for (size_t i = from; i < pool->options->server_count; i++) {
        fg_ldap_server_t *server = &pool->servers[i];
        bool may = !server->down || (now >= server->retry_at && !server->trying);
        count += may;
        if (i == from)
            *take = may;
        if (i == from && may && server->down)
            server->trying = true;
    }
    pthread_mutex_unlock(&pool->mutex);
    return count;
}

/* To one of the first servers, in their order; the time that is left is shared by all that can still be tried. */
static fg_ldap_connection_t *open_one(fg_ldap_pool_t *pool, size_t servers, int64_t deadline, fg_err_t *err) {
    FG_FAIL(err, FG_E_DIRECTORY, "directory %s: all servers are down", pool->options->name);
    for (size_t i = 0; i < servers; i++) {
        bool take = false;
        size_t count = claim(pool, i, &take);
        if (!take)
            continue;
        int64_t now = fg_ldap_now(), until = now + (deadline - now) / (int64_t)count;
        fg_err_t why = FG_ERR_INIT;
        fg_ldap_connection_t *made = fg_ldap_connect(pool->options, &pool->servers[i], until, NULL, &why);
        if (made != NULL) {
            note_up(pool, &pool->servers[i]);
            return made;
        }
        note_down(pool, &pool->servers[i], why.detail);
        if (err != NULL)
            *err = why;
    }
    return NULL;
}

/* A server that stands before this one's is preferred as soon as it is there again: else nobody would ask for it as
 * long as there are connections to another. */
static fg_ldap_connection_t *prefer_earlier(fg_ldap_pool_t *pool, fg_ldap_connection_t *kept, int64_t deadline) {
    size_t before = (size_t)(kept->server - pool->servers);
    fg_ldap_connection_t *earlier = before > 0 ? open_one(pool, before, deadline, NULL) : NULL;
    if (earlier != NULL) {
        fg_ldap_disconnect(kept);
        return earlier;
    }
    kept->reused = true;
    return kept;
}

fg_ldap_connection_t *fg_ldap_pool_get(fg_ldap_pool_t *pool, fg_ldap_bound_t bound, int64_t deadline, fg_err_t *err) {
    fg_ldap_connection_t *one;
    if (!enter(pool, bound, deadline, &one)) {
        FG_FAIL(err, FG_E_BUSY, "directory %s: all %u connections are in use", pool->options->name,
                pool->options->connections);
        return NULL;
    }
    while (one != NULL && (fg_ldap_now() - one->idle_since > IDLE_MAX || !fg_ldap_is_alive(one))) {
        one->broken = !fg_ldap_is_alive(one);
        fg_ldap_disconnect(one);
        pthread_mutex_lock(&pool->mutex);
        one = take_idle(pool, bound);
        pthread_mutex_unlock(&pool->mutex);
    }
    if (one != NULL)
        return prefer_earlier(pool, one, deadline);
    one = open_one(pool, pool->options->server_count, deadline, err);
    if (one == NULL)
        leave(pool);
    return one;
}

void fg_ldap_pool_put(fg_ldap_pool_t *pool, fg_ldap_connection_t *connection) {
    if (connection == NULL)
        return;
    if (connection->broken) {
        fg_ldap_disconnect(connection);
        leave(pool);
        return;
    }
    connection->idle_since = fg_ldap_now();
    pthread_mutex_lock(&pool->mutex);
    connection->next = pool->idle;
    pool->idle = connection;
    pthread_mutex_unlock(&pool->mutex);
    leave(pool);
}

void fg_ldap_pool_blame(fg_ldap_pool_t *pool, const fg_ldap_connection_t *connection, const char *why) {
    note_down(pool, connection->server, why);
}

/* ---- */

fg_ldap_pool_t *fg_ldap_pool_new(const fg_ldap_options_t *options, fg_err_t *err) {
    fg_ldap_pool_t *pool = calloc(1, sizeof *pool);
    pthread_condattr_t attributes;
    if (pool == NULL) {
        FG_FAIL(err, FG_E_MEMORY, "no memory for a directory");
        return NULL;
    }
    pool->options = options;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->returned, &attributes);
    pthread_condattr_destroy(&attributes);
    pool->servers = calloc(options->server_count + 1, sizeof *pool->servers);
    bool ok = pool->servers != NULL;
    for (size_t i = 0; ok && i < options->server_count; i++) {
        ok = fg_ldap_server_read(&pool->servers[i], options->servers[i]);
        pool->servers[i].told = true;
    }
    if (ok)
        return pool;
    FG_FAIL(err, FG_E_MEMORY, "no memory for a directory");
    fg_ldap_pool_free(pool);
    return NULL;
}

void fg_ldap_pool_free(fg_ldap_pool_t *pool) {
    if (pool == NULL)
        return;
    for (fg_ldap_connection_t *one = pool->idle, *next; one != NULL; one = next) {
        next = one->next;
        fg_ldap_disconnect(one);
    }
    for (size_t i = 0; pool->servers != NULL && i < pool->options->server_count; i++)
        fg_ldap_server_free(&pool->servers[i]);
    free(pool->servers);
    pthread_cond_destroy(&pool->returned);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}
