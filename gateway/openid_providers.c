/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gateway/openid_providers.h"

#include "core/file.h"

#define SECRET_MAX 1024u
#define SCOPE_MAX 2048u
#define DISCOVERY "/.well-known/openid-configuration"

typedef struct building {
    const fg_config_provider_t *section;
    fg_arena_t *arena;
    fg_openid_provider_t *out;
} building_t;

static bool refuse(const building_t *b, fg_err_t *err, const char *option, const char *expected) {
    return fg_config_refuse(err, &b->section->at, option, 0, "%s", expected);
}

/* What only the other protocols have. */
static bool check_others(const building_t *b, fg_err_t *err) {
    const fg_config_provider_t *s = b->section;
    const struct {
        const char *option;
        bool there;
    } others[] = {{"metadata", s->metadata != NULL}, {"certificate", s->certificates.count > 0},
                  {"jwks", s->jwks != NULL},         {"sign_in", s->sign_in.n > 0},
                  {"sign_out", s->sign_out.n > 0},   {"realm", s->realm.n > 0}};
    for (size_t i = 0; i < FG_ARRAY_SIZE(others); i++)
        if (others[i].there)
            return refuse(b, err, others[i].option,
                          "it in identity providers of other protocols: of an OpenID provider it is in what that "
                          "publishes");
    return true;
}

/* The first line. */
static bool read_secret(const building_t *b, fg_err_t *err) {
    const char *path = b->section->client_secret;
    const unsigned known = FG_CLIENT_BASIC | FG_CLIENT_POST | FG_CLIENT_JWT | FG_CLIENT_NONE;
    bool needed = (b->section->client_auth & (FG_CLIENT_BASIC | FG_CLIENT_POST)) != 0;
    fg_buf_t text = FG_BUF_INIT(SECRET_MAX);
    fg_err_t why = FG_ERR_INIT;
    if ((b->section->client_auth & known) == 0)
        return refuse(b, err, "client_auth",
                      "one of client_secret_basic, client_secret_post, private_key_jwt, none");
    if (!needed || path == NULL)
        return !needed || refuse(b, err, "client_secret_file", "client_secret_file = \"FILE\", or another client_auth");
    bool done = fg_file_read(path, &text, NULL, &why);
    fg_str_t line = fg_buf_str(&text);
    const char *end = done && line.n > 0 ? memchr(line.p, '\n', line.n) : NULL;
    line.n = end != NULL ? (size_t)(end - line.p) : line.n;
    line = fg_str_trim(line);
    b->out->secret = done && line.n > 0 ? fg_arena_str(b->arena, line) : FG_STR_NONE;
    fg_buf_free(&text);
    return b->out->secret.n > 0 ||
           fg_config_refuse(err, &b->section->at, "client_secret_file", 0,
                            "a file with the secret in its first line (%s)", done ? "there is none" : why.detail);
}

static bool join_scopes(const building_t *b, fg_err_t *err) {
    const fg_config_list_t *list = &b->section->scopes;
    fg_buf_t text = FG_BUF_INIT(SCOPE_MAX);
    bool openid = list->count == 0;
    if (list->count == 0)
        fg_buf_puts(&text, "openid profile email");
    for (size_t i = 0; i < list->count; i++) {
        fg_str_t word = ((const fg_str_t *)list->items)[i];
        openid = openid || fg_str_is(word, "openid");
        fg_buf_puts(&text, i > 0 ? " " : "");
        fg_buf_put_str(&text, word);
    }
    b->out->scope = fg_buf_ok(&text) ? fg_arena_str(b->arena, fg_buf_str(&text)) : FG_STR_NONE;
    fg_buf_free(&text);
    return (openid && b->out->scope.p != NULL) || refuse(b, err, "scopes", "scopes with \"openid\" among them");
}

static bool read_algorithms(const building_t *b) {
    const fg_config_list_t *list = &b->section->algorithms;
    b->out->algs = list->count == 0 ? FG_OPENID_ALL_ALGS : 0;
    for (size_t i = 0; i < list->count; i++)
        b->out->algs |= ((const unsigned *)list->items)[i];
    return true;
}

/* Discovery 1.0 §4: behind the issuer, whose last slash goes. */
static bool find_discovery(const building_t *b, fg_err_t *err) {
    fg_str_t issuer = b->section->issuer, own = b->section->discovery;
    bool many = issuer.n > 0 && memmem(issuer.p, issuer.n, FG_OPENID_TENANT, strlen(FG_OPENID_TENANT)) != NULL;
    if (!fg_str_starts(issuer, "https://"))
        return refuse(b, err, "issuer", "issuer = \"https://…\" of the OpenID provider");
    if (many && own.n == 0)
        return refuse(b, err, "discovery", "discovery = \"https://…\" beside an issuer with " FG_OPENID_TENANT);
    if (many != (b->section->tenants.count > 0))
        return refuse(b, err, "tenants",
                      "tenants = {\"…\"} beside an issuer with " FG_OPENID_TENANT ", and not beside another");
    if (own.n > 0 && !fg_str_starts(own, "https://"))
        return refuse(b, err, "discovery", "an https address");
    issuer.n -= issuer.p[issuer.n - 1] == '/';
    b->out->discovery_url =
        own.n > 0 ? own : fg_str(fg_arena_printf(b->arena, "%.*s" DISCOVERY, (int)issuer.n, issuer.p));
    return b->out->discovery_url.p != NULL || FG_FAIL(err, FG_E_MEMORY, "reading identity providers");
}

bool fg_openid_provider_build(const fg_config_provider_t *section, fg_arena_t *arena, fg_openid_upstream_t *upstream,
                              const fg_openid_provider_t **provider, fg_err_t *err) {
    fg_openid_provider_t *built = fg_arena_alloc(arena, sizeof *built);
    if (built == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "reading identity providers");
    *built = (fg_openid_provider_t){
        .client_id = fg_str(section->client_id),
        .auth = section->client_auth,
        .tenants = {section->tenants.items, section->tenants.count},
        .asks_userinfo = section->userinfo == FG_CHOICE_YES,
        .refresh_interval_ms = section->refresh_interval_ms,
        .upstream = upstream,
    };
    *provider = built;
    const building_t b = {section, arena, built};
    if (section->client_id == NULL)
        return refuse(&b, err, "client_id", "client_id = \"…\", under which the provider knows this gateway");
    return check_others(&b, err) && find_discovery(&b, err) && read_secret(&b, err) && join_scopes(&b, err) &&
           read_algorithms(&b);
}
