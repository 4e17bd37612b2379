/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the library takes from its host: clock, randomness, log. */
#include "ngx_module/ngx_http_fedgate.h"

#include <sys/random.h>

#define NGX_HTTP_FEDGATE_JOURNAL_LINES  64


struct ngx_http_fedgate_line_s {
    ngx_http_fedgate_line_t  *next;
    ngx_uint_t                level;
    char                      text[];
};


static int64_t ngx_http_fedgate_now_ms(const fg_env_t *env);
static bool ngx_http_fedgate_random(const fg_env_t *env, unsigned char *out,
    size_t n);
static void ngx_http_fedgate_log(const fg_env_t *env, fg_log_level_t level,
    const char *message);


static const ngx_uint_t  ngx_http_fedgate_levels[] = {
    [FG_LOG_ERROR] = NGX_LOG_ERR,
    [FG_LOG_WARN] = NGX_LOG_WARN,
    [FG_LOG_NOTICE] = NGX_LOG_NOTICE,
    [FG_LOG_INFO] = NGX_LOG_INFO,
    [FG_LOG_DEBUG] = NGX_LOG_DEBUG,
};


void
ngx_http_fedgate_env_init(fg_env_t *env, ngx_http_fedgate_journal_t *journal,
    ngx_log_t *log)
{
    ngx_memzero(journal, sizeof(ngx_http_fedgate_journal_t));
    journal->log = log;
    journal->last = &journal->first;

    env->now_ms = ngx_http_fedgate_now_ms;
    env->random = ngx_http_fedgate_random;
    env->log = ngx_http_fedgate_log;
    env->host = journal;
}


/* from now on lines are kept: the journal goes to a job thread */

void
ngx_http_fedgate_journal_defer(ngx_http_fedgate_journal_t *journal)
{
    journal->deferred = 1;
}


/* on the event loop: writes what was kept and forgets it */

void
ngx_http_fedgate_journal_write(ngx_http_fedgate_journal_t *journal,
    ngx_log_t *log)
{
    ngx_http_fedgate_line_t  *line, *next;

    for (line = journal->first; line; line = next) {
        next = line->next;
        ngx_log_error(line->level, log, 0, "fedgate: %s", line->text);
        free(line);
    }

    if (journal->count > NGX_HTTP_FEDGATE_JOURNAL_LINES) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "fedgate: %ui more lines were dropped",
                      journal->count - NGX_HTTP_FEDGATE_JOURNAL_LINES);
    }

    journal->first = NULL;
    journal->last = &journal->first;
    journal->count = 0;
}


/* nginx's cached time is the event loop's, and may be late while that is busy */

static int64_t
ngx_http_fedgate_now_ms(const fg_env_t *env)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_REALTIME, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


static bool
ngx_http_fedgate_random(const fg_env_t *env, unsigned char *out, size_t n)
{
    ssize_t  got;

    while (n > 0) {
        got = getrandom(out, n, 0);

        if (got == -1) {
            if (ngx_errno == NGX_EINTR) {
                continue;
            }

            return false;
        }

        out += got;
        n -= (size_t) got;
    }

    return true;
}


static void
ngx_http_fedgate_log(const fg_env_t *env, fg_log_level_t level,
    const char *message)
{
    size_t                       size;
    ngx_uint_t                   to;
    ngx_http_fedgate_line_t     *line;
    ngx_http_fedgate_journal_t  *journal;

    journal = env->host;
    to = ngx_http_fedgate_levels[level];

    if (to > journal->log->log_level) {
        return;
    }

    if (!journal->deferred) {
        ngx_log_error(to, journal->log, 0, "fedgate: %s", message);
        return;
    }

    if (++journal->count > NGX_HTTP_FEDGATE_JOURNAL_LINES) {
        return;
    }

    size = ngx_strlen(message) + 1;

    /* not from a pool: those have no locks */
    line = malloc(sizeof(ngx_http_fedgate_line_t) + size);
    if (line == NULL) {
        return;
    }

    line->next = NULL;
    line->level = to;
    ngx_memcpy(line->text, message, size);

    *journal->last = line;
    journal->last = &line->next;
}
