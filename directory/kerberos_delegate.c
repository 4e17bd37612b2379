/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/kerberos_delegate.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/time.h"
#include "directory/kerberos_s4u.h"

#define NAME_MAX_BYTES 256u
#define SETS 256u /* of kept tickets, with so many in each: */
#define WAYS 4u
#define TICKET_LONGEST (10 * FG_MINUTE) /* by then a disabled account counts */
#define TICKET_SHORTEST FG_MINUTE       /* what is left for the request, and for clocks that differ */
#define REFUSAL_LONGEST (10 * FG_SECOND)
#define JOBS_MAX 64u
#define PAUSE_FIRST (5 * FG_SECOND)
#define PAUSE_LONGEST FG_MINUTE

/* What the KDC said of a person and a service; err FG_OK: there is a ticket.  Counted under the delegate's mutex. */
typedef struct answer {
    unsigned references;
    char *key; /* person and service, each with its NUL */
    size_t length;
    int64_t until_ms;
    fg_s4u_ticket_t ticket;
    fg_err_t err;
} answer_t;

/* A question, of whoever waits for it and of the thread. */
typedef struct job {
    struct job *next;
    unsigned references;
    char *key; /* as above */
    size_t length;
    const char *service; /* in key */
    int64_t now_ms;
    bool done;
    bool silent; /* somebody has waited in vain: that counts once */
    answer_t *answer;
} job_t;

struct fg_delegate {
    fg_delegate_options_t options;
    fg_str_t realm;           /* of the own principal */
    fg_s4u_service_t account; /* the thread's alone, as is: */
    int64_t signed_in_ms;
    bool trusted; /* fg_s4u_get_ticket */

    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t asked, answered;
    pthread_t thread;
    bool started, stopping;
    job_t *first, **last; /* the first is being worked on */
    unsigned job_count;
    answer_t *kept[SETS][WAYS];
    unsigned silences; /* times in a row that the KDC did not answer */
    int64_t paused_until_ms;
};

/* ---- names */

static fg_str_t realm_of(const char *principal) {
    const char *at = strrchr(principal, '@');
    return at != NULL ? fg_str(at + 1) : FG_STR_NONE;
}

static const fg_str_t *find_realm(const fg_delegate_t *d, fg_str_t suffix) {
    const fg_str_t *realms = d->options.realm_count > 0 ? d->options.realms : &d->realm;
    size_t count = d->options.realm_count > 0 ? d->options.realm_count : 1;
    for (size_t i = 0; i < count; i++)
        if (fg_str_eq_nocase(realms[i], suffix))
            return &realms[i];
    return NULL;
}

/* RFC 1964 §2.1.1 has "/" part a principal, "@" begin its realm and "\" quote. */
static bool is_plain(fg_str_t name) {
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7f || strchr("/@\\", name.p[i]) != NULL)
            return false;
    return name.n > 0 && name.n <= NAME_MAX_BYTES && fg_str_is_utf8(name) && name.p[name.n - 1] != '$' &&
           name.p[0] != ' ' && name.p[name.n - 1] != ' ';
}

bool fg_delegate_principal(const fg_delegate_t *d, fg_arena_t *arena, fg_str_t value, fg_str_t *principal,
                           fg_err_t *err) {
    const char *at = value.n > 0 ? memchr(value.p, '@', value.n) : NULL;
    if (at == NULL)
        return FG_FAIL(err, FG_E_DELEGATION_CLAIM, "a claim that is not name@realm");
    fg_str_t name = {value.p, (size_t)(at - value.p)}, suffix = {at + 1, value.n - name.n - 1};
    if (!is_plain(name))
        return FG_FAIL(err, FG_E_DELEGATION_CLAIM, "a name that could be read as another principal");
    const fg_str_t *realm = find_realm(d, suffix);
    if (realm == NULL)
        return FG_FAIL(err, FG_E_DELEGATION_CLAIM, "a realm that is not one of realms");
    const fg_str_t parts[] = {name, FG_STR("@"), *realm};
    *principal = fg_arena_join(arena, parts, FG_ARRAY_SIZE(parts));
    return principal->p != NULL || FG_FAIL(err, FG_E_MEMORY, "a principal");
}

/* ---- answers */

static void answer_release(answer_t *answer) {
    if (answer == NULL || --answer->references > 0)
        return;
    fg_s4u_ticket_free(&answer->ticket);
    free(answer->key);
    free(answer);
}

static answer_t **set_of(fg_delegate_t *d, const char *key, size_t length) {
    unsigned hash = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)key[i]) * 16777619u;
    return d->kept[hash % SETS];
}

static bool is_key(const char *key, size_t length, const char *other, size_t other_length) {
    return length == other_length && memcmp(key, other, length) == 0;
}

static answer_t *find_answer(fg_delegate_t *d, const char *key, size_t length, int64_t now_ms) {
    answer_t **set = set_of(d, key, length);
    for (unsigned i = 0; i < WAYS; i++)
        if (set[i] != NULL && is_key(set[i]->key, set[i]->length, key, length) && now_ms < set[i]->until_ms)
            return set[i];
    return NULL;
}

/* In place of the one before, of an empty place, or of that which ends first. */
static void keep_answer(fg_delegate_t *d, answer_t *answer) {
    answer_t **set = set_of(d, answer->key, answer->length), **place = &set[0];
    for (unsigned i = 0; i < WAYS; i++) {
        bool same = set[i] != NULL && is_key(set[i]->key, set[i]->length, answer->key, answer->length);
        if (same || (*place != NULL && (set[i] == NULL || set[i]->until_ms < (*place)->until_ms)))
            place = &set[i];
        if (same)
            break;
    }
    answer_release(*place);
    answer->references++;
    *place = answer;
}

/* ---- the thread that asks */

static void job_release(job_t *job) {
    if (--job->references > 0)
        return;
    answer_release(job->answer);
    free(job->key);
    free(job);
}

/* Signed in anew at half of the ticket's life, and after trouble: the keytab may have new keys. */
static bool sign_in(fg_delegate_t *d, int64_t now_ms, fg_err_t *err) {
    if (d->account.context != NULL && now_ms < d->signed_in_ms + d->account.lifetime_ms / 2)
        return true;
    fg_s4u_sign_out(&d->account);
    d->signed_in_ms = now_ms;
    return fg_s4u_sign_in(d->options.keytab, d->options.principal, &d->account, err);
}

static bool ask(fg_delegate_t *d, const job_t *job, answer_t *answer) {
    char target[2 * NAME_MAX_BYTES];
    const char *realm = memchr(job->service, '@', strlen(job->service)) ? "" : d->realm.p;
    int n = snprintf(target, sizeof target, "%s%s%s", job->service, *realm ? "@" : "", realm);
    if (n < 0 || (size_t)n >= sizeof target)
        return FG_FAIL(&answer->err, FG_E_DELEGATION_BACKEND, "a long name");
    if (!sign_in(d, job->now_ms, &answer->err))
        return false;
    if (fg_s4u_get_ticket(&d->account, job->key, target, &answer->ticket, &d->trusted, &answer->err))
        return true;
    if (answer->err.code == FG_E_DELEGATION_SERVICE)
        fg_s4u_sign_out(&d->account);
    return false;
}

/* NULL: memory. */
static answer_t *work(fg_delegate_t *d, const job_t *job) {
    answer_t *answer = calloc(1, sizeof *answer);
    char *key = malloc(job->length);
    if (answer == NULL || key == NULL) {
        free(answer);
        free(key);
        return NULL;
    }
    memcpy(key, job->key, job->length);
    answer->key = key;
    answer->length = job->length;
    answer->references = 1;
    int64_t good_ms = REFUSAL_LONGEST;
    if (ask(d, job, answer))
        good_ms = answer->ticket.lifetime_ms - TICKET_SHORTEST;
    answer->until_ms = job->now_ms + (good_ms < TICKET_LONGEST ? good_ms : TICKET_LONGEST);
    return answer;
}

/* Under the mutex. */
static void note_silence(fg_delegate_t *d, int64_t now_ms) {
    int64_t pause = PAUSE_FIRST << (d->silences < 4 ? d->silences : 4);
    d->silences++;
    d->paused_until_ms = now_ms + (pause < PAUSE_LONGEST ? pause : PAUSE_LONGEST);
}

/* Under the mutex. */
static void finish(fg_delegate_t *d, job_t *job, answer_t *answer) {
    job->answer = answer;
    job->done = true;
    d->first = job->next;
    if (d->first == NULL)
        d->last = &d->first;
    d->job_count--;
    if (answer != NULL && answer->err.code == FG_E_DELEGATION_UNREACHABLE) {
        if (!job->silent)
            note_silence(d, job->now_ms);
    } else if (answer != NULL) {
        d->silences = 0;
        d->paused_until_ms = 0;
        keep_answer(d, answer);
    }
    job_release(job);
    pthread_cond_broadcast(&d->answered);
}

static void *run(void *object) {
    fg_delegate_t *d = object;
    pthread_mutex_lock(&d->mutex);
    while (!d->stopping) {
        job_t *job = d->first;
        if (job == NULL) {
            pthread_cond_wait(&d->asked, &d->mutex);
            continue;
        }
        if (job->references == 1) { /* nobody waits for it any more */
            finish(d, job, NULL);
            continue;
        }
        pthread_mutex_unlock(&d->mutex);
        answer_t *answer = work(d, job);
        pthread_mutex_lock(&d->mutex);
        finish(d, job, answer);
    }
    pthread_mutex_unlock(&d->mutex);
    return NULL;
}

/* The host's signals are not for this thread. */
static bool start(fg_delegate_t *d) {
    sigset_t all, before;
    if (d->started)
        return true;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    d->started = pthread_create(&d->thread, NULL, run, d) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return d->started;
}

/* ---- asking it */

static job_t *find_job(const fg_delegate_t *d, const char *key, size_t length) {
    for (job_t *job = d->first; job != NULL; job = job->next)
        if (!job->done && is_key(job->key, job->length, key, length))
            return job;
    return NULL;
}

static job_t *add_job(fg_delegate_t *d, const char *key, size_t length, int64_t now_ms) {
    job_t *job = calloc(1, sizeof *job);
    char *copy = malloc(length);
    if (job == NULL || copy == NULL) {
        free(job);
        free(copy);
        return NULL;
    }
    memcpy(copy, key, length);
    *job =
        (job_t){.references = 1, .key = copy, .length = length, .service = copy + strlen(copy) + 1, .now_ms = now_ms};
    *d->last = job;
    d->last = &job->next;
    d->job_count++;
    pthread_cond_signal(&d->asked);
    return job;
}

/* After a silence one question at a time, for it may be one still. */
static bool may_ask(const fg_delegate_t *d, int64_t now_ms, fg_err_t *err) {
    if (now_ms < d->paused_until_ms && d->paused_until_ms - now_ms <= PAUSE_LONGEST)
        return FG_FAIL(err, FG_E_DELEGATION_UNREACHABLE, "no KDC answered; none is asked for another %lld ms",
                       (long long)(d->paused_until_ms - now_ms));
    if (d->silences > 0 && d->first != NULL)
        return FG_FAIL(err, FG_E_DELEGATION_UNREACHABLE, "no KDC answered, and one is being asked");
    return d->job_count < JOBS_MAX || FG_FAIL(err, FG_E_BUSY, "%u questions wait for the KDC", d->job_count);
}

static void wait_for(fg_delegate_t *d, const job_t *job) {
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end); /* how long to wait, not what time it is */
    end.tv_sec += (time_t)(d->options.timeout_ms / 1000);
    end.tv_nsec += (long)(d->options.timeout_ms % 1000) * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_nsec -= 1000000000;
        end.tv_sec++;
    }
    while (!job->done && pthread_cond_timedwait(&d->answered, &d->mutex, &end) == 0)
        continue;
}

/* Under the mutex.  A reference of the caller's, or NULL. */
static answer_t *get_answer(fg_delegate_t *d, const char *key, size_t length, int64_t now_ms, bool *asked,
                            fg_err_t *err) {
    answer_t *answer = find_answer(d, key, length, now_ms);
    if (answer != NULL) {
        answer->references++;
        return answer;
    }
    job_t *job = find_job(d, key, length);
    if (job == NULL || d->silences > 0) {
        if (!may_ask(d, now_ms, err))
            return NULL;
        job = start(d) ? add_job(d, key, length, now_ms) : NULL;
    }
    if (job == NULL) {
        FG_FAIL(err, FG_E_MEMORY, "a question to the KDC");
        return NULL;
    }
    *asked = true;
    job->references++;
    wait_for(d, job);
    answer = job->answer;
    if (answer != NULL)
        answer->references++;
    else if (!job->done && !job->silent)
        note_silence(d, now_ms + d->options.timeout_ms);
    job->silent = job->silent || !job->done;
    job_release(job);
    if (answer == NULL)
        FG_FAIL(err, FG_E_DELEGATION_UNREACHABLE, "no KDC answered within %lld ms", (long long)d->options.timeout_ms);
    return answer;
}

bool fg_delegate_token(fg_delegate_t *d, const fg_env_t *env, fg_arena_t *arena, fg_str_t principal, fg_str_t service,
                       fg_str_t *token, bool *asked, fg_err_t *err) {
    const fg_str_t nul = {"", 1}, parts[] = {principal, nul, service, nul};
    fg_str_t key = fg_arena_join(arena, parts, FG_ARRAY_SIZE(parts));
    *asked = false;
    if (key.p == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "a question to the KDC");
    pthread_mutex_lock(&d->mutex);
    answer_t *answer = get_answer(d, key.p, key.n, fg_now(env), asked, err);
    pthread_mutex_unlock(&d->mutex);
    if (answer == NULL)
        return false;
    bool ok = answer->err.code == FG_OK && fg_s4u_token(&answer->ticket, arena, token, err);
    if (answer->err.code != FG_OK && err != NULL)
        *err = answer->err;
    pthread_mutex_lock(&d->mutex);
    answer_release(answer);
    pthread_mutex_unlock(&d->mutex);
    return ok;
}

/* ---- life */

fg_delegate_t *fg_delegate_new(const fg_delegate_options_t *options, fg_err_t *err) {
    pthread_condattr_t monotonic;
    if (realm_of(options->principal).n == 0) {
        FG_FAIL(err, FG_E_CONFIG, "%s names no realm", options->principal);
        return NULL;
    }
    if (!fg_s4u_check_keytab(options->keytab, options->principal, err))
        return NULL;
    fg_delegate_t *d = calloc(1, sizeof *d);
    if (d == NULL) {
        FG_FAIL(err, FG_E_MEMORY, "delegation");
        return NULL;
    }
    d->options = *options;
    d->realm = realm_of(options->principal);
    d->last = &d->first;
    pthread_mutex_init(&d->mutex, NULL);
    pthread_cond_init(&d->asked, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&d->answered, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return d;
}

void fg_delegate_free(fg_delegate_t *d) {
    if (d == NULL)
        return;
    pthread_mutex_lock(&d->mutex);
    d->stopping = true;
    pthread_cond_signal(&d->asked);
    pthread_mutex_unlock(&d->mutex);
    if (d->started)
        pthread_join(d->thread, NULL);
    while (d->first != NULL)
        finish(d, d->first, NULL);
    for (unsigned i = 0; i < SETS * WAYS; i++)
        answer_release(d->kept[i / WAYS][i % WAYS]);
    fg_s4u_sign_out(&d->account);
    pthread_cond_destroy(&d->asked);
    pthread_cond_destroy(&d->answered);
    pthread_mutex_destroy(&d->mutex);
    free(d);
}
