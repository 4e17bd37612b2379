/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * An exchange for the tests of the active endpoints: a gateway at https://fs.example.com, requests made from a message
 * by replacing a piece of its text. */
#ifndef FG_TESTS_UNIT_EXCHANGE_H
#define FG_TESTS_UNIT_EXCHANGE_H

#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crypto.h"
#include "core/time.h"
#include "core/xml.h"
#include "hub/exchange.h"

#define BASE_URL "https://fs.example.com"

typedef struct fixture {
    test_env_t test;
    fg_hub_t hub;
    fg_exchange_t *ex; /* the present exchange, or NULL */
    fg_header_t headers[8];
    char *body;
} fixture_t;

static inline bool no_pages(fg_exchange_t *ex, int status, const char *name, json_t *model) {
    (void)ex, (void)status, (void)name;
    json_decref(model);
    return false;
}

static inline void exchange_end(fixture_t *f) {
    if (f->ex == NULL)
        return;
    fg_buf_free(&f->ex->response.body);
    fg_arena_free(f->ex->arena);
    free(f->body);
    f->body = NULL;
    f->ex = NULL;
}

static inline int fixture_set_up(void **state) {
    static fixture_t f;
    fg_err_t err = FG_ERR_INIT;
    memset(&f, 0, sizeof f);
    test_env_init(&f.test);
    f.hub.base_url = FG_STR(BASE_URL);
    f.hub.host = FG_STR("fs.example.com");
    f.hub.skew_ms = 180 * FG_SECOND;
    f.hub.body_max = 256 * 1024;
    f.hub.xml = fg_xml_default_limits;
    f.hub.render = no_pages;
    *state = &f;
    return fg_crypto_start() && fg_xml_start(&err) ? 0 : -1;
}

static inline int fixture_tear_down(void **state) {
    exchange_end(*state);
    fg_crypto_stop();
    return 0;
}

static inline void add_header(fixture_t *f, const char *name, const char *value) {
    f->headers[f->ex->request.header_count++] = (fg_header_t){fg_str(name), fg_str(value)};
}

/* A request to path, its first "from" replaced by "to" (NULL: as it is). */
static inline fg_exchange_t *exchange_begin(fixture_t *f, const char *path, const char *media_type, const char *message,
                                            const char *from, const char *to) {
    exchange_end(f);
    fg_arena_t *arena = fg_arena_new(0);
    fg_exchange_t *ex = f->ex = fg_arena_alloc(arena, sizeof *ex);
    ex->arena = arena;
    ex->env = &f->test.env;
    ex->hub = &f->hub;
    ex->now_ms = f->test.now_ms;
    fg_buf_init(&ex->response.body, 256 * 1024);
    snprintf(ex->correlation_id, FG_ID_SIZE, "c-1");
    ex->request.method = FG_METHOD_POST;
    ex->request.https = true;
    ex->request.path = fg_str(path);
    ex->request.headers = f->headers;
    add_header(f, "Content-Type", media_type);

    const char *at = from ? strstr(message, from) : message;
    assert_non_null(at);
    size_t skipped = from ? strlen(from) : 0, size = strlen(message) + (to ? strlen(to) : 0) + 1;
    f->body = malloc(size);
    int n = snprintf(f->body, size, "%.*s%s%s", (int)(at - message), message, to ? to : "", at + skipped);
    ex->request.body = (fg_str_t){f->body, (size_t)n};
    return ex;
}

/* A header of the response, or "". */
static inline const char *response_header(const fg_exchange_t *ex, const char *name) {
    for (size_t i = 0; i < ex->response.header_count; i++)
        if (fg_str_is(ex->response.headers[i].name, name))
            return ex->response.headers[i].value.p;
    return "";
}

/* The element at the end of a path of names below root, whatever their namespaces; NULL: not there. */
static inline xmlNode *find_path(xmlNode *root, const char *path) {
    xmlNode *node = root;
    while (node != NULL && *path != '\0') {
        size_t length = strcspn(path, "/");
        xmlNode *child = fg_xml_first_child(node);
        while (child != NULL && !fg_str_eq(fg_str((const char *)child->name), (fg_str_t){path, length}))
            child = fg_xml_next(child);
        node = child;
        path += length + (path[length] == '/');
    }
    return node;
}

/* The response as a tree: well-formed within the gateway's own limits. */
static inline xmlNode *response_root(const fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    xmlDoc *doc = fg_xml_parse(ex->arena, fg_buf_str(&ex->response.body), &ex->hub->xml, &err);
    if (doc == NULL)
        print_error("%s\n%.*s\n", err.detail, (int)ex->response.body.length, ex->response.body.data);
    assert_non_null(doc);
    return xmlDocGetRootElement(doc);
}

static inline const char *response_text(const fg_exchange_t *ex, const char *path) {
    xmlNode *node = find_path(response_root(ex), path);
    fg_str_t text = node ? fg_xml_text(ex->arena, node, NULL) : FG_STR_NONE;
    return text.p ? text.p : "(none)";
}

/* True if the last audit line gives this reason. */
static inline bool refused_for(const fg_exchange_t *ex, const char *reason) {
    const fg_audit_line_t *line = ex->audit;
    while (line != NULL && line->next != NULL)
        line = line->next;
    char member[100];
    snprintf(member, sizeof member, "\"reason\":\"%s\"", reason);
    if (line != NULL && strstr(line->text.p, "\"event\":\"refused\"") && strstr(line->text.p, member))
        return true;
    print_error("%s expected: %s\n", reason, line ? line->text.p : "no audit line");
    return false;
}

#endif
