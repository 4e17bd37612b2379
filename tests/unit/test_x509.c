/* SPDX-License-Identifier: GPL-2.0-or-later
 * Certificate chains and revocation: each refusal beside the same chain without the defect. */
#include "tests/unit/pki.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/crypto.h"
#include "core/http.h"
#include "core/time.h"
#include "core/x509.h"

#define CRL_URL "http://crl.example/ca.crl"
#define OCSP_URL "http://ocsp.example/"
#define CRL_POINT "URI:" CRL_URL
#define ACCESS "OCSP;URI:" OCSP_URL

/* What stands at the two addresses. */
typedef struct world {
    fg_http_t http; /* first */
    X509_CRL *crl;  /* NULL: HTTP 404 */
    pki_ocsp_spec_t ocsp; /* without a signer: unreachable */
    unsigned crl_asked, ocsp_asked;
} world_t;

typedef struct fixture {
    test_env_t test;
    world_t world;
    char folder[64], paths[6][100];
    pki_t root, middle, leaf;
    fg_x509_options_t options;
    const char *ca_files[2], *crl_files[2], *middle_files[1];
    fg_x509_source_t sources[3];
    fg_x509_trust_t *trust;
    fg_err_t err;
} fixture_t;

static bool answer(fg_http_t *http, const fg_env_t *env, fg_arena_t *arena, const fg_http_request_t *request, fg_http_response_t *response, fg_err_t *err) {
    world_t *world = (world_t *)http;
    (void)env;
    *response = (fg_http_response_t){.status = 200, .url = request->url};
    if (fg_str_is(request->url, CRL_URL)) {
        unsigned char *der = NULL;
        world->crl_asked++;
        int length = world->crl ? i2d_X509_CRL(world->crl, &der) : 0;
        response->status = world->crl ? 200 : 404;
        response->body = fg_arena_str(arena, (fg_str_t){der ? (const char *)der : "", (size_t)length});
        OPENSSL_free(der);
        return true;
    }
    world->ocsp_asked++;
    assert_true(fg_str_is(request->url, OCSP_URL));
    assert_string_equal(request->method, "POST");
    if (world->ocsp.signer == NULL)
        return FG_FAIL(err, FG_E_FETCH_FAILED, "down");
    response->body = pki_ocsp(arena, request->body, &world->ocsp);
    return true;
}

static const char *path(fixture_t *f, int i, const char *name) {
    snprintf(f->paths[i], sizeof f->paths[i], "%s/%s", f->folder, name);
    return f->paths[i];
}

static int set_up(void **state) {
    static fixture_t f;
    memset(&f, 0, sizeof f);
    test_env_init(&f.test);
    snprintf(f.folder, sizeof f.folder, "/tmp/fedgate-x509-XXXXXX");
    if (mkdtemp(f.folder) == NULL || !fg_crypto_start())
        return -1;
    f.world.http.fetch = answer;
    f.test.env.http = &f.world.http;
    f.root = PKI(NULL, .cn = "Root", .basic = PKI_CA, .usage = "critical,keyCertSign,cRLSign");
    f.middle = PKI(&f.root, .cn = "Middle", .basic = PKI_CA, .usage = "critical,keyCertSign,cRLSign", .crl_point = CRL_POINT);
    f.leaf = PKI(&f.middle, .cn = "leaf", .usage = "critical,digitalSignature", .extended_usage = "clientAuth");
    f.ca_files[0] = path(&f, 0, "ca.pem");
    pki_write(f.ca_files[0], f.root.x509, NULL);
    f.options = (fg_x509_options_t){.name = "test", .ca_files = f.ca_files, .ca_count = 1, .sources = f.sources, .depth = 4, .crl_files = f.crl_files, .intermediate_files = f.middle_files};
    *state = &f;
    return 0;
}

static void load(fixture_t *f) {
    fg_x509_trust_free(f->trust);
    f->err = (fg_err_t)FG_ERR_INIT;
    f->trust = fg_x509_trust_new(&f->options, &f->test.env, &f->err);
    if (f->trust == NULL)
        fail_msg("%s", f->err.detail);
}

static int tear_down(void **state) {
    fixture_t *f = *state;
    fg_x509_trust_free(f->trust);
    pki_free(&f->root);
    pki_free(&f->middle);
    pki_free(&f->leaf);
    X509_CRL_free(f->world.crl);
    fg_crypto_stop();
    pid_t child = fork();
    if (child == 0) {
        execlp("rm", "rm", "-r", "--", f->folder, (char *)NULL);
        _exit(1);
    }
    return child < 0 || waitpid(child, NULL, 0) != child;
}

/* The verdict on a chain, the leaf first. */
#define VERDICT(f, purpose, ...) verdict((f), (purpose), (X509 *[]){__VA_ARGS__, NULL})
static fg_code_t verdict(fixture_t *f, fg_x509_purpose_t purpose, X509 **chain) {
    STACK_OF(X509) *more = sk_X509_new_null();
    for (size_t i = 1; chain[i] != NULL; i++)
        sk_X509_push(more, chain[i]);
    f->err = (fg_err_t)FG_ERR_INIT;
    bool ok = fg_x509_trust_verify(f->trust, &f->test.env, chain[0], more, purpose, &f->err);
    sk_X509_free(more);
    assert_int_equal(ok, f->err.code == FG_OK || f->err.code == FG_E_FETCH_FAILED);
    return ok ? FG_OK : f->err.code;
}
static fg_code_t client(fixture_t *f, const pki_t *leaf) { return VERDICT(f, FG_X509_CLIENT, leaf->x509, f->middle.x509); }

/* ---- paths */

static void a_chain_leads_to_a_trusted_certificate(void **state) {
    fixture_t *f = *state;
    load(f);
    assert_int_equal(client(f, &f->leaf), FG_OK);
    assert_int_equal(VERDICT(f, FG_X509_CLIENT, f->leaf.x509), FG_E_CERTIFICATE_UNTRUSTED); /* the one between is missing */
    f->options.intermediate_count = 1;
    f->middle_files[0] = path(f, 1, "middle.pem");
    pki_write(f->middle_files[0], f->middle.x509, NULL);
    load(f);
    assert_int_equal(VERDICT(f, FG_X509_CLIENT, f->leaf.x509), FG_OK);
    /* one that is not trusted by itself does not become so by lying there */
    pki_t stranger = PKI(NULL, .cn = "Stranger", .basic = PKI_CA), theirs = PKI(&stranger, .cn = "leaf");
    pki_write(f->middle_files[0], stranger.x509, NULL);
    load(f);
    assert_int_equal(VERDICT(f, FG_X509_CLIENT, theirs.x509, stranger.x509), FG_E_CERTIFICATE_UNTRUSTED);
    assert_int_equal(VERDICT(f, FG_X509_CLIENT, stranger.x509), FG_E_CERTIFICATE_UNTRUSTED);
    /* what is trusted need not be a root */
    pki_write(f->ca_files[0], f->middle.x509, NULL);
    load(f);
    assert_int_equal(VERDICT(f, FG_X509_CLIENT, f->leaf.x509), FG_OK);
    pki_free(&stranger);
    pki_free(&theirs);
}

typedef struct defect {
    const char *what;
    pki_spec_t leaf;
    fg_code_t client, signer;
} defect_t;

static void a_leaf_must_be_right(void **state) {
    fixture_t *f = *state;
    const defect_t rows[] = {
        {"as it should be", {.usage = "digitalSignature", .extended_usage = "clientAuth"}, FG_OK, FG_OK},
        {"for everything", {0}, FG_OK, FG_OK},
        {"expired", {.from = -30, .until = -1}, FG_E_CERTIFICATE_EXPIRED, FG_E_CERTIFICATE_EXPIRED},
        {"not yet valid", {.from = 1, .until = 30}, FG_E_CERTIFICATE_NOT_YET_VALID, FG_E_CERTIFICATE_NOT_YET_VALID},
        {"for servers", {.extended_usage = "serverAuth"}, FG_E_CERTIFICATE_PURPOSE, FG_OK},
        {"for encryption", {.usage = "critical,keyEncipherment"}, FG_E_CERTIFICATE_PURPOSE, FG_E_CERTIFICATE_PURPOSE},
        {"for key agreement", {.usage = "critical,keyAgreement"}, FG_E_CERTIFICATE_PURPOSE, FG_E_CERTIFICATE_PURPOSE},
        {"RSA 2048", {.rsa_bits = 2048}, FG_OK, FG_OK},
        {"RSA 1024", {.rsa_bits = 1024}, FG_E_CERTIFICATE_WEAK, FG_E_CERTIFICATE_WEAK},
        {"SHA-1", {.md = EVP_sha1()}, FG_E_CERTIFICATE_WEAK, FG_E_CERTIFICATE_WEAK},
        {"MD5", {.md = EVP_md5()}, FG_E_CERTIFICATE_WEAK, FG_E_CERTIFICATE_WEAK},
    };
    pki_t by_rsa = PKI(NULL, .cn = "Root", .basic = PKI_CA, .rsa_bits = 2048); /* ECDSA takes no MD5 */
    f->ca_files[1] = path(f, 2, "rsa.pem");
    f->options.ca_count = 2;
    pki_write(f->ca_files[1], by_rsa.x509, NULL);
    load(f);
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        pki_spec_t spec = rows[i].leaf;
        spec.cn = "leaf";
        pki_t leaf = pki_make(spec.md ? &by_rsa : &f->middle, &spec);
        fg_code_t a = client(f, &leaf), b = VERDICT(f, FG_X509_SIGNER, leaf.x509, f->middle.x509);
        if (a != rows[i].client || b != rows[i].signer)
            fail_msg("%s: %d, %d: %s", rows[i].what, a, b, f->err.detail);
        pki_free(&leaf);
    }
    pki_free(&by_rsa);
}

static void a_ca_must_be_one(void **state) {
    fixture_t *f = *state;
    const defect_t rows[] = {
        {"as it should be", {.basic = PKI_CA, .usage = "critical,keyCertSign"}, FG_OK, 0},
        {"without key usage", {.basic = PKI_CA}, FG_OK, 0},
        {"no CA", {.basic = "critical,CA:FALSE"}, FG_E_CERTIFICATE_UNTRUSTED, 0},
        {"says nothing", {0}, FG_E_CERTIFICATE_UNTRUSTED, 0},
        {"key usage alone", {.usage = "critical,keyCertSign"}, FG_E_CERTIFICATE_UNTRUSTED, 0},
        {"may not sign", {.basic = PKI_CA, .usage = "critical,digitalSignature"}, FG_E_CERTIFICATE_UNTRUSTED, 0},
        {"for servers only", {.basic = PKI_CA, .extended_usage = "serverAuth"}, FG_E_CERTIFICATE_PURPOSE, 0},
        {"expired", {.basic = PKI_CA, .from = -9, .until = -1}, FG_E_CERTIFICATE_EXPIRED, 0},
        {"SHA-1", {.basic = PKI_CA, .md = EVP_sha1()}, FG_E_CERTIFICATE_WEAK, 0},
        {"RSA 1024", {.basic = PKI_CA, .rsa_bits = 1024}, FG_E_CERTIFICATE_WEAK, 0},
        {"other names", {.basic = PKI_CA, .constraints = "critical,permitted;email:.example.org"}, FG_E_CERTIFICATE_UNTRUSTED, 0},
        {"this name", {.basic = PKI_CA, .constraints = "critical,permitted;email:.example.com"}, FG_OK, 0},
    };
    load(f);
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        pki_spec_t spec = rows[i].leaf;
        spec.cn = "Between";
        pki_t between = pki_make(&f->root, &spec), leaf = PKI(&between, .cn = "leaf", .names = "email:me@mail.example.com");
        fg_code_t code = VERDICT(f, FG_X509_CLIENT, leaf.x509, between.x509);
        if (code != rows[i].client)
            fail_msg("%s: %d: %s", rows[i].what, code, f->err.detail);
        pki_free(&between);
        pki_free(&leaf);
    }
}

static void chains_are_bounded(void **state) {
    fixture_t *f = *state;
    pki_t cas[4], leaf;
    static const char *const names[] = {"A", "B", "C", "D"};
    for (int i = 0; i < 4; i++)
        cas[i] = PKI(i ? &cas[i - 1] : &f->root, .cn = names[i], .basic = PKI_CA);
    leaf = PKI(&cas[3], .cn = "leaf");
    load(f);
    assert_int_equal(VERDICT(f, FG_X509_CLIENT, leaf.x509, cas[0].x509, cas[1].x509, cas[2].x509, cas[3].x509), FG_OK);
    f->options.depth = 3;
    assert_int_equal(VERDICT(f, FG_X509_CLIENT, leaf.x509, cas[0].x509, cas[1].x509, cas[2].x509, cas[3].x509), FG_E_CERTIFICATE_UNTRUSTED);
    X509 *many[13] = {f->leaf.x509, f->middle.x509};
    for (int i = 2; i < 12; i++)
        many[i] = f->middle.x509;
    assert_int_equal(verdict(f, FG_X509_CLIENT, many), FG_E_CERTIFICATE_UNTRUSTED);
    many[11] = NULL;
    assert_int_equal(verdict(f, FG_X509_CLIENT, many), FG_OK);
    for (int i = 0; i < 4; i++)
        pki_free(&cas[i]);
    pki_free(&leaf);
}

static void another_cas_certificate_with_the_same_names_is_refused(void **state) {
    fixture_t *f = *state;
    load(f);
    pki_t root = PKI(NULL, .cn = "Root", .basic = PKI_CA), middle = PKI(&root, .cn = "Middle", .basic = PKI_CA), leaf = PKI(&middle, .cn = "leaf");
    assert_int_equal(VERDICT(f, FG_X509_CLIENT, leaf.x509, middle.x509, root.x509), FG_E_CERTIFICATE_UNTRUSTED);
    assert_int_equal(client(f, &leaf), FG_E_CERTIFICATE_UNTRUSTED);
    assert_int_equal(client(f, &f->leaf), FG_OK);
    pki_free(&root);
    pki_free(&middle);
    pki_free(&leaf);
}

/* ---- CRLs of files */

static void put_crl(fixture_t *f, int i, const pki_t *issuer, const pki_crl_spec_t *spec) {
    X509_CRL *crl = pki_crl(issuer, spec);
    f->crl_files[i] = path(f, 3 + i, i ? "middle.crl" : "root.crl");
    pki_write_crl(f->crl_files[i], crl);
    X509_CRL_free(crl);
}

static void use(fixture_t *f, fg_x509_source_t a) {
    f->sources[0] = a;
    f->options.source_count = 1;
}

static void a_revoked_certificate_is_refused(void **state) {
    fixture_t *f = *state;
    use(f, FG_X509_CRL_FILES);
    f->options.crl_count = 2;
    put_crl(f, 0, &f->root, &(pki_crl_spec_t){0});
    put_crl(f, 1, &f->middle, &(pki_crl_spec_t){0});
    load(f);
    assert_int_equal(client(f, &f->leaf), FG_OK);
    put_crl(f, 1, &f->middle, &(pki_crl_spec_t){.revoked = f->leaf.x509});
    fg_x509_trust_refresh(f->trust, &f->test.env); /* the changed file is taken up */
    assert_int_equal(client(f, &f->leaf), FG_E_CERTIFICATE_REVOKED);
    put_crl(f, 1, &f->middle, &(pki_crl_spec_t){0});
    put_crl(f, 0, &f->root, &(pki_crl_spec_t){.revoked = f->middle.x509});
    fg_x509_trust_refresh(f->trust, &f->test.env);
    assert_int_equal(client(f, &f->leaf), FG_E_CERTIFICATE_REVOKED);
    f->options.source_count = 0; /* not asked */
    assert_int_equal(client(f, &f->leaf), FG_OK);
}

static void a_crl_that_does_not_tell_fails_closed(void **state) {
    fixture_t *f = *state;
    pki_t no_crls = PKI(&f->root, .cn = "Middle", .basic = PKI_CA, .usage = "critical,keyCertSign");
    const struct {
        const char *what;
        pki_crl_spec_t crl;
        const pki_t *signer;
        fg_code_t code;
    } rows[] = {
        {"as it should be", {0}, &f->middle, FG_OK},
        {"of another CA", {0}, &f->root, FG_E_CERTIFICATE_UNCHECKED},
        {"with another CA's key", {0}, &no_crls, FG_E_CERTIFICATE_UNCHECKED},
        {"expired", {.from = -9, .until = -1}, &f->middle, FG_E_CERTIFICATE_UNCHECKED},
        {"not yet valid", {.from = 1, .until = 9}, &f->middle, FG_E_CERTIFICATE_UNCHECKED},
        {"for CAs only", {.scope = "critical,onlyCA:TRUE"}, &f->middle, FG_E_CERTIFICATE_UNCHECKED},
        {"for users only", {.scope = "critical,onlyuser:TRUE"}, &f->middle, FG_OK},
        {"of another point", {.scope = "critical,fullname:URI:http://other.example/"}, &f->middle, FG_E_CERTIFICATE_UNCHECKED},
    };
    use(f, FG_X509_CRL_FILES);
    f->options.crl_count = 2;
    put_crl(f, 0, &f->root, &(pki_crl_spec_t){0});
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        put_crl(f, 1, rows[i].signer, &rows[i].crl);
        load(f);
        fg_code_t code = client(f, &f->leaf);
        if (code != rows[i].code)
            fail_msg("%s: %d: %s", rows[i].what, code, f->err.detail);
    }
    put_crl(f, 1, &f->middle, &(pki_crl_spec_t){0});
    f->options.crl_count = 1;
    load(f);
    assert_int_equal(client(f, &f->leaf), FG_E_CERTIFICATE_UNCHECKED); /* none for Middle */
    /* a CA that may not sign CRLs */
    pki_t leaf = PKI(&no_crls, .cn = "leaf");
    f->options.crl_count = 2;
    put_crl(f, 1, &no_crls, &(pki_crl_spec_t){0});
    load(f);
    assert_int_equal(VERDICT(f, FG_X509_CLIENT, leaf.x509, no_crls.x509), FG_E_CERTIFICATE_UNCHECKED);
    pki_free(&no_crls);
    pki_free(&leaf);
}

static void files_that_cannot_be_used_are_refused(void **state) {
    fixture_t *f = *state;
    f->options.crl_count = 1;
    put_crl(f, 0, &f->root, &(pki_crl_spec_t){.from = -1, .until = -9999});
    assert_null(fg_x509_trust_new(&f->options, &f->test.env, &f->err));
    assert_err(&f->err, FG_E_CONFIG);
    put_crl(f, 0, &f->root, &(pki_crl_spec_t){.md = EVP_sha1()});
    assert_null(fg_x509_trust_new(&f->options, &f->test.env, &f->err));
    put_crl(f, 0, &f->root, &(pki_crl_spec_t){0});
    load(f);
    /* and what was read last stays */
    FILE *file = fopen(f->ca_files[0], "w");
    fputs("nonsense", file);
    fclose(file);
    fg_x509_trust_refresh(f->trust, &f->test.env);
    assert_non_null(strstr(f->test.log, "what was read last stays"));
    assert_int_equal(client(f, &f->leaf), FG_OK);
    f->test.log[0] = '\0';
    fg_x509_trust_refresh(f->trust, &f->test.env); /* said once */
    assert_string_equal(f->test.log, "");
    assert_null(fg_x509_trust_new(&f->options, &f->test.env, &f->err));
    unlink(f->ca_files[0]);
    assert_null(fg_x509_trust_new(&f->options, &f->test.env, &f->err));
    assert_err(&f->err, FG_E_FILE);
    pki_t other = PKI(NULL, .cn = "Other", .basic = PKI_CA);
    pki_write(f->ca_files[0], other.x509, NULL);
    fg_x509_trust_refresh(f->trust, &f->test.env);
    assert_int_equal(client(f, &f->leaf), FG_E_CERTIFICATE_UNTRUSTED);
    pki_free(&other);
}

/* ---- fetched CRLs: Root is the issuer, so that one is enough */

static void serve(fixture_t *f, const pki_t *issuer, const pki_crl_spec_t *spec) {
    X509_CRL_free(f->world.crl);
    f->world.crl = spec ? pki_crl(issuer, spec) : NULL;
}

static void a_crl_is_fetched_and_kept(void **state) {
    fixture_t *f = *state;
    pki_t leaf = PKI(&f->root, .cn = "leaf", .crl_point = CRL_POINT), other = PKI(&f->root, .cn = "other", .crl_point = CRL_POINT), none = PKI(&f->root, .cn = "none");
    use(f, FG_X509_CRL_FETCHED);
    load(f);
    assert_int_equal(client(f, &leaf), FG_E_CERTIFICATE_UNCHECKED); /* 404 */
    serve(f, &f->root, &(pki_crl_spec_t){.revoked = other.x509});
    assert_int_equal(client(f, &leaf), FG_OK);
    assert_int_equal(client(f, &other), FG_E_CERTIFICATE_REVOKED);
    assert_int_equal(client(f, &none), FG_E_CERTIFICATE_UNCHECKED);
    assert_int_equal(f->world.crl_asked, 2); /* kept */
    /* a newer one after an hour; the old one holds if there is none */
    f->test.now_ms += FG_HOUR;
    serve(f, NULL, NULL);
    assert_int_equal(client(f, &leaf), FG_OK);
    serve(f, &f->middle, &(pki_crl_spec_t){0}); /* somebody else's does not take its place */
    assert_int_equal(client(f, &leaf), FG_OK);
    serve(f, &f->root, &(pki_crl_spec_t){.revoked = leaf.x509});
    assert_int_equal(client(f, &leaf), FG_E_CERTIFICATE_REVOKED);
    serve(f, NULL, NULL);
    f->test.now_ms = TEST_NOW + 8 * FG_DAY; /* beyond its nextUpdate */
    assert_int_equal(client(f, &leaf), FG_E_CERTIFICATE_UNCHECKED);
    serve(f, &f->root, &(pki_crl_spec_t){.until = 9, .from = -1, .md = EVP_sha1()});
    assert_int_equal(client(f, &leaf), FG_E_CERTIFICATE_UNCHECKED);
    serve(f, &f->root, &(pki_crl_spec_t){.until = 9, .from = -1});
    assert_int_equal(client(f, &leaf), FG_OK);
    pki_free(&leaf);
    pki_free(&other);
    pki_free(&none);
}

/* ---- OCSP */

static void an_ocsp_answer_must_be_right(void **state) {
    fixture_t *f = *state;
    const pki_t *root = &f->root;
    pki_t leaf = PKI(root, .cn = "leaf", .access = ACCESS), sibling = PKI(root, .cn = "sibling");
    pki_t delegate = PKI(root, .cn = "OCSP", .extended_usage = "OCSPSigning"), late = PKI(root, .cn = "OCSP", .extended_usage = "OCSPSigning", .from = -9, .until = -1);
    pki_t nobody = PKI(root, .cn = "OCSP"), strange_ca = PKI(NULL, .cn = "Root", .basic = PKI_CA), stranger = PKI(&strange_ca, .cn = "OCSP", .extended_usage = "OCSPSigning");
    pki_t further = PKI(&f->middle, .cn = "OCSP", .extended_usage = "OCSPSigning");
    const struct {
        const char *what;
        pki_ocsp_spec_t ocsp;
        fg_code_t code;
    } rows[] = {
        {"of the issuer", {.signer = root}, FG_OK},
        {"of its responder", {.signer = &delegate, .with_certificate = true}, FG_OK},
        {"revoked", {.signer = root, .status = V_OCSP_CERTSTATUS_REVOKED}, FG_E_CERTIFICATE_REVOKED},
        {"unknown", {.signer = root, .status = V_OCSP_CERTSTATUS_UNKNOWN}, FG_E_CERTIFICATE_UNCHECKED},
        {"without nonce, of now", {.signer = root, .nonce = PKI_NONCE_NONE}, FG_OK},
        {"another nonce", {.signer = root, .nonce = PKI_NONCE_OTHER}, FG_E_CERTIFICATE_UNCHECKED},
        {"expired", {.signer = root, .from = -2, .until = -1}, FG_E_CERTIFICATE_UNCHECKED},
        {"not yet valid", {.signer = root, .from = 1, .until = 2}, FG_E_CERTIFICATE_UNCHECKED},
        {"old, without nextUpdate and nonce", {.signer = root, .from = -1, .until = -9999, .nonce = PKI_NONCE_NONE}, FG_E_CERTIFICATE_UNCHECKED},
        {"without nextUpdate, our nonce", {.signer = root, .from = -1, .until = -9999}, FG_OK},
        {"about another certificate", {.signer = root, .instead_of = sibling.x509, .instead_issuer = f->root.x509}, FG_E_CERTIFICATE_UNCHECKED},
        {"the responder's certificate is not there", {.signer = &delegate}, FG_E_CERTIFICATE_UNCHECKED},
        {"without id-kp-OCSPSigning", {.signer = &nobody, .with_certificate = true}, FG_E_CERTIFICATE_UNCHECKED},
        {"of the certificate itself", {.signer = &leaf, .with_certificate = true}, FG_E_CERTIFICATE_UNCHECKED},
        {"expired responder", {.signer = &late, .with_certificate = true}, FG_E_CERTIFICATE_UNCHECKED},
        {"another CA's responder", {.signer = &stranger, .with_certificate = true}, FG_E_CERTIFICATE_UNCHECKED},
        {"a lower CA's responder", {.signer = &further, .with_certificate = true}, FG_E_CERTIFICATE_UNCHECKED},
        {"another CA of that name", {.signer = &strange_ca, .with_certificate = true}, FG_E_CERTIFICATE_UNCHECKED},
        {"SHA-1", {.signer = root, .md = EVP_sha1()}, FG_E_CERTIFICATE_UNCHECKED},
        {"down", {0}, FG_E_CERTIFICATE_UNCHECKED},
    };
    use(f, FG_X509_OCSP);
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        load(f); /* which forgets */
        f->world.ocsp = rows[i].ocsp;
        fg_code_t code = client(f, &leaf);
        if (code != rows[i].code)
            fail_msg("%s: %d: %s", rows[i].what, code, f->err.detail);
    }
    load(f);
    f->world.ocsp = rows[0].ocsp;
    assert_int_equal(client(f, &sibling), FG_E_CERTIFICATE_UNCHECKED); /* names no responder */
    pki_t *all[] = {&leaf, &sibling, &delegate, &late, &nobody, &strange_ca, &stranger, &further};
    for (size_t i = 0; i < FG_ARRAY_SIZE(all); i++)
        pki_free(all[i]);
}

static void an_ocsp_answer_is_kept_until_its_next_update(void **state) {
    fixture_t *f = *state;
    pki_t leaf = PKI(&f->root, .cn = "leaf", .access = ACCESS);
    use(f, FG_X509_OCSP);
    load(f);
    f->world.ocsp = (pki_ocsp_spec_t){.signer = &f->root, .from = -1, .until = 1};
    for (int i = 0; i < 3; i++)
        assert_int_equal(client(f, &leaf), FG_OK);
    assert_int_equal(f->world.ocsp_asked, 1);
    f->world.ocsp.status = V_OCSP_CERTSTATUS_REVOKED;
    f->test.now_ms += FG_DAY - 1;
    assert_int_equal(client(f, &leaf), FG_OK);
    f->test.now_ms += 1;
    f->world.ocsp.until = 2;
    assert_int_equal(client(f, &leaf), FG_E_CERTIFICATE_REVOKED);
    assert_int_equal(client(f, &leaf), FG_E_CERTIFICATE_REVOKED);
    assert_int_equal(f->world.ocsp_asked, 2);
    pki_free(&leaf);
}

static void sources_are_asked_in_their_order(void **state) {
    fixture_t *f = *state;
    pki_t leaf = PKI(&f->root, .cn = "leaf", .access = ACCESS, .crl_point = CRL_POINT);
    use(f, FG_X509_OCSP);
    f->sources[1] = FG_X509_CRL_FETCHED;
    f->options.source_count = 2;
    load(f);
    assert_int_equal(client(f, &leaf), FG_E_CERTIFICATE_UNCHECKED);
    assert_non_null(strstr(f->err.detail, "down"));
    assert_non_null(strstr(f->err.detail, "404"));
    serve(f, &f->root, &(pki_crl_spec_t){0});
    assert_int_equal(client(f, &leaf), FG_OK);
    f->world.ocsp = (pki_ocsp_spec_t){.signer = &f->root, .status = V_OCSP_CERTSTATUS_REVOKED};
    assert_int_equal(client(f, &leaf), FG_E_CERTIFICATE_REVOKED);
    pki_free(&leaf);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_chain_leads_to_a_trusted_certificate),
        TEST(a_leaf_must_be_right),
        TEST(a_ca_must_be_one),
        TEST(chains_are_bounded),
        TEST(another_cas_certificate_with_the_same_names_is_refused),
        TEST(a_revoked_certificate_is_refused),
        TEST(a_crl_that_does_not_tell_fails_closed),
        TEST(files_that_cannot_be_used_are_refused),
        TEST(a_crl_is_fetched_and_kept),
        TEST(an_ocsp_answer_must_be_right),
        TEST(an_ocsp_answer_is_kept_until_its_next_update),
        TEST(sources_are_asked_in_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
