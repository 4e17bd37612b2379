/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Addresses of a server until a deadline.  The system's resolver knows none and may take longer by far: a thread asks
 * it, and is left behind when the time is over.  There are few of these, as a server that was not found is left alone
 * for a while. */
#include "directory/ldap_parts.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define HOST_MAX 256u

/* Of two: who asks and who waits.  The last one to leave frees it. */
typedef struct lookup {
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t changed;
    bool left; /* one of them has gone */
    bool done;
    int rc;
    struct addrinfo *found;
    char host[HOST_MAX], port[8];
} lookup_t;

static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};

/* With the mutex held. */
static void leave(lookup_t *lookup) {
    bool last = lookup->left;
    lookup->left = true;
    pthread_mutex_unlock(&lookup->mutex);
    if (!last)
        return;
    if (lookup->found != NULL)
        freeaddrinfo(lookup->found);
    pthread_cond_destroy(&lookup->changed);
    pthread_mutex_destroy(&lookup->mutex);
    free(lookup);
}

static void *ask(void *context) {
    lookup_t *lookup = context;
    struct addrinfo *found = NULL;
    int rc = getaddrinfo(lookup->host, lookup->port, &hints, &found);
    pthread_mutex_lock(&lookup->mutex);
    lookup->done = true;
    lookup->rc = rc;
    lookup->found = rc == 0 ? found : NULL;
    pthread_cond_signal(&lookup->changed);
    leave(lookup);
    return NULL;
}

static int await(lookup_t *lookup, int64_t deadline, struct addrinfo **found) {
    struct timespec until = {.tv_sec = deadline / 1000, .tv_nsec = deadline % 1000 * 1000000};
    int rc = 0;
    pthread_mutex_lock(&lookup->mutex);
    while (!lookup->done && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&lookup->changed, &lookup->mutex, &until);
    rc = lookup->done ? lookup->rc : EAI_AGAIN;
    *found = lookup->found;
    lookup->found = NULL;
    leave(lookup);
    return rc;
}

static lookup_t *lookup_new(const char *host, const char *port) {
    lookup_t *lookup = calloc(1, sizeof *lookup);
    pthread_condattr_t monotonic;
    if (lookup == NULL)
        return NULL;
    snprintf(lookup->host, sizeof lookup->host, "%s", host);
    snprintf(lookup->port, sizeof lookup->port, "%s", port);
    pthread_mutex_init(&lookup->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&lookup->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return lookup;
}

int fg_ldap_resolve(const char *host, const char *port, int64_t deadline, struct addrinfo **found) {
    const struct addrinfo numeric = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    pthread_t thread;
    *found = NULL;
    if (getaddrinfo(host, port, &numeric, found) == 0)
        return 0;
    lookup_t *lookup = lookup_new(host, port);
    if (lookup == NULL)
        return EAI_MEMORY;
    if (pthread_create(&thread, NULL, ask, lookup) != 0) {
        pthread_mutex_lock(&lookup->mutex);
        lookup->left = true; /* nobody asks */
        leave(lookup);
        return EAI_MEMORY;
    }
    pthread_detach(thread);
    return await(lookup, deadline, found);
}
