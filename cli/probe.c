/* SPDX-License-Identifier: GPL-2.0-or-later
 * fedgate probe: what a partner's server publishes, whether its certificate is believed, and how its clock goes. */
#include "cli/probe.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "cli/fetch.h"
#include "cli/input.h"
#include "cli/token.h"
#include "core/json.h"
#include "core/time.h"
#include "core/uri.h"

/* Where documents lie, below the server's address. */
static const struct {
    const char *path, *what;
} documents[] = {
    {"/FederationMetadata/2007-06/FederationMetadata.xml", "federation metadata"},
    {"/adfs/services/trust/mex", "WS-MetadataExchange"},
    {"/.well-known/openid-configuration", "OpenID Connect discovery"},
    {"/adfs/.well-known/openid-configuration", "OpenID Connect discovery of AD FS"},
};

typedef struct probe {
    const char *url, *ca;
    bool network;
    fg_arena_t *arena;
    fg_env_t env;
    unsigned found;
    bool clock_told;
    bool reached; /* it has answered something */
} probe_t;

/* RFC 9110 §5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool read_date(fg_str_t text, int64_t *ms) {
    char copy[64];
    struct tm tm = {0};
    if (text.n == 0 || text.n >= sizeof copy)
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    if (strptime(copy, "%a, %d %b %Y %H:%M:%S GMT", &tm) == NULL)
        return false;
    *ms = (int64_t)timegm(&tm) * FG_SECOND;
    return true;
}

static void tell_clock(probe_t *p, const fg_http_response_t *response) {
    int64_t theirs;
    if (p->clock_told || !read_date(fg_http_header(response, "Date"), &theirs))
        return;
    int64_t off = (theirs - fg_now(&p->env)) / FG_SECOND;
    p->clock_told = true;
    if (off >= -2 && off <= 2)
        puts("clock: as here");
    else
        printf("clock: %" PRId64 " s %s than here%s\n", off < 0 ? -off : off, off < 0 ? "earlier" : "later",
               off < -180 || off > 180 ? ": more than is taken by default (skew), tokens will be refused" : "");
}

static void tell_document(probe_t *p, const char *what, const fg_http_response_t *response) {
    fg_unwrap_t unwrap = {.arena = p->arena, .limits = &fg_token_show_limits};
    const fg_piece_t *root = fg_piece_read(&unwrap, response->body);
    fg_facts_t *facts = fg_arena_alloc(p->arena, sizeof *facts);
    if (root == NULL || facts == NULL)
        return;
    printf("%s: %s\n  ", what, fg_piece_title(root->kind));
    fg_print_safe(stdout, response->url);
    putchar('\n');
    fg_facts_read(p->arena, root, fg_now(&p->env), facts);
    static const char *const told[] = {
        "entity_id", "issuer", "jwks_uri", "signing_thumbprint", "signing_certificate_until", "valid_until"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(told); i++) {
        fg_str_t text = fg_facts_get(facts, told[i]);
        if (text.p == NULL)
            continue;
        printf("  %s: ", told[i]);
        fg_print_safe(stdout, text);
        putchar('\n');
    }
    for (size_t i = 0; i < facts->warning_count; i++)
        printf("  warning: %s\n", facts->warnings[i]);
    p->found += root->kind != FG_PIECE_UNKNOWN && root->kind != FG_PIECE_HTML;
}

static void tell_certificate(const probe_t *p, fg_str_t pem) {
    static const struct {
        const char *fact, *word;
    } told[] = {{"certificate", "certificate"}, {"certificate_issuer", "  issued by"}, {"certificate_name", "  for"},
                {"certificate_from", "  from"}, {"certificate_until", "  until"},      {"thumbprint", "  thumbprint"}};
    fg_unwrap_t unwrap = {.arena = p->arena, .limits = &fg_token_show_limits};
    const fg_piece_t *piece = fg_piece_read(&unwrap, pem);
    fg_facts_t *facts = fg_arena_alloc(p->arena, sizeof *facts);
    if (piece == NULL || facts == NULL)
        return;
    fg_facts_read(p->arena, piece, fg_now(&p->env), facts);
    for (size_t i = 0; i < FG_ARRAY_SIZE(told); i++) {
        fg_str_t text = fg_facts_join(facts, told[i].fact);
        if (text.p == NULL)
            continue;
        printf("  %s ", told[i].word);
        fg_print_safe(stdout, text);
        char age[FG_FACTS_AGE_SIZE] = "";
        int64_t ms;
        if (strcmp(told[i].fact, "certificate_until") == 0 && fg_time_parse(text, &ms))
            fg_facts_age(ms, fg_now(&p->env), age);
        printf(*age != '\0' ? " (%s)\n" : "%s\n", age);
    }
    for (size_t i = 0; i < facts->warning_count; i++)
        printf("  warning: %s\n", facts->warnings[i]);
}

/* FG_CLI_OK: more can be asked there. */
static int tell_tls(const probe_t *p) {
    fg_http_tls_t tls;
    fg_err_t err = FG_ERR_INIT;
    if (strncmp(p->url, "https:", 6) != 0) {
        puts("TLS: none at this address: what comes from there could come from anybody");
        return FG_CLI_OK;
    }
    if (!fg_fetch_tls(p->arena, p->ca, p->url, &tls, &err)) {
        if (err.code == FG_E_FETCH_FAILED)
            fg_cli_say("%s cannot be reached by TLS: %s; compare name and port, and ask from where it may be reached",
                       p->url, err.detail);
        return err.code == FG_E_FETCH_FAILED ? FG_CLI_FAILED : fg_cli_fail(&err);
    }
    if (tls.protocol.p != NULL)
        printf("TLS: %s\n", tls.protocol.p);
    for (size_t i = 0; i < tls.count; i++)
        tell_certificate(p, tls.chain[i]);
    if (tls.believed) {
        puts("TLS: the certificate is believed");
        return FG_CLI_OK;
    }
    printf("TLS: the certificate is not believed: %s\n", tls.why_not.p);
    fg_cli_say("%s: nothing is read from there; if its CA is known to you, name it with --ca", p->url);
    return FG_CLI_FAILED;
}

/* False: the server could not be reached at all so far. */
static bool try_url(probe_t *p, const char *url, const char *what) {
    fg_http_response_t response;
    fg_err_t err = FG_ERR_INIT;
    const fg_http_request_t request = {.url = fg_str(url), .redirects = 3};
    if (!fg_fetch(&p->env, p->arena, p->ca, &request, &response, &err)) {
        printf("%s: %s\n", what, err.detail);
        return p->reached;
    }
    p->reached = true;
    tell_clock(p, &response);
    if (response.status == 200)
        tell_document(p, what, &response);
    else
        printf("%s: not there (%d)\n", what, response.status);
    return true;
}

static int run(probe_t *p) {
    fg_buf_t origin = FG_BUF_INIT(2048);
    fg_uri_t uri;
    fg_err_t err = FG_ERR_INIT;
    if (!fg_xml_start(&err))
        return fg_cli_fail(&err);
    if (!fg_uri_parse(fg_str(p->url), &uri) || !fg_uri_origin(fg_str(p->url), &origin)) {
        fg_cli_say("%s is no address of the web: https://HOST/ is expected", p->url);
        return FG_CLI_UNREADABLE;
    }
    const char *base = fg_arena_strndup(p->arena, origin.data, origin.length);
    fg_buf_free(&origin);
    int tls = tell_tls(p);
    if (tls != FG_CLI_OK)
        return tls;
    bool reached = uri.path.n > 1 ? try_url(p, p->url, "the address itself") : true;
    for (size_t i = 0; base != NULL && reached && i < FG_ARRAY_SIZE(documents); i++) {
        const char *url = fg_arena_printf(p->arena, "%s%s", base, documents[i].path);
        reached = url != NULL && try_url(p, url, documents[i].what);
    }
    if (!reached || p->found > 0)
        return reached ? FG_CLI_OK : FG_CLI_FAILED;
    fg_cli_say("%s publishes nothing that is known here", p->url);
    return FG_CLI_FAILED;
}

int fg_cli_probe(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    probe_t p = {.env = *env};
    const fg_cli_option_t options[] = {{"--network", .flag = &p.network}, {"--ca", .value = &p.ca}};
    if (!fg_cli_parse(command, argc, argv, options, FG_ARRAY_SIZE(options), &p.url, 1, 1))
        return FG_CLI_USAGE;
    if (!p.network)
        return fg_cli_usage(command, "nothing is asked of the network without --network");
    p.arena = fg_arena_new(FG_TOKEN_ARENA);
    int code = p.arena != NULL ? run(&p) : FG_CLI_FAILED;
    fg_arena_free(p.arena);
    return code;
}
