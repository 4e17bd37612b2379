/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/wss_world.h"

#include <openssl/pem.h>
#include <unistd.h>

#include "hub/store.h"

#define STORE_SIZE (1u << 20)

world_t world;

/* ---- set-up */

static fg_key_t *key_of(const pki_t *pair) {
    fg_err_t err = FG_ERR_INIT;
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    PEM_write_bio_X509(bio, pair->x509);
    PEM_write_bio_PKCS8PrivateKey(bio, pair->key, NULL, NULL, 0, NULL, NULL);
    long length = BIO_get_mem_data(bio, &text);
    fg_key_t *key = fg_key_from_pem((fg_str_t){text, (size_t)length}, &err);
    BIO_free(bio);
    assert_non_null(key);
    return key;
}

static void make_pki(void) {
    world.ca = PKI(NULL, .cn = "CA", .basic = PKI_CA, .usage = "critical,keyCertSign");
    world.client_pair = PKI(&world.ca, .cn = "client", .rsa_bits = 2048, .extended_usage = "clientAuth");
    world.other_pair = PKI(&world.ca, .cn = "other", .rsa_bits = 2048, .extended_usage = "clientAuth");
    world.stranger_pair = PKI(NULL, .cn = "client", .rsa_bits = 2048);
    world.client = key_of(&world.client_pair);
    world.other = key_of(&world.other_pair);
    world.stranger = key_of(&world.stranger_pair);
    snprintf(world.ca_path, sizeof world.ca_path, "/tmp/fedgate-wss-%d.pem", (int)getpid());
    pki_write(world.ca_path, world.ca.x509, NULL);
}

static fg_key_t *generate(const char *name) {
    return test_key(FG_KEY_RSA_2048, name, TEST_NOW - FG_DAY, TEST_NOW + 30 * FG_DAY);
}

int world_start(void **state) {
    fg_err_t err = FG_ERR_INIT;
    (void)state;
    if (!fg_crypto_start() || !fg_xml_start(&err))
        return -1;
    make_pki();
    world.signing = generate("signing");
    world.encryption = generate("encryption");
    world.idp = generate("idp");
    memset(world.secret, 's', sizeof world.secret);
    world.store_memory = aligned_alloc(4096, STORE_SIZE);
    return world.signing != NULL && world.idp != NULL ? 0 : -1;
}

int world_stop(void **state) {
    (void)state;
    fg_key_t *const keys[] = {world.client, world.other, world.stranger, world.signing, world.encryption, world.idp};
    pki_t *const pairs[] = {&world.ca, &world.client_pair, &world.other_pair, &world.stranger_pair};
    for (size_t i = 0; i < FG_ARRAY_SIZE(keys); i++)
        fg_key_unref(keys[i]);
    for (size_t i = 0; i < FG_ARRAY_SIZE(pairs); i++)
        pki_free(pairs[i]);
    free(world.store_memory);
    unlink(world.ca_path);
    fg_crypto_stop();
    return 0;
}

void world_forget(fixture_t *f) {
    fg_err_t err = FG_ERR_INIT;
    fg_store_close(f->test.env.store);
    f->test.env.store = fg_store_open(world.store_memory, STORE_SIZE, false, &err);
    assert_non_null(f->test.env.store);
}

static void fill_realms(void) {
    world.provider_keys[0] = world.idp;
    world.vouchers[0] = world.other;
    world.provider = (fg_identity_provider_t){.name = "idp", .issuer = FG_STR(IDP), .keys = world.provider_keys};
    world.provider.key_count = 1;
    world.provider.vouchers = world.vouchers;
    world.realms[0] = (fg_home_realm_t){.uri = FG_STR("urn:certificates"), .certificates = world.trust};
    world.realms[1] = (fg_home_realm_t){.uri = FG_STR(IDP), .identity_provider = &world.provider};
    world.partners[0] = (fg_partner_t){.name = "rp", .encryption_key = world.client};
}

int world_refill(void **state) {
    static fixture_t f;
    fg_err_t err = FG_ERR_INIT;
    memset(&f, 0, sizeof f);
    test_env_init(&f.test);
    f.test.env.store = fg_store_open(world.store_memory, STORE_SIZE, false, &err);
    world.ca_files[0] = world.ca_path;
    world.options = (fg_x509_options_t){.name = "clients", .ca_files = world.ca_files, .ca_count = 1, .depth = 3};
    world.trust = fg_x509_trust_new(&world.options, &f.test.env, &err);
    if (world.trust == NULL)
        fail_msg("%s", err.detail);
    fill_realms();
    world.keys = (fg_keys_t){.signing = {world.signing}, .encryption = {world.encryption}};
    f.hub = (fg_hub_t){.base_url = FG_STR(BASE_URL),
                       .host = FG_STR("fs.example.com"),
                       .entity_id = FG_STR("http://fs.example.com/adfs/services/trust"),
                       .skew_ms = 180 * FG_SECOND,
                       .body_max = 256 * 1024,
                       .xml = fg_xml_default_limits,
                       .render = no_pages,
                       .home_realms = world.realms,
                       .home_realm_count = 2,
                       .partners = world.partners,
                       .partner_count = 1};
    *state = &f;
    return 0;
}

int world_end(void **state) {
    fixture_t *f = *state;
    exchange_end(f);
    fg_x509_trust_free(world.trust);
    fg_store_close(f->test.env.store);
    return 0;
}

/* ---- drafts */

draft_t world_draft(fixture_t *f, fg_sts_endpoint_index_t index) {
    const fg_sts_endpoint_t *endpoint = &fg_sts_endpoint_table[index];
    return (draft_t){.env = &f->test.env,
                     .path = endpoint->path,
                     .trust = endpoint->trust,
                     .parts = DRAFT_TIMESTAMP | DRAFT_TO,
                     .recipient = world.encryption};
}

/* By a certificate, at certificatemixed. */
draft_t world_certificate_draft(fixture_t *f) {
    draft_t draft = world_draft(f, FG_STS_13_CERTIFICATE);
    draft.covered = DRAFT_TIMESTAMP | DRAFT_TO;
    draft.key = world.client;
    return draft;
}

draft_t world_message_draft(fixture_t *f) {
    draft_t draft = world_draft(f, FG_STS_13_MESSAGE);
    draft.covered = DRAFT_TIMESTAMP | DRAFT_BODY | DRAFT_ADDRESSING;
    draft.key = world.client;
    draft.encrypted = DRAFT_BODY;
    return draft;
}

fg_str_t world_assertion(fg_confirmation_t confirmation, fg_saml_version_t version) {
    draft_assertion_t wanted = {.version = version, .issuer = IDP, .audience = BASE_URL, .issuer_key = world.idp};
    wanted.confirmation = confirmation;
    return draft_assertion(&wanted);
}

fg_str_t world_symmetric_assertion(fg_saml_version_t version) {
    const draft_assertion_t wanted = {
        .version = version,
        .issuer = IDP,
        .audience = BASE_URL,
        .issuer_key = world.idp,
        .confirmation = FG_CONFIRM_HOLDER_OF_KEY,
        .proof_secret = {(const char *)world.secret, sizeof world.secret},
        .recipient = world.encryption,
    };
    return draft_assertion(&wanted);
}

fg_str_t world_public_assertion(fg_saml_version_t version, const fg_key_t *proof) {
    const draft_assertion_t wanted = {
        .version = version,
        .issuer = IDP,
        .audience = BASE_URL,
        .issuer_key = world.idp,
        .confirmation = FG_CONFIRM_HOLDER_OF_KEY,
        .proof_key = proof,
    };
    return draft_assertion(&wanted);
}

draft_t world_symmetric_draft(fixture_t *f, fg_sts_endpoint_index_t index) {
    draft_t draft = world_draft(f, index);
    draft.parts |= DRAFT_SAML;
    draft.assertion = world_symmetric_assertion(FG_SAML_20);
    draft.saml = FG_SAML_20;
    draft.covered = DRAFT_TIMESTAMP | DRAFT_TO;
    draft.secret = (fg_str_t){(const char *)world.secret, sizeof world.secret};
    draft.naming = DRAFT_ASSERTION;
    return draft;
}

draft_t world_public_draft(fixture_t *f, fg_sts_endpoint_index_t index) {
    draft_t draft = world_draft(f, index);
    draft.parts |= DRAFT_SAML;
    draft.assertion = world_public_assertion(FG_SAML_20, world.other);
    draft.saml = FG_SAML_20;
    draft.covered = DRAFT_TIMESTAMP | DRAFT_TO;
    draft.key = world.other;
    draft.naming = DRAFT_ASSERTION;
    return draft;
}

void world_connect(fg_exchange_t *ex, const fg_key_t *key) {
    static char pem[16384];
    fg_buf_t out = FG_BUF_INIT(sizeof pem);
    fg_buf_puts(&out, "-----BEGIN CERTIFICATE-----\n");
    fg_buf_put_str(&out, fg_key_get_certificate_base64(key));
    fg_buf_puts(&out, "\n-----END CERTIFICATE-----\n");
    memcpy(pem, out.data, out.length);
    ex->request.client_certificate = (fg_str_t){pem, out.length};
    fg_buf_free(&out);
}
