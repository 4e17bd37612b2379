/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bind URI CA USER SECONDS CONNECTIONS   simple binds per second by bare libldap: so many threads, each with a
 * connection that it keeps and binds again and again. The password is $BIND_PASSWORD. Prints binds per second. */
#include <ldap.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THREADS_MAX 64

typedef struct {
    const char *uri, *user;
    double until;
    long binds; /* -1: something failed */
} loop_t;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool is_bound(LDAP *ldap, const char *user) {
    char *password = getenv("BIND_PASSWORD");
    struct berval credentials = {.bv_val = password, .bv_len = password ? strlen(password) : 0};
    return ldap_sasl_bind_s(ldap, user, LDAP_SASL_SIMPLE, &credentials, NULL, NULL, NULL) == LDAP_SUCCESS;
}

static void *run(void *data) {
    loop_t *loop = data;
    LDAP *ldap = NULL;
    const int version = LDAP_VERSION3;
    bool ok = ldap_initialize(&ldap, loop->uri) == LDAP_SUCCESS &&
              ldap_set_option(ldap, LDAP_OPT_PROTOCOL_VERSION, &version) == LDAP_OPT_SUCCESS;
    while (ok && now() < loop->until) {
        ok = is_bound(ldap, loop->user);
        loop->binds++;
    }
    if (!ok)
        loop->binds = -1;
    if (ldap != NULL)
        ldap_unbind_ext_s(ldap, NULL, NULL);
    return NULL;
}

int main(int argc, char **argv) {
    pthread_t threads[THREADS_MAX];
    loop_t loops[THREADS_MAX];
    if (argc != 6 || atoi(argv[5]) < 1 || atoi(argv[5]) > THREADS_MAX || getenv("BIND_PASSWORD") == NULL) {
        fputs("usage: BIND_PASSWORD=... bind URI CA USER SECONDS CONNECTIONS\n", stderr);
        return 2;
    }
    const int count = atoi(argv[5]), demand = LDAP_OPT_X_TLS_DEMAND;
    ldap_set_option(NULL, LDAP_OPT_X_TLS_CACERTFILE, argv[2]);
    ldap_set_option(NULL, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand);
    const double begun = now();
    long binds = 0;
    for (int i = 0; i < count; i++) {
        loops[i] = (loop_t){.uri = argv[1], .user = argv[3], .until = begun + atof(argv[4])};
        if (pthread_create(&threads[i], NULL, run, &loops[i]) != 0)
            return 1;
    }
    for (int i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        if (loops[i].binds < 0) {
            fputs("bind: the server refused\n", stderr);
            return 1;
        }
        binds += loops[i].binds;
    }
    printf("%.1f\n", (double)binds / (now() - begun));
    return 0;
}
