/* SPDX-License-Identifier: GPL-2.0-or-later
 * Which claims are whose principals (KL-05), and a KDC that takes connections and never answers.  (What a KDC that
 * answers says is in tests/system/test_delegate.py.) */
#include "tests/unit/support.h"

#include <arpa/inet.h>
#include <krb5.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/time.h"
#include "directory/kerberos_delegate.h"

#define OWN "svc-gw@GW.TEST"

static char folder[] = "/tmp/fedgate-delegate-XXXXXX";
static char path[80]; /* of krb5.conf */
static char keytab[80];
static int silent; /* a port of somebody who listens and says nothing */
static test_env_t test;
static fg_arena_t *arena;
static const fg_str_t realms[] = {{"GW.TEST", 7}, {"EXAMPLE.COM", 11}};

static int listen_silently(unsigned *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&address, length) == 0 && listen(fd, 64) == 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static void write_keytab(void) {
    krb5_context context;
    krb5_keytab file;
    krb5_keytab_entry entry;
    char name[100];
    snprintf(name, sizeof name, "WRFILE:%s", keytab);
    memset(&entry, 0, sizeof entry);
    assert_int_equal(krb5_init_context(&context), 0);
    assert_int_equal(krb5_parse_name(context, OWN, &entry.principal), 0);
    assert_int_equal(krb5_c_make_random_key(context, ENCTYPE_AES256_CTS_HMAC_SHA1_96, &entry.key), 0);
    entry.vno = 1;
    assert_int_equal(krb5_kt_resolve(context, name, &file), 0);
    assert_int_equal(krb5_kt_add_entry(context, file, &entry), 0);
    krb5_kt_close(context, file);
    krb5_free_keyblock_contents(context, &entry.key);
    krb5_free_principal(context, entry.principal);
    krb5_free_context(context);
}

static int start(void **state) {
    (void)state;
    char conf[400];
    unsigned port;
    silent = listen_silently(&port);
    assert_non_null(mkdtemp(folder));
    snprintf(keytab, sizeof keytab, "%s/keytab", folder);
    snprintf(path, sizeof path, "%s/krb5.conf", folder);
    snprintf(conf, sizeof conf,
             "[libdefaults]\n default_realm = GW.TEST\n dns_lookup_kdc = false\n udp_preference_limit = 1\n"
             "[realms]\n GW.TEST = {\n  kdc = 127.0.0.1:%u\n }\n", port);
    test_write(path, fg_str(conf));
    setenv("KRB5_CONFIG", path, 1);
    write_keytab();
    test_env_init(&test);
    arena = fg_arena_new(0);
    return 0;
}

static int stop(void **state) {
    (void)state;
    fg_arena_free(arena);
    unlink(keytab);
    unlink(path);
    return rmdir(folder);
}

static fg_delegate_t *make(size_t realm_count) {
    const fg_delegate_options_t options = {keytab, OWN, realms, realm_count, FG_SECOND};
    fg_err_t err = FG_ERR_INIT;
    fg_delegate_t *delegate = fg_delegate_new(&options, &err);
    if (delegate == NULL)
        fail_msg("%s", err.detail);
    return delegate;
}

/* ---- names */

static bool is_principal(const fg_delegate_t *delegate, fg_str_t value, const char *wanted) {
    fg_str_t principal;
    fg_err_t err = FG_ERR_INIT;
    if (fg_delegate_principal(delegate, arena, value, &principal, &err))
        return wanted != NULL && fg_str_is(principal, wanted);
    assert_err(&err, FG_E_DELEGATION_CLAIM);
    return wanted == NULL;
}

static void names_are_principals_of_these_realms(void **state) {
    (void)state;
    fg_delegate_t *own = make(0), *two = make(2);
    assert_true(is_principal(own, FG_STR("alice@gw.test"), "alice@GW.TEST"));
    assert_true(is_principal(own, FG_STR("Alice@Gw.Test"), "Alice@GW.TEST"));
    assert_true(is_principal(own, FG_STR("o(d)d'name x.y+z$w@GW.TEST"), "o(d)d'name x.y+z$w@GW.TEST"));
    assert_true(is_principal(own, FG_STR("zoë@gw.test"), "zoë@GW.TEST"));
    assert_true(is_principal(own, FG_STR("alice@example.com"), NULL));
    assert_true(is_principal(two, FG_STR("alice@example.com"), "alice@EXAMPLE.COM"));
    assert_true(is_principal(two, FG_STR("alice@gw.test"), "alice@GW.TEST"));
    fg_delegate_free(own);
    fg_delegate_free(two);
}

static void confusing_names_are_nobodys_kl05(void **state) {
    (void)state;
    static const fg_str_t rows[] = {
        {"", 0},
        {"@", 1},
        {"@gw.test", 8},
        {"alice", 5},
        {"alice@", 6},
        {"alice@gw.test@gw.test", 21},
        {"alice@gw.test\0", 14},
        {"alice\0@gw.test", 14},
        {"alice\0bob@gw.test", 17},
        {"alice@gw\0.test", 14},
        {"alice\n@gw.test", 14},
        {"alice\x7f@gw.test", 14},
        {"alice\\@gw.test", 14},
        {"alice\\@x@gw.test", 16},
        {"HTTP/app@gw.test", 16},
        {"/alice@gw.test", 14},
        {"DC1$@gw.test", 12},
        {" alice@gw.test", 14},
        {"alice @gw.test", 14},
        {"alic\xe9@gw.test", 13},
        {"alice@gw.test.", 14},
        {"alice@sub.gw.test", 17},
    };
    fg_delegate_t *delegate = make(0);
    char long_name[300];
    memset(long_name, 'a', sizeof long_name);
    memcpy(long_name + sizeof long_name - 8, "@gw.test", 8);
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++)
        if (!is_principal(delegate, rows[i], NULL))
            fail_msg("taken: row %zu", i);
    assert_true(is_principal(delegate, (fg_str_t){long_name, sizeof long_name}, NULL));
    fg_delegate_free(delegate);
}

static void a_keytab_must_have_the_key(void **state) {
    (void)state;
    static const char *const wrong[] = {"svc-other@GW.TEST", "svc-gw@OTHER.TEST", "svc-gw", "svc-gw@"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(wrong); i++) {
        const fg_delegate_options_t options = {keytab, wrong[i], NULL, 0, FG_SECOND};
        fg_err_t err = FG_ERR_INIT;
        assert_null(fg_delegate_new(&options, &err));
        assert_true(err.code == FG_E_CONFIG || err.code == FG_E_DELEGATION_SERVICE);
    }
    fg_delegate_free(make(0));
}

/* ---- silence */

/* Milliseconds. The deadline is a second, and libkrb5's own half a minute: a busy machine may be some seconds late. */
#define IN_TIME 10000
#define AT_ONCE 900

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static int64_t ask(fg_delegate_t *delegate, fg_arena_t *in, const char *person) {
    fg_err_t err = FG_ERR_INIT;
    fg_str_t token;
    bool asked;
    int64_t begin = now();
    assert_false(fg_delegate_token(delegate, &test.env, in, fg_str(person), FG_STR("HTTP/app.gw.test"), &token, &asked, &err));
    assert_err(&err, FG_E_DELEGATION_UNREACHABLE);
    return now() - begin;
}

static void *ask_beside(void *delegate) {
    fg_arena_t *in = fg_arena_new(0);
    int64_t took = ask(delegate, in, "bob@GW.TEST");
    fg_arena_free(in);
    return (void *)(intptr_t)took;
}

static void a_silent_kdc_is_waited_for_once(void **state) {
    (void)state;
    fg_delegate_t *delegate = make(0);
    pthread_t others[4];
    for (size_t i = 0; i < FG_ARRAY_SIZE(others); i++)
        assert_int_equal(pthread_create(&others[i], NULL, ask_beside, delegate), 0);
    int64_t took = ask(delegate, arena, "alice@GW.TEST");
    assert_true(took > AT_ONCE && took < IN_TIME);
    for (size_t i = 0; i < FG_ARRAY_SIZE(others); i++) {
        void *result;
        pthread_join(others[i], &result);
        assert_true((intptr_t)result < IN_TIME);
    }
    /* for five seconds and more nobody is asked */
    assert_true(ask(delegate, arena, "alice@GW.TEST") < AT_ONCE);
    test.now_ms += 30 * FG_SECOND;
    /* then one is, unless the last question is out still; and the pause is longer */
    assert_true(ask(delegate, arena, "carol@GW.TEST") < IN_TIME);
    assert_true(ask(delegate, arena, "alice@GW.TEST") < AT_ONCE);
    close(silent); /* libkrb5 would wait for half a minute, and so would we */
    int64_t begin = now();
    fg_delegate_free(delegate);
    assert_true(now() - begin < 20000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_principals_of_these_realms),
        cmocka_unit_test(confusing_names_are_nobodys_kl05),
        cmocka_unit_test(a_keytab_must_have_the_key),
        cmocka_unit_test(a_silent_kdc_is_waited_for_once),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
