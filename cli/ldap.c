/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * libldap for the command, loaded when a directory is asked for the first time, for the reason that cli/curl.c tells of
 * libcurl.  These are the functions that directory/ calls; the linker finds them here and leaves libldap out. */
#include <dlfcn.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#define LOCAL_ERROR (-2) /* LDAP_LOCAL_ERROR */

/* The function of that name; NULL: there is no libldap on this machine. */
static void *find(const char *name) {
    static void *library;
    if (library == NULL)
        signal(SIGPIPE, SIG_IGN); /* of a server that hangs up, as in nginx */
    if (library == NULL)
        library = dlopen("libldap-2.5.so.0", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        library = dlopen("libldap.so.2", RTLD_NOW | RTLD_LOCAL); /* 2.6 */
    if (library == NULL)
        fprintf(stderr, "fedgate: no directory can be asked: %s\n", dlerror());
    return library != NULL ? dlsym(library, name) : NULL;
}

/* ISO C knows no way from an object to a function; POSIX does (dlsym). */
#define LOAD(name)    \
    if (real == NULL) \
    *(void **)(&real) = find(#name)

#define FORWARD(type, name, fallback, parameters, arguments) \
    type name parameters;                                    \
    type name parameters {                                   \
        static type(*real) parameters;                       \
        LOAD(name);                                          \
        return real != NULL ? real arguments : fallback;     \
    }
#define FORWARD_VOID(name, parameters, arguments) \
    void name parameters;                         \
    void name parameters {                        \
        static void(*real) parameters;            \
        LOAD(name);                               \
        if (real != NULL)                         \
            real arguments;                       \
    }

extern char ber_pvt_opt_on;
char ber_pvt_opt_on; /* its address is LDAP_OPT_ON, which only has to differ from NULL */

FORWARD(int, ldap_init_fd, LOCAL_ERROR, (int a, int b, const char *c, void **d), (a, b, c, d))
FORWARD(int, ldap_set_option, LOCAL_ERROR, (void *a, int b, const void *c), (a, b, c))
FORWARD(int, ldap_get_option, LOCAL_ERROR, (void *a, int b, void *c), (a, b, c))
FORWARD(int, ldap_start_tls, LOCAL_ERROR, (void *a, void **b, void **c, int *d), (a, b, c, d))
FORWARD(int, ldap_install_tls, LOCAL_ERROR, (void *a), (a))
FORWARD(int, ldap_tls_inplace, 0, (void *a), (a))
FORWARD(int, ldap_sasl_bind, LOCAL_ERROR, (void *a, const char *b, const char *c, void *d, void **e, void **f, int *g),
        (a, b, c, d, e, f, g))
FORWARD(int, ldap_search_ext, LOCAL_ERROR,
        (void *a, const char *b, int c, const char *d, char **e, int f, void **g, void **h, void *i, int j, int *k),
        (a, b, c, d, e, f, g, h, i, j, k))
FORWARD(int, ldap_result, LOCAL_ERROR, (void *a, int b, int c, void *d, void **e), (a, b, c, d, e))
FORWARD(int, ldap_msgfree, 0, (void *a), (a))
FORWARD(int, ldap_parse_result, LOCAL_ERROR,
        (void *a, void *b, int *c, char **d, char **e, char ***f, void ***g, int h), (a, b, c, d, e, f, g, h))
FORWARD(void *, ldap_control_find, NULL, (const char *a, void **b, void ***c), (a, b, c))
FORWARD_VOID(ldap_controls_free, (void **a), (a))
FORWARD(int, ldap_parse_passwordpolicy_control, LOCAL_ERROR, (void *a, void *b, int *c, int *d, void *e),
        (a, b, c, d, e))
FORWARD(void *, ldap_first_entry, NULL, (void *a, void *b), (a, b))
FORWARD(void *, ldap_next_entry, NULL, (void *a, void *b), (a, b))
FORWARD(char *, ldap_get_dn, NULL, (void *a, void *b), (a, b))
FORWARD(void **, ldap_get_values_len, NULL, (void *a, void *b, const char *c), (a, b, c))
FORWARD_VOID(ldap_value_free_len, (void **a), (a))
FORWARD(int, ldap_str2dn, LOCAL_ERROR, (const char *a, void **b, unsigned c), (a, b, c))
FORWARD_VOID(ldap_dnfree, (void *a), (a))
FORWARD(char *, ldap_err2string, (char *)"no libldap", (int a), (a))
FORWARD_VOID(ldap_memfree, (void *a), (a))
FORWARD(int, ldap_unbind_ext, LOCAL_ERROR, (void *a, void **b, void **c), (a, b, c))
