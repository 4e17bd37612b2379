/* SPDX-License-Identifier: GPL-2.0-or-later
 * The HTTP client on real sockets: a small server of this program's own, and the openssl command for TLS. */
#include "tests/unit/pki.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "core/crypto.h"
#include "core/http.h"
#include "core/time.h"

/* ---- a server: the path says how it answers */

typedef struct server {
    int socket;
    unsigned port;
    atomic_bool over;
    atomic_uint connections, requests;
    char last[8192]; /* request; only looked at when nobody asks */
} server_t;

static void say(int fd, const char *text) {
    for (size_t n = strlen(text); n > 0;) {
        ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        text += sent;
        n -= (size_t)sent;
    }
}

static void say_much(int fd, const char *piece, int times) {
    for (int i = 0; i < times; i++)
        say(fd, piece);
}

static void pause_ms(long ms) {
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* False: the connection is to be closed. */
static bool respond(server_t *server, int fd, const char *request) {
    static const char kilo[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n";
    const char *path = strchr(request, ' ') ? strchr(request, ' ') + 1 : "";
    char line[256];
    server->requests++;
    if (strncmp(path, "/hello", 6) == 0) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Two: a\r\nx-two: b\r\nSet-Cookie: a=b\r\n\r\nhello");
        return true;
    }
    if (strncmp(path, "/echo", 5) == 0) {
        const char *body = strstr(request, "\r\n\r\n");
        body = body ? body + 4 : "";
        snprintf(line, sizeof line, "HTTP/1.1 201 Made\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
        say(fd, line);
        return true;
    }
    if (strncmp(path, "/interim", 8) == 0)
        say(fd, "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Late: 1\r\n\r\nok");
    else if (strncmp(path, "/large", 6) == 0)
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\nx");
    else if (strncmp(path, "/endless", 8) == 0) {
        say(fd, "HTTP/1.1 200 OK\r\n\r\n");
        say_much(fd, kilo, 4000);
    } else if (strncmp(path, "/headers", 8) == 0) {
        say(fd, "HTTP/1.1 200 OK\r\n");
        say_much(fd, "X-Header: 1\r\n", 200);
        say(fd, "Content-Length: 0\r\n\r\n");
    } else if (strncmp(path, "/short", 6) == 0)
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort");
    else if (strncmp(path, "/drip", 5) == 0) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
        for (int i = 0; i < 20 && !server->over; i++) {
            say(fd, "x");
            pause_ms(100);
        }
    } else if (strncmp(path, "/moved", 6) == 0)
        say(fd, "HTTP/1.1 302 Found\r\nLocation: /hello\r\nContent-Length: 0\r\n\r\n");
    else if (strncmp(path, "/silent", 7) == 0)
        pause_ms(1500);
    else
        say(fd, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
    return false;
}

static bool receive(int fd, char *request, size_t size) {
    size_t n = 0;
    for (;;) {
        struct pollfd waits = {.fd = fd, .events = POLLIN};
        if (n + 1 >= size || poll(&waits, 1, 3000) != 1)
            return false;
        ssize_t got = recv(fd, request + n, size - n - 1, 0);
        if (got <= 0)
            return false;
        n += (size_t)got;
        request[n] = '\0';
        const char *end = strstr(request, "\r\n\r\n"), *length = strcasestr(request, "Content-Length: ");
        size_t body = length && end && length < end ? strtoul(length + 16, NULL, 10) : 0;
        if (end != NULL && n >= (size_t)(end - request) + 4 + body)
            return true;
    }
}

typedef struct guest {
    server_t *server;
    int fd;
} guest_t;

static void *serve_one(void *context) {
    guest_t guest = *(guest_t *)context;
    char request[8192];
    free(context);
    while (receive(guest.fd, request, sizeof request)) {
        memcpy(guest.server->last, request, sizeof request);
        if (!respond(guest.server, guest.fd, request))
            break;
    }
    close(guest.fd);
    return NULL;
}

static void *serve(void *context) {
    server_t *server = context;
    while (!server->over) {
        struct pollfd waits = {.fd = server->socket, .events = POLLIN};
        if (poll(&waits, 1, 50) != 1)
            continue;
        int fd = accept(server->socket, NULL, NULL);
        pthread_t thread;
        guest_t *guest = malloc(sizeof *guest);
        server->connections++;
        *guest = (guest_t){server, fd};
        if (pthread_create(&thread, NULL, serve_one, guest) == 0)
            pthread_detach(thread);
    }
    close(server->socket);
    return NULL;
}

/* ---- what tests share */

static server_t server;
static pthread_t server_thread;
static char folder[] = "/tmp/fedgate-http-XXXXXX", ca_path[64], certificate_path[64], key_path[64];
static pid_t tls_child;
static unsigned tls_port;

static void write_tls(void) {
    pki_t ca = PKI(NULL, .cn = "CA", .basic = PKI_CA, .from = -3650, .until = 36500);
    pki_t leaf = PKI(&ca, .cn = "localhost", .names = "DNS:localhost", .from = -3650, .until = 36500);
    snprintf(ca_path, sizeof ca_path, "%s/ca.pem", folder);
    snprintf(certificate_path, sizeof certificate_path, "%s/leaf.pem", folder);
    snprintf(key_path, sizeof key_path, "%s/leaf.key", folder);
    pki_write(ca_path, ca.x509, NULL);
    pki_write(certificate_path, leaf.x509, NULL);
    FILE *file = fopen(key_path, "w");
    assert_int_equal(PEM_write_PrivateKey(file, leaf.key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    pki_free(&ca);
    pki_free(&leaf);
}

/* openssl says where it listens. */
static bool start_tls(void) {
    int out[2];
    char text[256];
    if (pipe(out) != 0)
        return false;
    tls_child = fork();
    if (tls_child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        dup2(out[1], 1);
        dup2(open("/dev/null", O_WRONLY), 2); /* it tells of clients that do not believe it */
        close(out[0]);
        execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certificate_path, "-key", key_path, "-www", (char *)NULL);
        _exit(1);
    }
    close(out[1]);
    FILE *file = fdopen(out[0], "r");
    while (tls_port == 0 && fgets(text, sizeof text, file) != NULL)
        if (strncmp(text, "ACCEPT 127.0.0.1:", 17) == 0)
            tls_port = (unsigned)strtoul(text + 17, NULL, 10);
    fclose(file);
    return tls_port != 0;
}

static int start(void **state) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    fg_err_t err = FG_ERR_INIT;
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    if (!fg_crypto_start() || !fg_http_start(&err) || mkdtemp(folder) == NULL)
        return -1;
    server.socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server.socket, (struct sockaddr *)&at, sizeof at) != 0 || listen(server.socket, 64) != 0 ||
        getsockname(server.socket, (struct sockaddr *)&at, &length) != 0)
        return -1;
    server.port = ntohs(at.sin_port);
    write_tls();
    return !start_tls() || pthread_create(&server_thread, NULL, serve, &server) != 0;
}

static int stop(void **state) {
    (void)state;
    server.over = true;
    pthread_join(server_thread, NULL);
    kill(tls_child, SIGTERM);
    waitpid(tls_child, NULL, 0);
    unlink(ca_path);
    unlink(certificate_path);
    unlink(key_path);
    rmdir(folder);
    fg_http_stop();
    fg_crypto_stop();
    return 0;
}

typedef struct fixture {
    test_env_t test;
    char entries[3][64];
    fg_http_allow_t allow[3];
    fg_arena_t *arena;
    fg_http_response_t response;
    fg_err_t err;
} fixture_t;

static fg_http_t *make_client(fixture_t *f, const char *ca_file) {
    snprintf(f->entries[0], sizeof f->entries[0], "http://127.0.0.1:%u/", server.port);
    snprintf(f->entries[1], sizeof f->entries[1], "https://localhost:%u/", tls_port);
    snprintf(f->entries[2], sizeof f->entries[2], "https://127.0.0.1:%u/", tls_port);
    for (size_t i = 0; i < 3; i++)
        assert_true(fg_http_allow_parse(fg_str(f->entries[i]), &f->allow[i]));
    const fg_http_options_t options = {f->allow, 3, ca_file, 2 * FG_SECOND, 64 << 10};
    return fg_http_client_new(&options, &f->err);
}

static int set_up(void **state) {
    static fixture_t f;
    memset(&f, 0, sizeof f);
    test_env_init(&f.test);
    f.test.env.http = make_client(&f, NULL);
    f.arena = fg_arena_new(0);
    *state = &f;
    server.connections = server.requests = 0;
    return f.test.env.http == NULL;
}

static int tear_down(void **state) {
    fixture_t *f = *state;
    fg_http_client_free(f->test.env.http);
    fg_arena_free(f->arena);
    return 0;
}

static const char *url(fixture_t *f, const char *path) { return fg_arena_printf(f->arena, "http://127.0.0.1:%u%s", server.port, path); }

#define FETCH(f, ...) fetch((f), &(fg_http_request_t){__VA_ARGS__})
static bool fetch(fixture_t *f, const fg_http_request_t *request) {
    f->err = (fg_err_t)FG_ERR_INIT;
    return fg_http_fetch(&f->test.env, f->arena, request, &f->response, &f->err);
}

/* ---- tests */

static void an_answer_comes_back_whole(void **state) {
    fixture_t *f = *state;
    assert_true(FETCH(f, .url = fg_str(url(f, "/hello"))));
    assert_int_equal(f->response.status, 200);
    assert_true(fg_str_is(f->response.body, "hello") && f->response.body.p[5] == '\0');
    assert_true(fg_str_is(fg_http_header(&f->response, "X-TWO"), "a"));
    assert_true(FETCH(f, .url = fg_str(url(f, "/hello"))));
    assert_null(strstr(server.last, "Cookie:")); /* nothing is remembered of the first */
    assert_non_null(strstr(server.last, "User-Agent: fedgate/"));
    const fg_http_field_t field = {FG_STR("Content-Type"), FG_STR("a/b")};
    assert_true(FETCH(f, .method = "POST", .url = fg_str(url(f, "/echo")), .body = FG_STR("body"), .headers = &field, .header_count = 1));
    assert_int_equal(f->response.status, 201);
    assert_true(fg_str_is(f->response.body, "body"));
    assert_non_null(strstr(server.last, "Content-Type: a/b\r\n"));
    assert_int_equal(server.connections, 1); /* used again */
    assert_true(FETCH(f, .url = fg_str(url(f, "/nothing"))));
    assert_int_equal(f->response.status, 404);
    assert_true(FETCH(f, .url = fg_str(url(f, "/interim"))));
    assert_true(fg_http_header(&f->response, "X-Late").n == 1 && fg_http_header(&f->response, "X-Early").p == NULL);
}

static int64_t clock_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void answers_are_bounded(void **state) {
    fixture_t *f = *state;
    static const char *const rows[][2] = {{"/large", "larger than 65536 bytes"}, {"/endless", "larger than 65536 bytes"}, {"/headers", "too many headers"}, {"/short", ""}, {"/drip", "timed out"}, {"/silent", "timed out"}};
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        int64_t before = clock_ms();
        assert_false(FETCH(f, .url = fg_str(url(f, rows[i][0])), .deadline_ms = 400));
        assert_err(&f->err, FG_E_FETCH_FAILED);
        if (strcasestr(f->err.detail, rows[i][1]) == NULL)
            fail_msg("%s: %s", rows[i][0], f->err.detail);
        assert_true(clock_ms() - before < 1400);
    }
    assert_true(FETCH(f, .url = fg_str(url(f, "/hello")), .deadline_ms = 400, .body_max = 5));
    assert_false(FETCH(f, .url = fg_str(url(f, "/hello")), .deadline_ms = 400, .body_max = 4));
}

static void redirects_are_off_by_default(void **state) {
    fixture_t *f = *state;
    assert_true(FETCH(f, .url = fg_str(url(f, "/moved"))));
    assert_int_equal(f->response.status, 302);
    assert_true(FETCH(f, .url = fg_str(url(f, "/moved")), .redirects = 1));
    assert_true(fg_str_is(f->response.body, "hello"));
}

/* However it is written, an address inside is not connected to; each of these would otherwise wait or be refused. */
static void addresses_inside_are_refused_when_they_are_connected_to_wt10(void **state) {
    fixture_t *f = *state;
    static const char *const inside[] = {"https://127.0.0.1/", "https://localhost/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://0x7f000001/", "https://2130706433/", "https://127.1/", "https://0/",
                                         "https://10.0.0.1/", "https://169.254.169.254/latest", "https://[fe80::1]/", "https://[fd00::1]/", "https://192.168.1.1/", "https://224.0.0.1/"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(inside); i++) {
        int64_t before = clock_ms();
        assert_false(FETCH(f, .url = fg_str(inside[i]), .any_host = true));
        if (f->err.code != FG_E_FETCH_REFUSED)
            fail_msg("%s: %s", inside[i], f->err.detail);
        assert_true(clock_ms() - before < 1000);
    }
    assert_int_equal(server.connections, 0);
    assert_true(FETCH(f, .url = fg_str(url(f, "/hello")))); /* which is named */
    /* and behind a wildcard, with the connection that is open already */
    char entry[64];
    snprintf(entry, sizeof entry, "http://*.0.1:%u/", server.port);
    if (fg_http_allow_parse(fg_str(entry), &f->allow[0])) {
        assert_false(FETCH(f, .url = fg_str(url(f, "/echo"))));
        assert_err(&f->err, FG_E_FETCH_REFUSED);
        assert_int_equal(server.connections, 1);
        assert_int_equal(server.requests, 1);
    }
}

static void the_environments_proxy_is_not_used(void **state) {
    fixture_t *f = *state;
    setenv("http_proxy", "http://127.0.0.1:1/", 1);
    setenv("all_proxy", "http://127.0.0.1:1/", 1);
    assert_true(FETCH(f, .url = fg_str(url(f, "/hello"))));
    unsetenv("http_proxy");
    unsetenv("all_proxy");
}

/* The master reads it as root; a worker may not. */
static void the_file_of_cas_is_read_once(void **state) {
    fixture_t *f = *state;
    char hidden[80];
    snprintf(hidden, sizeof hidden, "%s.hidden", ca_path);
    fg_http_client_free(f->test.env.http);
    f->test.env.http = make_client(f, ca_path);
    assert_int_equal(rename(ca_path, hidden), 0);
    bool fetched = FETCH(f, .url = fg_str(fg_arena_printf(f->arena, "https://localhost:%u/", tls_port)));
    assert_null(make_client(f, ca_path));
    assert_err(&f->err, FG_E_FILE);
    assert_int_equal(rename(hidden, ca_path), 0);
    assert_true(fetched);
}

static void servers_must_show_a_certificate_that_is_believed(void **state) {
    fixture_t *f = *state;
    const char *good = fg_arena_printf(f->arena, "https://localhost:%u/", tls_port), *other = fg_arena_printf(f->arena, "https://127.0.0.1:%u/", tls_port);
    assert_false(FETCH(f, .url = fg_str(good))); /* the system's CAs do not know it */
    assert_err(&f->err, FG_E_FETCH_FAILED);
    fg_http_client_free(f->test.env.http);
    f->test.env.http = make_client(f, ca_path);
    if (!FETCH(f, .url = fg_str(good)))
        fail_msg("%s", f->err.detail);
    assert_int_equal(f->response.status, 200);
    assert_false(FETCH(f, .url = fg_str(other))); /* another name */
    assert_err(&f->err, FG_E_FETCH_FAILED);
}

#define THREADS 6
#define ROUNDS 30
static void *ask_often(void *context) {
    fixture_t *f = context;
    uintptr_t good = 0;
    for (int i = 0; i < ROUNDS; i++) {
        fg_arena_t *arena = fg_arena_new(0);
        fg_http_response_t response;
        fg_err_t err = FG_ERR_INIT;
        const char *address = fg_arena_printf(arena, "http://127.0.0.1:%u/hello", server.port);
        const fg_http_request_t request = {.url = fg_str(address)};
        good += fg_http_fetch(&f->test.env, arena, &request, &response, &err) && fg_str_is(response.body, "hello");
        fg_arena_free(arena);
    }
    return (void *)good;
}

static void threads_share_a_client(void **state) {
    fixture_t *f = *state;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, f), 0);
    for (int i = 0; i < THREADS; i++) {
        void *good;
        pthread_join(threads[i], &good);
        assert_int_equal((uintptr_t)good, ROUNDS);
    }
    assert_int_equal(server.requests, THREADS * ROUNDS);
    assert_true(server.connections <= THREADS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_answer_comes_back_whole),
        TEST(answers_are_bounded),
        TEST(redirects_are_off_by_default),
        TEST(addresses_inside_are_refused_when_they_are_connected_to_wt10),
        TEST(the_environments_proxy_is_not_used),
        TEST(the_file_of_cas_is_read_once),
        TEST(servers_must_show_a_certificate_that_is_believed),
        TEST(threads_share_a_client),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
