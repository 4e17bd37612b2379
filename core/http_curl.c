/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Hops by libcurl, the only place that knows it.  A handle is on one thread at a time and is used again, with its
 * connections.  Handles that may go anywhere and those for public addresses are kept apart: a connection to a private
 * address that a named host may have is not there for anybody else. */
#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/file.h"
#include "core/http_parts.h"
#include "core/version.h"

#define KEPT_MAX 8u
#define HEADERS_MAX 100u
#define HEAD_MAX (64u << 10)

typedef struct kept {
    CURL *handles[KEPT_MAX];
    unsigned count;
} kept_t;

typedef struct wire {
    fg_http_wire_t wire;  /* first */
    fg_buf_t ca;          /* PEM, read once by who loads the configuration: a worker may have no right to the file */
    pthread_mutex_t lock; /* of kept */
    kept_t kept[2];       /* [public_only] */
} wire_t;

/* One hop on its way. */
typedef struct transfer {
    fg_arena_t *arena;
    const fg_http_hop_t *hop;
    fg_http_response_t *response;
    fg_buf_t body;
    size_t head_bytes;
    bool refused_address, too_large, broken;
} transfer_t;

bool fg_http_start(fg_err_t *err) {
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK || FG_FAIL(err, FG_E_INTERNAL, "libcurl does not start");
}

void fg_http_stop(void) { curl_global_cleanup(); }

/* ---- handles */

static CURL *take_handle(wire_t *w, bool public_only) {
    kept_t *kept = &w->kept[public_only];
    pthread_mutex_lock(&w->lock);
    CURL *curl = kept->count > 0 ? kept->handles[--kept->count] : NULL;
    pthread_mutex_unlock(&w->lock);
    return curl ? curl : curl_easy_init();
}

static void put_handle(wire_t *w, bool public_only, CURL *curl) {
    kept_t *kept = &w->kept[public_only];
    curl_easy_reset(curl); /* its connections stay */
    pthread_mutex_lock(&w->lock);
    bool room = kept->count < KEPT_MAX;
    if (room)
        kept->handles[kept->count++] = curl;
    pthread_mutex_unlock(&w->lock);
    if (!room)
        curl_easy_cleanup(curl);
}

/* ---- what libcurl calls */

/* The resolved address, just before it is connected to: no second look-up lies in between. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    transfer_t *t = context;
    (void)purpose;
    if (t->hop->public_only && !fg_http_is_public(&address->addr)) {
        t->refused_address = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static bool put_header(transfer_t *t, fg_str_t line) {
    fg_http_response_t *response = t->response;
    const char *colon = memchr(line.p, ':', line.n);
    if (colon == NULL)
        return true;
    if (response->headers == NULL)
        response->headers = fg_arena_alloc(t->arena, HEADERS_MAX * sizeof *response->headers);
    if (response->headers == NULL || response->header_count == HEADERS_MAX)
        return false;
    size_t n = (size_t)(colon - line.p);
    fg_http_field_t *field = &response->headers[response->header_count++];
    field->name = fg_arena_str(t->arena, (fg_str_t){line.p, n});
    field->value = fg_arena_str(t->arena, fg_str_trim((fg_str_t){colon + 1, line.n - n - 1}));
    return field->name.p != NULL && field->value.p != NULL;
}

static size_t take_header(char *data, size_t size, size_t count, void *context) {
    transfer_t *t = context;
    size_t n = size * count;
    t->head_bytes += n;
    if (n >= 5 && memcmp(data, "HTTP/", 5) == 0) /* an interim answer's headers go */
        t->response->header_count = 0;
    else if (t->head_bytes > HEAD_MAX || !put_header(t, (fg_str_t){data, n}))
        t->broken = true;
    return t->broken ? 0 : n;
}

static size_t take_body(char *data, size_t size, size_t count, void *context) {
    transfer_t *t = context;
    fg_buf_add(&t->body, data, size * count);
    t->too_large = !fg_buf_ok(&t->body);
    return t->too_large ? 0 : size * count;
}

/* ---- a hop */

static void put_limits(CURL *curl, const wire_t *w, transfer_t *t) {
    const fg_http_hop_t *hop = t->hop;
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* whatever the environment says */
    curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)hop->deadline_ms);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)hop->deadline_ms);
    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)hop->body_max);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, t);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (w->ca.length > 0) {
        struct curl_blob ca = {w->ca.data, w->ca.length, CURL_BLOB_NOCOPY};
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL); /* those alone */
        curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &ca);
    }
}

static void put_callbacks(CURL *curl, transfer_t *t) {
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
}

/* False: memory. */
static bool put_request(CURL *curl, const transfer_t *t, struct curl_slist **lines) {
    const fg_http_hop_t *hop = t->hop;
    const char *url = fg_arena_strndup(t->arena, hop->url.p, hop->url.n);
    struct curl_slist *more = curl_slist_append(*lines, "Expect:");
    bool ok = url != NULL && more != NULL;
    for (size_t i = 0; ok && i < hop->header_count; i++) {
        *lines = more;
        fg_str_t name = hop->headers[i].name, value = hop->headers[i].value;
        const char *line =
            fg_arena_printf(t->arena, "%.*s: %.*s", (int)name.n, name.p, (int)value.n, value.p ? value.p : "");
        more = line ? curl_slist_append(*lines, line) : NULL;
        ok = more != NULL;
    }
    if (more != NULL)
        *lines = more;
    if (hop->body.p != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)hop->body.n);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, hop->body.p);
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, hop->method);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "fedgate/" FG_VERSION);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, *lines);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    return ok;
}

static bool explain(const transfer_t *t, CURLcode code, const char *text, fg_err_t *err) {
    fg_str_t url = t->hop->url;
    if (t->refused_address)
        return FG_FAIL(err, FG_E_FETCH_REFUSED, "%.*s: its address is not a public one", FG_STR_ARG(url));
    if (t->too_large || code == CURLE_FILESIZE_EXCEEDED)
        return FG_FAIL(err, FG_E_FETCH_FAILED, "%.*s: the answer is larger than %zu bytes", FG_STR_ARG(url),
                       t->hop->body_max);
    if (t->broken)
        return FG_FAIL(err, FG_E_FETCH_FAILED, "%.*s: the answer has too many headers", FG_STR_ARG(url));
    return FG_FAIL(err, FG_E_FETCH_FAILED, "%.*s: %s", FG_STR_ARG(url), *text ? text : curl_easy_strerror(code));
}

static bool take_answer(transfer_t *t, CURL *curl, fg_err_t *err) {
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    t->response->status = (int)status;
    t->response->body = fg_arena_str(t->arena, fg_buf_str(&t->body));
    return t->response->body.p != NULL || FG_FAIL(err, FG_E_MEMORY, "fetching");
}

static bool curl_run(fg_http_wire_t *wire, fg_arena_t *arena, const fg_http_hop_t *hop, fg_http_response_t *response,
                     fg_err_t *err) {
    wire_t *w = (wire_t *)wire;
    transfer_t t = {.arena = arena, .hop = hop, .response = response, .body = FG_BUF_INIT(hop->body_max)};
    struct curl_slist *lines = NULL;
    char text[CURL_ERROR_SIZE] = "";
    CURL *curl = take_handle(w, hop->public_only);
    if (curl == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "fetching");
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, text);
    put_limits(curl, w, &t);
    put_callbacks(curl, &t);
    bool ok = put_request(curl, &t, &lines) || FG_FAIL(err, FG_E_MEMORY, "fetching");
    if (ok) {
        CURLcode code = curl_easy_perform(curl);
        ok = code == CURLE_OK ? take_answer(&t, curl, err) : explain(&t, code, text, err);
    }
    put_handle(w, hop->public_only, curl);
    curl_slist_free_all(lines);
    fg_buf_free(&t.body);
    return ok;
}

static void curl_free_wire(fg_http_wire_t *wire) {
    wire_t *w = (wire_t *)wire;
    for (size_t k = 0; k < FG_ARRAY_SIZE(w->kept); k++)
        while (w->kept[k].count > 0)
            curl_easy_cleanup(w->kept[k].handles[--w->kept[k].count]);
    pthread_mutex_destroy(&w->lock);
    fg_buf_free(&w->ca);
    free(w);
}

bool fg_http_read_ca(const char *ca_file, fg_buf_t *out, fg_err_t *err) {
    if (!fg_file_read(ca_file, out, NULL, err))
        return false;
    bool pem = out->length > 0 && memmem(out->data, out->length, "-----BEGIN ", 11) != NULL;
    return pem || FG_FAIL(err, FG_E_CONFIG, "%s: no CA certificates in PEM", ca_file);
}

fg_http_wire_t *fg_http_curl_new(const char *ca_file, fg_err_t *err) {
    wire_t *w = calloc(1, sizeof *w);
    if (w == NULL) {
        FG_FAIL(err, FG_E_MEMORY, "making an HTTP client");
        return NULL;
    }
    *w = (wire_t){.wire = {curl_run, curl_free_wire}, .ca = FG_BUF_INIT(FG_HTTP_CA_MAX)};
    pthread_mutex_init(&w->lock, NULL);
    if (ca_file == NULL || fg_http_read_ca(ca_file, &w->ca, err))
        return &w->wire;
    curl_free_wire(&w->wire);
    return NULL;
}
