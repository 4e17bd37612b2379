/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whom a server's TLS shows, for people who look at it: two handshakes and nothing else is sent.  The first believes
 * anybody, so that a certificate which is refused can be seen; the second believes as fetching does. */
#include <curl/curl.h>

#include "core/http_parts.h"

typedef struct look {
    fg_arena_t *arena;
    fg_http_tls_t *tls;
} look_t;

/* libcurl has no other way to say which version and ciphers were agreed on, if it is not to be asked for OpenSSL's own
 * structures. */
static int take_words(CURL *curl, curl_infotype type, char *data, size_t size, void *context) {
    static const char begins[] = "SSL connection using ";
    look_t *look = context;
    fg_str_t line = {data, size};
    (void)curl;
    if (type == CURLINFO_TEXT && fg_str_starts(line, begins))
        look->tls->protocol =
            fg_arena_str(look->arena, fg_str_trim((fg_str_t){data + sizeof begins - 1, size - (sizeof begins - 1)}));
    return 0;
}

static bool take_chain(look_t *look, CURL *curl) {
    static const char begins[] = "Cert:";
    struct curl_certinfo *info = NULL;
    fg_http_tls_t *tls = look->tls;
    if (curl_easy_getinfo(curl, CURLINFO_CERTINFO, &info) != CURLE_OK || info == NULL)
        return true;
    for (int i = 0; i < info->num_of_certs; i++)
        for (const struct curl_slist *line = info->certinfo[i]; line != NULL; line = line->next) {
            if (strncmp(line->data, begins, sizeof begins - 1) != 0 || tls->count == FG_HTTP_CHAIN_MAX)
                continue;
            fg_str_t pem = fg_arena_str(look->arena, fg_str(line->data + sizeof begins - 1));
            if (pem.p == NULL)
                return false;
            tls->chain[tls->count++] = pem;
        }
    return true;
}

static void put_common(CURL *curl, const char *url, char *text, int64_t deadline_ms) {
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, text);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* whatever the environment says */
    curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)deadline_ms);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_URL, url);
}

/* Believing anybody. */
static bool see(look_t *look, CURL *curl, const char *url, int64_t deadline_ms, fg_err_t *err) {
    char text[CURL_ERROR_SIZE] = "";
    put_common(curl, url, text, deadline_ms);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(curl, CURLOPT_CERTINFO, 1L);
    curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, take_words);
    curl_easy_setopt(curl, CURLOPT_DEBUGDATA, look);
    CURLcode code = curl_easy_perform(curl);
    bool good = code == CURLE_OK || FG_FAIL(err, FG_E_FETCH_FAILED, "%s", *text ? text : curl_easy_strerror(code));
    good = good && (take_chain(look, curl) || FG_FAIL(err, FG_E_MEMORY, "TLS"));
    return good;
}

/* As core/http_curl.c does. */
static bool judge(look_t *look, CURL *curl, const char *url, const fg_buf_t *ca, int64_t deadline_ms) {
    char text[CURL_ERROR_SIZE] = "";
    put_common(curl, url, text, deadline_ms);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    if (ca->length > 0) {
        struct curl_blob blob = {ca->data, ca->length, CURL_BLOB_COPY};
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
        curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob);
    }
    CURLcode code = curl_easy_perform(curl);
    look->tls->believed = code == CURLE_OK;
    look->tls->why_not =
        code == CURLE_OK ? FG_STR_NONE : fg_arena_str(look->arena, fg_str(*text ? text : curl_easy_strerror(code)));
    return code == CURLE_OK || look->tls->why_not.p != NULL;
}

bool fg_http_look(fg_arena_t *arena, const char *url, const char *ca_file, int64_t deadline_ms, fg_http_tls_t *tls,
                  fg_err_t *err) {
    fg_buf_t ca = FG_BUF_INIT(FG_HTTP_CA_MAX);
    look_t look = {arena, tls};
    *tls = (fg_http_tls_t){.count = 0};
    if (ca_file != NULL && !fg_http_read_ca(ca_file, &ca, err)) {
        fg_buf_free(&ca);
        return false;
    }
    CURL *first = curl_easy_init();
    bool good = first != NULL || FG_FAIL(err, FG_E_MEMORY, "TLS");
    good = good && see(&look, first, url, deadline_ms, err);
    curl_easy_cleanup(first); /* with its connection: some servers know but one at a time */
    CURL *second = good ? curl_easy_init() : NULL;
    good =
        good && ((second != NULL && judge(&look, second, url, &ca, deadline_ms)) || FG_FAIL(err, FG_E_MEMORY, "TLS"));
    curl_easy_cleanup(second);
    fg_buf_free(&ca);
    return good;
}
