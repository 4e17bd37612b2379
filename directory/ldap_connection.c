/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One connection to a server.  The socket is opened here rather than by libldap, so that the deadline holds for it, for
 * TLS and for every answer; what libldap would take from ldap.conf and from LDAP… variables is overwritten. */
#include "directory/ldap_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openldap.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int64_t fg_ldap_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct timeval time_left(int64_t deadline) {
    int64_t left = deadline - fg_ldap_now();
    left = left < 1 ? 1 : left;
    return (struct timeval){.tv_sec = left / 1000, .tv_usec = left % 1000 * 1000};
}

/* ---- the socket */

static bool finish_connect(int fd, int64_t deadline) {
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    int64_t left = deadline - fg_ldap_now();
    int error = ETIMEDOUT;
    socklen_t length = sizeof error;
    int ready = poll(&wait, 1, left > 0 ? (int)left : 0);
    if (ready == 1)
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    errno = ready == 1 ? error : ETIMEDOUT;
    return errno == 0;
}

static int open_socket(const struct addrinfo *address, int64_t deadline) {
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    bool up = connect(fd, address->ai_addr, address->ai_addrlen) == 0 ||
              (errno == EINPROGRESS && finish_connect(fd, deadline));
    if (up)
        return fd;
    int kept = errno;
    close(fd);
    errno = kept;
    return -1;
}

/* Blocking again, but for no longer than the deadline. */
static void set_up_socket(int fd, int64_t deadline) {
    int on = 1;
    struct timeval left = time_left(deadline);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &left, sizeof left);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &left, sizeof left);
}

static void enter(fg_ldap_trace_t *trace, fg_ldap_stage_t stage) {
    trace->stage = stage;
    trace->begun[stage] = fg_ldap_now();
}

static void note_address(fg_ldap_trace_t *trace, const struct addrinfo *address) {
    char host[INET6_ADDRSTRLEN + 1], port[8];
    if (getnameinfo(address->ai_addr, address->ai_addrlen, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        snprintf(trace->address, sizeof trace->address, "%s port %s", host, port);
}

static int dial(const fg_ldap_server_t *server, int64_t deadline, fg_ldap_trace_t *trace, fg_err_t *err) {
    struct addrinfo *found = NULL;
    enter(trace, FG_LDAP_STAGE_RESOLVE);
    int rc = fg_ldap_resolve(server->host, server->port, deadline, &found);
    if (rc != 0) {
        FG_FAIL(err, FG_E_DIRECTORY, "%s: the name %s leads to no address: %s", server->uri, server->host,
                gai_strerror(rc));
        return -1;
    }
    enter(trace, FG_LDAP_STAGE_CONNECT);
    int fd = -1;
    for (const struct addrinfo *a = found; a != NULL && fd < 0; a = a->ai_next) {
        note_address(trace, a);
        fd = open_socket(a, deadline);
    }
    trace->error = fd < 0 ? errno : 0;
    if (fd < 0)
        FG_FAIL(err, FG_E_DIRECTORY, "%s: no connection: %s", server->uri, strerror(trace->error));
    else
        set_up_socket(fd, deadline);
    freeaddrinfo(found);
    return fd;
}

/* ---- the handle */

static void set_number(LDAP *ld, int option, int value) { ldap_set_option(ld, option, &value); }

/* Every option that ldap.conf(5) and the environment can set and that matters here. */
static void set_options(LDAP *ld, const fg_ldap_options_t *options, int require) {
    static const int texts[] = {LDAP_OPT_X_TLS_CACERTDIR,    LDAP_OPT_X_TLS_CERTFILE, LDAP_OPT_X_TLS_KEYFILE,
                                LDAP_OPT_X_TLS_CIPHER_SUITE, LDAP_OPT_X_TLS_CRLFILE,  LDAP_OPT_X_TLS_PEERKEY_HASH};
    for (size_t i = 0; i < FG_ARRAY_SIZE(texts); i++)
        ldap_set_option(ld, texts[i], NULL);
    set_number(ld, LDAP_OPT_PROTOCOL_VERSION, LDAP_VERSION3);
    ldap_set_option(ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF); /* KL-09 */
    ldap_set_option(ld, LDAP_OPT_RESTART, LDAP_OPT_ON);
    set_number(ld, LDAP_OPT_DEREF, LDAP_DEREF_NEVER);
    set_number(ld, LDAP_OPT_SIZELIMIT, 0);
    set_number(ld, LDAP_OPT_TIMELIMIT, 0);
    ldap_set_option(ld, LDAP_OPT_X_TLS_CACERTFILE, options->ca);
    set_number(ld, LDAP_OPT_X_TLS_REQUIRE_SAN, LDAP_OPT_X_TLS_ALLOW); /* without one, the common name counts */
    set_number(ld, LDAP_OPT_X_TLS_CRLCHECK, LDAP_OPT_X_TLS_CRL_NONE);
    set_number(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, require);
    set_number(ld, LDAP_OPT_X_TLS_PROTOCOL_MIN, LDAP_OPT_X_TLS_PROTOCOL_TLS1_2);
    set_number(ld, LDAP_OPT_X_TLS_NEWCTX, 0);
}

static void set_deadline(fg_ldap_connection_t *connection, int64_t deadline) {
    struct timeval left = time_left(deadline);
    ldap_set_option(connection->ld, LDAP_OPT_NETWORK_TIMEOUT, &left);
    ldap_set_option(connection->ld, LDAP_OPT_TIMEOUT, &left);
    setsockopt(connection->fd, SOL_SOCKET, SO_RCVTIMEO, &left, sizeof left);
    setsockopt(connection->fd, SOL_SOCKET, SO_SNDTIMEO, &left, sizeof left);
}

static void get_message(LDAP *ld, char out[256]) {
    char *text = NULL;
    ldap_get_option(ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &text);
    snprintf(out, 256, "%s", text != NULL ? text : "");
    ldap_memfree(text);
}

static bool lost(fg_ldap_connection_t *connection, const char *what, int rc, fg_err_t *err) {
    char detail[256];
    get_message(connection->ld, detail);
    connection->broken = true;
    return FG_FAIL(err, FG_E_DIRECTORY, "%s: %s: %s%s%s", connection->server->uri, what, ldap_err2string(rc),
                   detail[0] ? ": " : "", detail);
}

static void read_policy(LDAP *ld, LDAPControl **controls, fg_ldap_answer_t *answer) {
    LDAPControl *control = ldap_control_find(LDAP_CONTROL_PASSWORDPOLICYRESPONSE, controls, NULL);
    LDAPPasswordPolicyError error = PP_noError;
    ber_int_t expire, grace;
    if (control != NULL && ldap_parse_passwordpolicy_control(ld, control, &expire, &grace, &error) == LDAP_SUCCESS)
        answer->policy_error = error == PP_noError ? -1 : (int)error;
}

/* Waits for all of the answer to a request.  *result: to be freed, or NULL to have it freed here. */
static bool wait_answer(fg_ldap_connection_t *connection, int id, const char *what, int64_t deadline,
                        LDAPMessage **result, fg_ldap_answer_t *answer, fg_err_t *err) {
    LDAPMessage *message = NULL;
    struct timeval left = time_left(deadline);
    char *text = NULL;
    LDAPControl **controls = NULL;
    *answer = (fg_ldap_answer_t){.policy_error = -1};
    int got = ldap_result(connection->ld, id, LDAP_MSG_ALL, &left, &message);
    if (got <= 0) {
        int rc = LDAP_TIMEOUT;
        if (got < 0)
            ldap_get_option(connection->ld, LDAP_OPT_RESULT_CODE, &rc);
        ldap_msgfree(message);
        return lost(connection, what, rc, err);
    }
    int rc = ldap_parse_result(connection->ld, message, &answer->code, NULL, &text, NULL, &controls, 0);
    snprintf(answer->message, sizeof answer->message, "%s", text != NULL ? text : "");
    answer->sub_code = fg_ldap_sub_code(answer->message);
    read_policy(connection->ld, controls, answer);
    ldap_controls_free(controls);
    ldap_memfree(text);
    /* what a server answers that cannot serve, and that another one may (RFC 4511 §A.2) */
    if (rc == LDAP_SUCCESS && (answer->code == LDAP_BUSY || answer->code == LDAP_UNAVAILABLE))
        rc = answer->code;
    if (rc == LDAP_SUCCESS && result != NULL)
        *result = message;
    else
        ldap_msgfree(message);
    return rc == LDAP_SUCCESS || lost(connection, what, rc, err);
}

/* ---- TLS */

/* libldap's handshake over GnuTLS knows no deadline: it tries to read again when a read has timed out.  So somebody
 * watches, and hangs up when the time is over. */
typedef struct watch {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool done;
    int fd;
    struct timespec until; /* of the monotonic clock */
} watch_t;

static void *keep_watch(void *context) {
    watch_t *watch = context;
    int rc = 0;
    pthread_mutex_lock(&watch->mutex);
    while (!watch->done && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&watch->changed, &watch->mutex, &watch->until);
    if (!watch->done)
        shutdown(watch->fd, SHUT_RDWR);
    pthread_mutex_unlock(&watch->mutex);
    return NULL;
}

static int install_tls_watched(fg_ldap_connection_t *connection, int64_t deadline) {
    watch_t watch = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                     .fd = connection->fd,
                     .until = {.tv_sec = deadline / 1000, .tv_nsec = deadline % 1000 * 1000000}};
    pthread_condattr_t monotonic;
    pthread_t thread;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&watch.changed, &monotonic);
    int rc = LDAP_NO_MEMORY;
    if (pthread_create(&thread, NULL, keep_watch, &watch) == 0) {
        rc = ldap_install_tls(connection->ld);
        pthread_mutex_lock(&watch.mutex);
        watch.done = true;
        pthread_cond_signal(&watch.changed);
        pthread_mutex_unlock(&watch.mutex);
        pthread_join(thread, NULL);
    }
    pthread_cond_destroy(&watch.changed);
    pthread_condattr_destroy(&monotonic);
    return rc;
}

static bool start_tls(fg_ldap_connection_t *connection, int64_t deadline, fg_err_t *err) {
    fg_ldap_answer_t answer;
    int id, rc = ldap_start_tls(connection->ld, NULL, NULL, &id);
    if (rc != LDAP_SUCCESS)
        return lost(connection, "StartTLS", rc, err);
    if (!wait_answer(connection, id, "StartTLS", deadline, NULL, &answer, err))
        return false;
    /* KL-09: there is no way on without it */
    return answer.code == LDAP_SUCCESS ||
           FG_FAIL(err, FG_E_DIRECTORY, "%s: StartTLS was refused: %s: %s", connection->server->uri,
                   ldap_err2string(answer.code), answer.message);
}

/* Looked at before anything is said: GnuTLS, which Debian builds libldap with, ignores LDAP_OPT_X_TLS_PROTOCOL_MIN
 * (ldap.conf(5)), and what it takes instead, a list of ciphers, libldap forgets to free with each connection. */
static bool check_tls(const fg_ldap_connection_t *connection, fg_err_t *err) {
    char *version = NULL;
    if (ldap_tls_inplace(connection->ld) != 1)
        return FG_FAIL(err, FG_E_DIRECTORY, "%s: no TLS", connection->server->uri);
    ldap_get_option(connection->ld, LDAP_OPT_X_TLS_VERSION, &version);
    size_t n = version != NULL ? strlen(version) : 0;
    bool recent = n > 3 && (strcmp(version + n - 3, "1.2") == 0 || strcmp(version + n - 3, "1.3") == 0);
    if (!recent)
        FG_FAIL(err, FG_E_DIRECTORY, "%s: %s, neither TLS 1.2 nor 1.3", connection->server->uri,
                version != NULL ? version : "TLS of a version that is not told");
    ldap_memfree(version);
    return recent;
}

static bool secure(fg_ldap_connection_t *connection, int64_t deadline, fg_ldap_trace_t *trace, fg_err_t *err) {
    enter(trace, FG_LDAP_STAGE_START_TLS);
    if (connection->server->start_tls && !start_tls(connection, deadline, err))
        return false;
    enter(trace, FG_LDAP_STAGE_TLS);
    set_deadline(connection, deadline);
    int rc = install_tls_watched(connection, deadline);
    if (rc != LDAP_SUCCESS)
        return lost(connection, "TLS", rc, err);
    return check_tls(connection, err);
}

static fg_ldap_connection_t *connection_new(const fg_ldap_options_t *options, fg_ldap_server_t *server, int fd,
                                            int require, fg_err_t *err) {
    fg_ldap_connection_t *connection = calloc(1, sizeof *connection);
    if (connection == NULL || ldap_init_fd(fd, LDAP_PROTO_TCP, server->uri, &connection->ld) != LDAP_SUCCESS) {
        free(connection);
        close(fd);
        FG_FAIL(err, FG_E_MEMORY, "no memory for a connection");
        return NULL;
    }
    connection->server = server;
    connection->fd = fd;
    set_options(connection->ld, options, require);
    return connection;
}

static fg_ldap_connection_t *make(const fg_ldap_options_t *options, fg_ldap_server_t *server, int require,
                                  int64_t deadline, fg_ldap_trace_t *trace, fg_err_t *err) {
    int fd = dial(server, deadline, trace, err);
    fg_ldap_connection_t *connection = fd < 0 ? NULL : connection_new(options, server, fd, require, err);
    if (connection == NULL)
        return NULL;
    set_deadline(connection, deadline);
    if (secure(connection, deadline, trace, err)) {
        enter(trace, FG_LDAP_STAGE_DONE);
        return connection;
    }
    connection->broken = true;
    fg_ldap_disconnect(connection);
    return NULL;
}

fg_ldap_connection_t *fg_ldap_connect(const fg_ldap_options_t *options, fg_ldap_server_t *server, int64_t deadline,
                                      fg_ldap_trace_t *trace, fg_err_t *err) {
    fg_ldap_trace_t unwanted;
    return make(options, server, LDAP_OPT_X_TLS_DEMAND, deadline, trace ? trace : &unwanted, err);
}

/* ---- whom TLS shows */

static const char *get_text(const fg_ldap_connection_t *connection, fg_arena_t *arena, int option) {
    char *text = NULL;
    ldap_get_option(connection->ld, option, &text);
    const char *copy = text != NULL ? fg_arena_strdup(arena, text) : NULL;
    ldap_memfree(text);
    return copy;
}

void fg_ldap_get_tls(const fg_ldap_connection_t *connection, fg_arena_t *arena, fg_ldap_tls_t *tls) {
    struct berval der = {0, NULL};
    *tls = (fg_ldap_tls_t){get_text(connection, arena, LDAP_OPT_X_TLS_VERSION),
                           get_text(connection, arena, LDAP_OPT_X_TLS_CIPHER), FG_STR_NONE};
    if (ldap_get_option(connection->ld, LDAP_OPT_X_TLS_PEERCERT, &der) == LDAP_OPT_SUCCESS && der.bv_val != NULL)
        tls->certificate = fg_arena_str(arena, (fg_str_t){der.bv_val, der.bv_len});
    ldap_memfree(der.bv_val);
}

bool fg_ldap_look(const fg_ldap_options_t *options, fg_ldap_server_t *server, int64_t deadline, fg_arena_t *arena,
                  fg_ldap_tls_t *tls, fg_err_t *err) {
    fg_ldap_trace_t unwanted;
    fg_ldap_connection_t *connection = make(options, server, LDAP_OPT_X_TLS_NEVER, deadline, &unwanted, err);
    if (connection == NULL)
        return false;
    fg_ldap_get_tls(connection, arena, tls);
    /* whoever that is: nothing more is said to him */
    connection->broken = true;
    fg_ldap_disconnect(connection);
    return tls->certificate.p != NULL || FG_FAIL(err, FG_E_DIRECTORY, "%s: no certificate", server->uri);
}

void fg_ldap_disconnect(fg_ldap_connection_t *connection) {
    if (connection == NULL)
        return;
    /* the goodbye must not wait for somebody who does not listen */
    if (connection->broken)
        shutdown(connection->fd, SHUT_RDWR);
    ldap_unbind_ext(connection->ld, NULL, NULL);
    free(connection);
}

bool fg_ldap_is_alive(const fg_ldap_connection_t *connection) {
    struct pollfd wait = {.fd = connection->fd, .events = POLLIN};
    return poll(&wait, 1, 0) == 0;
}

/* ---- operations */

bool fg_ldap_bind(fg_ldap_connection_t *connection, const char *dn, fg_str_t password, int64_t deadline,
                  fg_ldap_answer_t *answer, fg_err_t *err) {
    struct berval credentials = {.bv_len = password.n, .bv_val = (char *)(uintptr_t)password.p};
    LDAPControl policy = {.ldctl_oid = (char *)(uintptr_t)LDAP_CONTROL_PASSWORDPOLICYREQUEST};
    LDAPControl *controls[] = {&policy, NULL};
    int id;
    /* KL-08: an empty password makes a bind that always succeeds, as nobody (RFC 4513 §5.1.2) */
    if (password.n == 0 && dn[0] != '\0')
        return FG_FAIL(err, FG_E_INTERNAL, "a bind without a password");
    connection->bound = FG_LDAP_BOUND_NONE;
    set_deadline(connection, deadline);
    int rc = ldap_sasl_bind(connection->ld, dn, LDAP_SASL_SIMPLE, &credentials, controls, NULL, &id);
    if (rc != LDAP_SUCCESS)
        return lost(connection, "bind", rc, err);
    return wait_answer(connection, id, "bind", deadline, NULL, answer, err);
}

bool fg_ldap_search(fg_ldap_connection_t *connection, const fg_ldap_search_t *search, int64_t deadline,
                    LDAPMessage **result, fg_ldap_answer_t *answer, fg_err_t *err) {
    fg_ldap_answer_t own;
    int id;
    answer = answer ? answer : &own;
    *result = NULL;
    set_deadline(connection, deadline);
    struct timeval left = time_left(deadline);
    int rc = ldap_search_ext(connection->ld, search->base, search->scope, search->filter,
                             (char **)(uintptr_t)search->attributes, 0, NULL, NULL, &left, search->limit, &id);
    if (rc == LDAP_FILTER_ERROR)
        return FG_FAIL(err, FG_E_CONFIG, "%s is no filter", search->filter);
    if (rc != LDAP_SUCCESS)
        return lost(connection, "search", rc, err);
    if (!wait_answer(connection, id, "search", deadline, result, answer, err))
        return false;
    /* an answer cut short by our limit is good enough to tell that there is more than one */
    if (answer->code == LDAP_SUCCESS || (answer->code == LDAP_SIZELIMIT_EXCEEDED && search->limit > 0))
        return true;
    ldap_msgfree(*result);
    *result = NULL;
    return FG_FAIL(err, FG_E_DIRECTORY, "%s: search below %s for %s: %s: %s", connection->server->uri, search->base,
                   search->filter, ldap_err2string(answer->code), answer->message);
}

bool fg_ldap_modify(fg_ldap_connection_t *connection, const char *dn, LDAPMod **changes, int64_t deadline,
                    fg_ldap_answer_t *answer, fg_err_t *err) {
    int id;
    set_deadline(connection, deadline);
    int rc = ldap_modify_ext(connection->ld, dn, changes, NULL, NULL, &id);
    if (rc != LDAP_SUCCESS)
        return lost(connection, "modify", rc, err);
    return wait_answer(connection, id, "modify", deadline, NULL, answer, err);
}

bool fg_ldap_extended(fg_ldap_connection_t *connection, const char *oid, struct berval *request, int64_t deadline,
                      fg_ldap_answer_t *answer, fg_err_t *err) {
    LDAPControl policy = {.ldctl_oid = (char *)(uintptr_t)LDAP_CONTROL_PASSWORDPOLICYREQUEST};
    LDAPControl *controls[] = {&policy, NULL};
    int id;
    set_deadline(connection, deadline);
    int rc = ldap_extended_operation(connection->ld, oid, request, controls, NULL, &id);
    if (rc != LDAP_SUCCESS)
        return lost(connection, "extended operation", rc, err);
    return wait_answer(connection, id, "extended operation", deadline, NULL, answer, err);
}
