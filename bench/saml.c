/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * CPU time of one sign-on by SAML 2.0 as identity provider: a signed AuthnRequest by Redirect comes in, the browser has
 * a session, the page with the signed Response goes out.  Beside it, in the same run and interleaved round by round:
 * one bare OpenSSL signature with the same key, and liblasso verifying such a request and making such a Response (no
 * session, no claims, no page).  The medians are shown.  make bench; bench/saml PAGES [ROUNDS] */
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "bench/saml_lasso.h"
#include "bridges/saml/saml.h"
#include "core/crypto.h"
#include "core/deflate.h"
#include "core/time.h"
#include "core/xml.h"
#include "gateway/pages.h"
#include "hub/session.h"
#include "hub/store.h"

#define NOW INT64_C(1767225600000)
#define MOST_ROUNDS 201
#define COUNT 40     /* per round */
#define PARTNERS 64u /* in turn: many for one would look like a loop */
#define STORE_SIZE (4u << 20)
#define BASE "https://gw.example.test"

static const char *const types[] = {FG_CLAIM_NAME,      FG_CLAIM_UPN,     FG_CLAIM_EMAIL,
                                    FG_CLAIM_GIVENNAME, FG_CLAIM_SURNAME, FG_CLAIM_ROLE};

static struct {
    fg_hub_t hub;
    fg_keys_t keys;
    fg_env_t env;
    fg_key_t *theirs;
    fg_saml_party_t parties[PARTNERS];
    fg_partner_t partners[PARTNERS];
    fg_realm_entry_t index[PARTNERS];
    fg_str_t realms[PARTNERS];
    char *queries[PARTNERS];
    fg_header_t cookie;
    int64_t now_ms;
    unsigned turn;
} b;

static void die(const char *what, const fg_err_t *err) {
    fprintf(stderr, "saml: %s %s\n", what, err ? err->detail : "");
    exit(1);
}

static int64_t now(const fg_env_t *env) {
    (void)env;
    return b.now_ms;
}

static bool random_bytes(const fg_env_t *env, unsigned char *out, size_t n) {
    (void)env;
    return getrandom(out, n, 0) == (ssize_t)n;
}

static void log_line(const fg_env_t *env, fg_log_level_t level, const char *message) {
    (void)env, (void)level, (void)message;
}

/* ---- what is there */

static char *make_query(unsigned i) {
    fg_err_t err = FG_ERR_INIT;
    char *xml;
    fg_buf_t deflated = FG_BUF_INIT(1u << 16), text = FG_BUF_INIT(1u << 16), query = FG_BUF_INIT(1u << 16);
    fg_buf_t value = FG_BUF_INIT(1024), encoded = FG_BUF_INIT(1024);
    if (asprintf(
            &xml,
            "<samlp:AuthnRequest xmlns:samlp=\"" FG_NS_SAML2P
            "\" AssertionConsumerServiceURL=\"https://sp.example.test/acs\" Destination=\"" BASE FG_SAML_PATH
            "\" ID=\"_%u\" IssueInstant=\"2026-01-01T00:00:00Z\" Version=\"2.0\"><saml:Issuer xmlns:saml=\"" FG_NS_SAML2
            "\">%s</saml:Issuer><samlp:NameIDPolicy AllowCreate=\"true\"/></samlp:AuthnRequest>",
            i, b.realms[i].p) < 0 ||
        !fg_deflate(fg_str(xml), &deflated))
        die("a request", NULL);
    fg_base64_encode(&text, deflated.data, deflated.length);
    fg_uri_put_param(&query, FG_STR("SAMLRequest"), fg_buf_str(&text));
    fg_uri_put_param(&query, FG_STR("RelayState"), FG_STR("state"));
    fg_uri_put_param(&query, FG_STR("SigAlg"), fg_str(fg_key_get_signature_uri(b.theirs)));
    if (!fg_key_sign(b.theirs, (fg_str_t){query.data + 1, query.length - 1}, &value, &err))
        die("a signature", &err);
    fg_base64_encode(&encoded, value.data, value.length);
    fg_uri_put_param(&query, FG_STR("Signature"), fg_buf_str(&encoded));
    char *made = strdup(query.data + 1); /* without the '?' */
    free(xml);
    fg_buf_free(&deflated), fg_buf_free(&text), fg_buf_free(&query), fg_buf_free(&value), fg_buf_free(&encoded);
    return made;
}

static void make_partner(unsigned i) {
    char *realm;
    if (asprintf(&realm, "https://sp%u.example.test/metadata", i) < 0)
        die("a partner", NULL);
    b.realms[i] = fg_str(realm);
    b.parties[i] = (fg_saml_party_t){
        .role = FG_SAML_SERVICE_PROVIDER,
        .entity_id = b.realms[i],
        .endpoints = {{FG_SAML_ASSERTION_CONSUMER, FG_SAML_POST, FG_STR("https://sp.example.test/acs"),
                       FG_STR("https://sp.example.test/acs"), 0, true}},
        .endpoint_count = 1,
        .keys = {.items = {b.theirs}, .count = 1},
        .signs_requests = true,
    };
    b.partners[i] = (fg_partner_t){
        .name = realm,
        .display_name = realm,
        .realms = &b.realms[i],
        .realm_count = 1,
        .token_lifetime_ms = FG_HOUR,
        .name_id_claim = FG_CLAIM_UPN,
        .claim_types = types,
        .claim_type_count = FG_ARRAY_SIZE(types),
        .saml = &b.parties[i],
    };
    b.index[i] = (fg_realm_entry_t){b.realms[i], &b.partners[i]};
    b.queries[i] = make_query(i);
}

static fg_exchange_t *begin(const char *query) {
    fg_arena_t *arena = fg_arena_new(0);
    fg_exchange_t *ex = arena ? fg_arena_alloc(arena, sizeof *ex) : NULL;
    if (ex == NULL)
        die("memory", NULL);
    *ex = (fg_exchange_t){.env = &b.env, .hub = &b.hub, .arena = arena, .keys = &b.keys, .now_ms = b.now_ms};
    fg_buf_init(&ex->response.body, 1u << 20);
    ex->audit_end = &ex->audit;
    ex->request = (fg_request_t){.method = FG_METHOD_GET, .https = true, .host = FG_STR("gw.example.test")};
    ex->request.path = FG_STR(FG_SAML_PATH);
    ex->request.query = fg_str(query);
    ex->request.headers = &b.cookie;
    ex->request.header_count = b.cookie.value.n ? 1 : 0;
    ex->request.client_address = FG_STR("192.0.2.1");
    if (!fg_exchange_ensure_id(ex))
        die("an id", NULL);
    return ex;
}

static void end(fg_exchange_t *ex) {
    fg_buf_free(&ex->response.body);
    fg_arena_free(ex->arena);
}

/* Someone signed in: the Cookie header of the browser. */
static void make_session(void) {
    fg_exchange_t *ex = begin("");
    fg_err_t err = FG_ERR_INIT;
    fg_identity_t identity = {
        .issuer = FG_STR("staff"), .auth_method = FG_STR(FG_AUTH_PASSWORD), .auth_instant_ms = NOW};
    fg_session_t session;
    bool made = true;
    for (size_t i = 0; i < FG_ARRAY_SIZE(types); i++)
        made = made && fg_claims_put(ex->arena, &identity.claims, types[i], FG_STR("alice@example.test"));
    if (!made || !fg_session_begin(ex, &identity, FG_STR("urn:staff"), &session, &err) ||
        !fg_session_save(ex, &session, &err))
        die("a session", &err);
    fg_buf_t line = FG_BUF_INIT(1u << 16);
    for (size_t i = 0; i < ex->response.header_count; i++) {
        fg_str_t value = ex->response.headers[i].value;
        const char *stop = memchr(value.p, ';', value.n);
        if (!fg_str_is(ex->response.headers[i].name, "Set-Cookie") || strstr(value.p, "Max-Age=0") != NULL)
            continue;
        fg_buf_puts(&line, line.length ? "; " : "");
        fg_buf_add(&line, value.p, stop ? (size_t)(stop - value.p) : value.n);
    }
    b.cookie = (fg_header_t){FG_STR("Cookie"), fg_str(strdup(line.data))};
    fg_buf_free(&line);
    end(ex);
}

static void make_world(const char *pages) {
    fg_err_t err = FG_ERR_INIT;
    void *memory;
    b.now_ms = NOW;
    b.env = (fg_env_t){.now_ms = now, .random = random_bytes, .log = log_line};
    if (posix_memalign(&memory, 4096, STORE_SIZE) != 0 ||
        (b.env.store = fg_store_open(memory, STORE_SIZE, false, &err)) == NULL)
        die("the store", &err);
    b.keys.signing[FG_KEY_ACTIVE] = fg_key_generate(FG_KEY_RSA_2048, "ours", NOW, NOW + FG_DAY, &err);
    b.theirs = fg_key_generate(FG_KEY_RSA_2048, "theirs", NOW, NOW + FG_DAY, &err);
    if (b.keys.signing[FG_KEY_ACTIVE] == NULL || b.theirs == NULL)
        die("keys", &err);
    b.keys.sealing_count = 1;
    memset(&b.keys.sealing[0], 7, sizeof b.keys.sealing[0]);
    static fg_directory_t staff = {.name = "staff"};
    static fg_home_realm_t realm;
    realm = (fg_home_realm_t){.uri = FG_STR("urn:staff"), .display_name = "Staff", .directory = &staff};
    b.hub = (fg_hub_t){
        .base_url = FG_STR(BASE),
        .host = FG_STR("gw.example.test"),
        .entity_id = FG_STR("http://gw.example.test/adfs/services/trust"),
        .organisation = "Bench",
        .colour = "#005a9c",
        .partners = b.partners,
        .partner_count = PARTNERS,
        .realm_index = b.index,
        .realm_count = PARTNERS,
        .home_realms = &realm,
        .home_realm_count = 1,
        .skew_ms = 3 * FG_MINUTE,
        .session_idle_ms = FG_HOUR,
        .session_absolute_ms = 8 * FG_HOUR,
        .body_max = 256 * 1024,
        .xml = fg_xml_default_limits,
        .render = fg_pages_render,
    };
    b.hub.pages = fg_pages_load(pages, &err);
    if (b.hub.pages == NULL)
        die("pages", &err);
    for (unsigned i = 0; i < PARTNERS; i++)
        make_partner(i);
    qsort(b.index, PARTNERS, sizeof b.index[0], fg_realm_entry_compare);
    make_session();
}

/* ---- what is measured */

static bool sign_bare(void) {
    static const unsigned char data[760] = {0};
    unsigned char signature[1024];
    size_t length = sizeof signature;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok =
        EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, fg_key_get_pkey(b.keys.signing[FG_KEY_ACTIVE])) == 1 &&
        EVP_DigestSign(context, signature, &length, data, sizeof data) == 1;
    EVP_MD_CTX_free(context);
    return ok;
}

static fg_handler_t find_handler(const char *path) {
    for (size_t i = 0; i < fg_saml_protocol.endpoint_count; i++)
        if (strcmp(fg_saml_protocol.endpoints[i].path, path) == 0)
            return fg_saml_protocol.endpoints[i].handle;
    die("no such endpoint", NULL);
    return NULL;
}

static bool sign_on(void) {
    static fg_handler_t handle;
    handle = handle ? handle : find_handler(FG_SAML_PATH);
    b.now_ms += 100;
    fg_exchange_t *ex = begin(b.queries[b.turn++ % PARTNERS]);
    bool ok = handle(ex) == FG_STEP_DONE && ex->response.status == 200 &&
              memmem(ex->response.body.data, ex->response.body.length, "SAMLResponse", 12) != NULL;
    if (!ok)
        fprintf(stderr, "%.*s\n", (int)ex->response.body.length, ex->response.body.data);
    end(ex);
    return ok;
}

static double microseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double time_round(bool (*work)(void)) {
    double start = microseconds();
    for (unsigned i = 0; i < COUNT; i++)
        if (!work())
            die("a round failed", NULL);
    return (microseconds() - start) / COUNT;
}

static int by_value(const void *x, const void *y) {
    double p = *(const double *)x, q = *(const double *)y;
    return (p > q) - (p < q);
}

static double median(double *values, size_t count) {
    qsort(values, count, sizeof *values, by_value);
    return values[count / 2];
}

int main(int argc, char **argv) {
    static double bare[MOST_ROUNDS], ours[MOST_ROUNDS], theirs[MOST_ROUNDS];
    fg_err_t err = FG_ERR_INIT;
    size_t rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 31;
    if (argc < 2 || rounds < 1 || rounds > MOST_ROUNDS || !fg_crypto_start() || !fg_xml_start(&err))
        return 2;
    make_world(argv[1]);
    bool lasso = saml_lasso_start(b.keys.signing[FG_KEY_ACTIVE], b.theirs);
    for (size_t i = 0; i < rounds; i++) {
        bare[i] = time_round(sign_bare);
        ours[i] = time_round(sign_on);
        theirs[i] = lasso ? time_round(saml_lasso_answer) : 0;
    }
    double one = median(bare, rounds), own = median(ours, rounds), other = median(theirs, rounds);
    printf("SAML 2.0 sign-on, rsa-2048, request verified and Response made  (medians of %zu rounds)\n", rounds);
    printf("%-36s %9.1f us\n", "signature", one);
    printf("%-36s %9.1f us  %5.2fx\n", "sign-on with a session", own, own / one);
    if (lasso)
        printf("%-36s %9.1f us  %5.2fx, %.1f times as much as ours\n", "liblasso, the messages alone", other,
               other / one, other / own);
    else
        puts("liblasso is not here");
    saml_lasso_stop();
    return 0;
}
