/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * libcurl for the command, loaded when something is fetched for the first time.  Linked in, its thirty libraries (TLS,
 * LDAP, Kerberos, SSH) would cost every call of the command more time than verifying a token does, and most calls never
 * fetch.  These are the functions that core/http_curl.c calls; the linker finds them here and leaves libcurl out.
 *
 * curl_easy_setopt and curl_easy_getinfo take their last argument by its option's type: a pointer or a long, which are
 * passed alike where both have the size of a register; the assertion below keeps it to such machines. */
#include <dlfcn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

_Static_assert(sizeof(long) == sizeof(void *) && sizeof(int64_t) == sizeof(void *), "one size for every argument");

void *curl_easy_init(void);
void curl_easy_cleanup(void *handle);
void curl_easy_reset(void *handle);
int curl_easy_perform(void *handle);
int curl_easy_setopt(void *handle, int option, ...);
int curl_easy_getinfo(void *handle, int info, ...);
const char *curl_easy_strerror(int code);
int curl_global_init(long flags);
void curl_global_cleanup(void);
void *curl_slist_append(void *list, const char *text);
void curl_slist_free_all(void *list);

#define FAILED_INIT 2 /* CURLE_FAILED_INIT */

/* The function of that name; NULL: there is no libcurl on this machine. */
static void *find(const char *name) {
    static void *library;
    if (library == NULL)
        library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        fprintf(stderr, "fedgate: nothing can be fetched: %s\n", dlerror());
    return library != NULL ? dlsym(library, name) : NULL;
}

/* ISO C knows no way from an object to a function; POSIX does (dlsym). */
#define LOAD(type, variable, name) \
    static type variable;          \
    if (variable == NULL)          \
    *(void **)(&variable) = find(name)

typedef void *make_t(void);
typedef void handle_t(void *);
typedef int act_t(void *);
typedef int set_t(void *, int, ...);
typedef const char *word_t(int);
typedef int start_t(long);
typedef void stop_t(void);
typedef void *append_t(void *, const char *);

void *curl_easy_init(void) {
    LOAD(make_t *, real, "curl_easy_init");
    return real != NULL ? real() : NULL;
}

void curl_easy_cleanup(void *handle) {
    LOAD(handle_t *, real, "curl_easy_cleanup");
    if (real != NULL)
        real(handle);
}

void curl_easy_reset(void *handle) {
    LOAD(handle_t *, real, "curl_easy_reset");
    if (real != NULL)
        real(handle);
}

int curl_easy_perform(void *handle) {
    LOAD(act_t *, real, "curl_easy_perform");
    return real != NULL ? real(handle) : FAILED_INIT;
}

int curl_easy_setopt(void *handle, int option, ...) {
    LOAD(set_t *, real, "curl_easy_setopt");
    va_list arguments;
    va_start(arguments, option);
    void *value = va_arg(arguments, void *);
    va_end(arguments);
    return real != NULL ? real(handle, option, value) : FAILED_INIT;
}

int curl_easy_getinfo(void *handle, int info, ...) {
    LOAD(set_t *, real, "curl_easy_getinfo");
    va_list arguments;
    va_start(arguments, info);
    void *value = va_arg(arguments, void *);
    va_end(arguments);
    return real != NULL ? real(handle, info, value) : FAILED_INIT;
}

const char *curl_easy_strerror(int code) {
    LOAD(word_t *, real, "curl_easy_strerror");
    return real != NULL ? real(code) : "libcurl is missing";
}

int curl_global_init(long flags) {
    LOAD(start_t *, real, "curl_global_init");
    return real != NULL ? real(flags) : FAILED_INIT;
}

void curl_global_cleanup(void) {
    LOAD(stop_t *, real, "curl_global_cleanup");
    if (real != NULL)
        real();
}

void *curl_slist_append(void *list, const char *text) {
    LOAD(append_t *, real, "curl_slist_append");
    return real != NULL ? real(list, text) : NULL;
}

void curl_slist_free_all(void *list) {
    LOAD(handle_t *, real, "curl_slist_free_all");
    if (real != NULL)
        real(list);
}
