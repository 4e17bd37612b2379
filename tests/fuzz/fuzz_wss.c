/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A message's Security header.  The key below is that of its issuer, of its sender and ours, so that the seeds are good
 * and everything behind signatures and encryption is reached.  Besides memory errors it looks for results that do not
 * hang together: something covered, decrypted or named that is not in the document. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "core/crypto.h"
#include "token/wss.h"

static const char pem[] = "-----BEGIN CERTIFICATE-----\n"
                          "MIIDATCCAemgAwIBAgIUa1cue2zdl2qD7ZhEapWTAtdwtNUwDQYJKoZIhvcNAQEL\n"
                          "BQAwDzENMAsGA1UEAwwEZnV6ejAgFw0yNjExMjgwMjM5MDJaGA8yMTAwMTAzMTAy\n"
                          "MzkwMlowDzENMAsGA1UEAwwEZnV6ejCCASIwDQYJKoZIhvcNAQEBBQADggEPADCC\n"
                          "AQoCggEBALzs7/9AGQBOedd89OFH5AEXG8eJ4RP5MUrrvdzVmtTq6QFzgoeE+rbm\n"
                          "yLBHlVwBLIgb6SJuzrGzLRkcXvNepJmJUuF0Hd9qfxJfm12Fq4B4Oe5E2NIj27Rv\n"
                          "KWPodVSAY0Vl7S9s4p4IKx8HvRLmASRcgbSLyQNKLf4W9zID6QbnoqWQgvf8rTxk\n"
                          "G7+rkXEPAbAK1KDI8RY1yV8btqY2eDRrksQpMSiYyNCMrlR3CVtxRhIvmQAXnC7M\n"
                          "zxgcyxKahH7VI9FXl0W2CaZ3ie6exucxkwvMiSMXXqvAmfwFNvpStJyTU3d8s6cx\n"
                          "bMLNWDm2HIlk5zdQmKdFZLqGnvp5iBUCAwEAAaNTMFEwHQYDVR0OBBYEFHNWhGAo\n"
                          "yuMwyMmBNnYs3YqcV4CzMB8GA1UdIwQYMBaAFHNWhGAoyuMwyMmBNnYs3YqcV4Cz\n"
                          "MA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQADggEBAIJLXlRgoxasnGb8\n"
                          "k2QTqW/nmDC2pQDn43TjlClxWx9yI5tZZHrUa3g2y/+S9NsIuJwplQYj8Ol8sdzd\n"
                          "jDvJ27u/ZZiKo6mCuhscyoGJRyyNfaESc6sUqWsFabcx6qi8mUhhOIy0BojZRSJZ\n"
                          "H6Y+bVXGRTtu5YYDpxyJNdv9bjZWKEsUI/FVCqgK046s/pUgG4RemzWBmC3dkf0E\n"
                          "6GpDh5jvjuKkkV0+kUS1N+UE7FFKYW78HhcYc6q8hRL0/e2cqiUuP52HU5sllV5s\n"
                          "feMrpWHaHm6LYnOZVyEmPla9uCi/OjOmyRuyvZZZA7R0+PxEiYYlYEj7ckgR1VV3\n"
                          "zZvQmNc=\n"
                          "-----END CERTIFICATE-----\n"
                          "-----BEGIN PRIVATE KEY-----\n"
                          "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC87O//QBkATnnX\n"
                          "fPThR+QBFxvHieET+TFK673c1ZrU6ukBc4KHhPq25siwR5VcASyIG+kibs6xsy0Z\n"
                          "HF7zXqSZiVLhdB3fan8SX5tdhauAeDnuRNjSI9u0bylj6HVUgGNFZe0vbOKeCCsf\n"
                          "B70S5gEkXIG0i8kDSi3+FvcyA+kG56KlkIL3/K08ZBu/q5FxDwGwCtSgyPEWNclf\n"
                          "G7amNng0a5LEKTEomMjQjK5UdwlbcUYSL5kAF5wuzM8YHMsSmoR+1SPRV5dFtgmm\n"
                          "d4nunsbnMZMLzIkjF16rwJn8BTb6UrSck1N3fLOnMWzCzVg5thyJZOc3UJinRWS6\n"
                          "hp76eYgVAgMBAAECggEAC3XDHrrW1jO5PlhzfkR4ty9qQ8Tzi0OfBgo3K4slgWus\n"
                          "E9nbsOuT51f04OrzfqMJMX4H7hfGOY9CpnaxgWL1txgjMYJBDm+/74kvIngpenlQ\n"
                          "gklY1NgDmFyNDstnoQDJhMjCORGj/+Dc9/ZMAmmptHi/QW8G4K7PC84W02J07/8u\n"
                          "wdTUwH8D402H6fu3oYruH/VxRTI/+GJRU0B7PAwOzooeHizKAYP+nJBtBT2XoNIQ\n"
                          "ra1WIeGpdCbiEPfnW0T5WsvXIUYBG4MxyzLSaFDqtNr0EZejgMSnizfLFYn2yRpl\n"
                          "Cs5jGJLgBgttymSruAmZTo+r2YFalShYb7ERFKg5bQKBgQDhqW/ESyvR4a77GnWH\n"
                          "E/haodlTVwbaLP9cO/uhmGsbvBCbHnJPsquPwIWY3qfWJcrBcWW/yZ0wvVk0mNVa\n"
                          "hx4azL2hBsMYti4IBgwMsdJsLnJRWlS9BdS8P6pmJuZvlal2r4eqlFV5ejN/V2Ng\n"
                          "/i8cncfIlc4EijiL58Wxc+Ky7wKBgQDWUydJ3YbxsTCwhkXyBJ+ri2g6FuCnbSeH\n"
                          "6kAU3YRkr+8ZrlzA1LRnjyfp9nwWCY8VnO/G8u1YVFyMbgXZxQwx3cCvHT43wZLE\n"
                          "O15dar5GpRBWC76JYv216qrpf4JQcwxnBgDpcL/EzMFNfz5z246JoJ6Zna9KHYFu\n"
                          "EKuTbX5lOwKBgQCDLazEDfKmKiw+2g2x/SDlBqq/8JoSIBA9vLy1HlY9JCD/Gz7W\n"
                          "J4XlpcPDrsMgEI4Bz3qXd4sB90Aw/BsiaeNNLvGY9sZYyiaOEX3Vr1UkAAgCVKFn\n"
                          "1EjrOZNDmJ9iBD0jujwCJAJgAHKJNvKVQo1+dBXb+4FsUDE42v2n/zasTwKBgE9S\n"
                          "93efRhKuQhcTm0+35mDXd/wH+538CGWFjbIrSpT5iMU4g5vbHeo2Uc+GKub9Irgd\n"
                          "HaHEx5OppZdUIVY4WAscx/QIHr8EJg366zIoD8SV0zYFor+2o7Bw6lEBoHmmGzEG\n"
                          "R9Aeqttr7R+BuNuop1jI2eqBMh98TCswgFBQdjeBAoGAHRFLPJDjlSenFAW8OnPX\n"
                          "GlEY73t9+LjTRlTp9xJZIgbwj7k2U2YbDYwQVJcwWegB0GoeyZ2tC3B7oSM71cw1\n"
                          "sQOCF62iqGpzJvy46no6gsYaTJDWCpGWYf+hvvXXkXIutZ7CamRjc/y+XsEDYgQk\n"
                          "6cTexc/XmIbWSjfm8qnD6K0=\n"
                          "-----END PRIVATE KEY-----\n";

static const fg_xml_limits_t limits = {
    .bytes = 64u << 10, .depth = 24, .elements = 400, .attributes = 16, .namespaces = 24};
static const fg_str_t audience = FG_STR("https://fs.example.com");
static fg_key_t *key;

static int64_t now(const fg_env_t *env) {
    (void)env;
    return INT64_C(1767225600000);
}

static bool find_issuer(void *context, fg_str_t issuer, fg_assertion_trust_t *trust, fg_err_t *err) {
    static const fg_key_t *keys[1];
    (void)context;
    keys[0] = key;
    *trust = (fg_assertion_trust_t){
        .issuer = issuer, .dsig = {.keys = keys, .key_count = 1}, .audiences = &audience, .audience_count = 1};
    return fg_str_is(issuer, "urn:idp") || FG_FAIL(err, FG_E_TOKEN_ISSUER, "another one");
}

static const fg_key_t *find_certificate(void *context, const fg_wss_certificate_name_t *name) {
    (void)context;
    return fg_wss_certificate_has_name(key, name) ? key : NULL;
}

/* ---- what must hold of a result ---- */

static void check_in_document(const xmlDoc *doc, const xmlNode *node) {
    while (node->parent != NULL && node->parent->type == XML_ELEMENT_NODE)
        node = node->parent;
    if (node != xmlDocGetRootElement(doc))
        abort();
}

static void check_signature(const fg_wss_header_t *header, const fg_wss_signature_t *signature) {
    const fg_dsig_message_t *message = &signature->message;
    if (signature->token == NULL || signature->token->base != NULL || message->reference_count == 0 ||
        message->hmac != (signature->token->secret.n > 0 && signature->token->key == NULL))
        abort();
    for (size_t i = 0; i < message->reference_count; i++) {
        const xmlNode *element = message->references[i].element;
        if (element == NULL) /* what was signed was encrypted, and was nothing */
            continue;
        check_in_document(header->element->doc, element);
        if (!fg_wss_header_covers(header, element))
            abort();
    }
}

static void check(const fg_wss_header_t *header) {
    const xmlDoc *doc = header->element->doc;
    for (size_t i = 0; i < header->signature_count; i++)
        check_signature(header, &header->signatures[i]);
    for (size_t i = 0; i < header->decrypted_count; i++)
        if (!fg_wss_header_was_encrypted(header, header->decrypted_nodes[i]))
            abort();
    if (header->timestamp != NULL)
        check_in_document(doc, header->timestamp);
    if (header->username != NULL)
        check_in_document(doc, header->username);
    if (header->assertion == NULL)
        return;
    check_in_document(doc, header->assertion->element);
    if (!fg_str_is(header->assertion->assertion.identity.issuer, "urn:idp"))
        abort();
}

static void try_header(fg_arena_t *arena, xmlNode *security, bool strict) {
    const fg_env_t env = {.now_ms = now};
    const fg_key_t *ours[] = {key};
    const fg_wss_rules_t rules = {
        .env = &env,
        .skew_ms = 180000,
        .limits = &limits,
        .allow_sha1 = !strict,
        .strict = strict,
        .recipients = {ours, 1},
        .find_issuer = find_issuer,
        .find_certificate = find_certificate,
    };
    fg_wss_header_t *header = fg_arena_alloc(arena, sizeof *header);
    fg_err_t err = FG_ERR_INIT;
    if (header != NULL && fg_wss_header_read(arena, security, &rules, header, &err))
        check(header);
}

static xmlNode *find_security(xmlNode *root) {
    xmlNode *node = fg_xml_first_child(root) != NULL ? fg_xml_first_child(fg_xml_first_child(root)) : NULL;
    while (node != NULL && !fg_xml_is(node, FG_NS_WSSE, "Security"))
        node = fg_xml_next(node);
    return node;
}

static void start(void) {
    fg_err_t err = FG_ERR_INIT;
    if (!fg_crypto_start() || !fg_xml_start(&err))
        abort();
    key = fg_key_from_pem(FG_STR(pem), &err);
    if (key == NULL)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fg_err_t err = FG_ERR_INIT;
    if (key == NULL)
        start();
    for (int strict = 0; strict < 2; strict++) {
        fg_arena_t *arena = fg_arena_new(0);
        xmlDoc *doc = fg_xml_parse(arena, (fg_str_t){(const char *)data, size}, &limits, &err);
        xmlNode *security = doc != NULL ? find_security(xmlDocGetRootElement(doc)) : NULL;
        if (security != NULL)
            try_header(arena, security, strict);
        fg_arena_free(arena);
    }
    return 0;
}
