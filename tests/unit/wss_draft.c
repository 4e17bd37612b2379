/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/wss_draft.h"

#include <openssl/x509v3.h>

#include "core/crypto.h"
#include "core/time.h"
#include "token/proof.h"

#define X509_PROFILE "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#"
#define SOAP_SECURITY "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#"
#define SOAP_SECURITY11 "http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1#"
#define SAML_PROFILE10 "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.0#"
#define SAML_PROFILE11 "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#"
#define NS_WSC "http://docs.oasis-open.org/ws-sx/ws-secureconversation/200512"

static const fg_xns_t wsse = {"o", FG_NS_WSSE}, wsu = {"u", FG_NS_WSU}, wsa = {"a", FG_NS_WSA}, ds = {"ds", FG_NS_DS},
                      wsse11 = {"k", FG_NS_WSSE11}, wsc = {"c", NS_WSC}, wsp = {"p", FG_NS_WSP};
static const fg_xns_t soaps[] = {[FG_SOAP_12] = {"s", FG_NS_SOAP12}, [FG_SOAP_11] = {"s", FG_NS_SOAP11}};
static const fg_xns_t trusts[] = {[FG_TRUST_2005] = {"t", FG_NS_TRUST_2005}, [FG_TRUST_13] = {"t", FG_NS_TRUST_13}};

typedef struct work {
    const draft_t *draft;
    fg_arena_t *arena;
    fg_buf_t buf;
    fg_xw_t w;
    fg_dsig_part_t covered[FG_DSIG_REFERENCES_MAX];
    size_t covered_count;
    fg_str_t to, action, message_id, timestamp, username, body, saml, token, encrypted_key, signature, derived;
    unsigned char secret[32]; /* of the EncryptedKey */
} work_t;

/* ---- writing a part by itself */

static fg_xw_t *begin(work_t *k) {
    fg_buf_reset(&k->buf);
    fg_xw_init(&k->w, &k->buf);
    return &k->w;
}

static fg_str_t end(work_t *k) {
    assert_true(fg_xw_ok(&k->w));
    return fg_arena_str(k->arena, fg_buf_str(&k->buf));
}

static fg_str_t base64(work_t *k, const void *bytes, size_t length) {
    fg_buf_t out = FG_BUF_INIT(64u << 10);
    fg_base64_encode(&out, bytes, length);
    fg_str_t text = fg_arena_str(k->arena, fg_buf_str(&out));
    fg_buf_free(&out);
    return text;
}

static void cover(work_t *k, unsigned bit, const char *id, fg_str_t bytes) {
    if ((k->draft->covered & bit) != 0)
        k->covered[k->covered_count++] = (fg_dsig_part_t){fg_str(id), bytes};
}

/* ---- addressing, Timestamp, UsernameToken */

static fg_str_t write_leaf(work_t *k, const fg_xns_t *ns, const char *name, const char *id, const char *text) {
    fg_xw_t *w = begin(k);
    fg_xw_start(w, ns, name);
    fg_xw_attr_ns(w, &wsu, "Id", fg_str(id));
    fg_xw_textz(w, text);
    fg_xw_end(w);
    return end(k);
}

static void write_addressing(work_t *k) {
    const draft_t *draft = k->draft;
    const char *ns = trusts[draft->trust].uri;
    k->action = write_leaf(k, &wsa, "Action", "_action",
                           fg_arena_printf(k->arena, "%s/RST/%s", ns, draft->request ? draft->request : "Issue"));
    k->message_id = write_leaf(k, &wsa, "MessageID", "_message", "urn:uuid:1");
    if ((draft->parts & DRAFT_TO) != 0)
        k->to = write_leaf(k, &wsa, "To", "_to",
                           fg_arena_printf(k->arena, "https://fs.example.com%s", draft->to ? draft->to : draft->path));
    cover(k, DRAFT_ACTION, "_action", k->action);
    cover(k, DRAFT_MESSAGE_ID, "_message", k->message_id);
}

static void write_timestamp(work_t *k) {
    if ((k->draft->parts & DRAFT_TIMESTAMP) == 0)
        return;
    fg_xw_t *w = begin(k);
    fg_xw_start(w, &wsu, "Timestamp");
    fg_xw_attr_ns(w, &wsu, "Id", FG_STR("_time"));
    fg_xw_leafz(w, &wsu, "Created", k->draft->created ? k->draft->created : "2026-01-01T00:00:00Z");
    fg_xw_end(w);
    k->timestamp = end(k);
    cover(k, DRAFT_TIMESTAMP, "_time", k->timestamp);
}

static void write_username(work_t *k) {
    if ((k->draft->parts & DRAFT_USERNAME) == 0)
        return;
    fg_xw_t *w = begin(k);
    fg_xw_start(w, &wsse, "UsernameToken");
    fg_xw_attr_ns(w, &wsu, "Id", FG_STR("_user"));
    fg_xw_leafz(w, &wsse, "Username", "alice");
    fg_xw_leafz(w, &wsse, "Password", "alice-demo");
    fg_xw_end(w);
    k->username = end(k);
}

/* ---- Body */

static void write_payload(work_t *k) {
    const fg_xns_t *trust = &trusts[k->draft->trust];
    fg_xw_t *w = &k->w;
    fg_xw_start(w, trust, "RequestSecurityToken");
    fg_xw_start(w, &wsp, "AppliesTo");
    fg_xw_start(w, &wsa, "EndpointReference");
    fg_xw_leafz(w, &wsa, "Address", "urn:rp");
    fg_xw_end(w);
    fg_xw_end(w);
    fg_xw_leafz(w, trust, "RequestType", fg_arena_printf(k->arena, "%s/Issue", trust->uri));
    fg_xw_end(w);
}

static fg_str_t encrypt_with(work_t *k, fg_str_t plain, bool content, const char *id, const char *key_info) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t out = FG_BUF_INIT(64u << 10);
    const fg_enc_data_t data = {
        .algorithm = k->draft->algorithm,
        .secret = {(const char *)k->secret, fg_enc_algorithm_key_size(k->draft->algorithm)},
        .plain = plain,
        .content = content,
        .id = id,
        .key_info = fg_str(key_info),
    };
    assert_true(fg_xmlenc_write_data(k->draft->env, &data, &out, &err));
    fg_str_t text = fg_arena_str(k->arena, fg_buf_str(&out));
    fg_buf_free(&out);
    return text;
}

static fg_str_t encrypt(work_t *k, fg_str_t plain, bool content, const char *id) {
    return encrypt_with(k, plain, content, id, NULL);
}

/* What stands inside the outermost tags. */
static fg_str_t inside(fg_str_t element) {
    const char *from = (const char *)memchr(element.p, '>', element.n) + 1, *to = element.p + element.n;
    do
        to--;
    while (*to != '<');
    return (fg_str_t){from, (size_t)(to - from)};
}

static fg_str_t replace_inside(work_t *k, fg_str_t element, fg_str_t by) {
    fg_str_t old = inside(element);
    return fg_str(
        fg_arena_printf(k->arena, "%.*s%.*s%s", (int)(old.p - element.p), element.p, (int)by.n, by.p, old.p + old.n));
}

static void write_body(work_t *k) {
    fg_xw_t *w = begin(k);
    fg_xw_start(w, &soaps[k->draft->soap], "Body");
    fg_xw_attr_ns(w, &wsu, "Id", FG_STR("_body"));
    if (k->draft->body != NULL)
        fg_xw_raw(w, fg_str(k->draft->body));
    else
        write_payload(k);
    fg_xw_end(w);
    k->body = end(k);
}

/* WS-Security 1.1 §9.3 */
static fg_str_t encrypt_header(work_t *k, fg_str_t header) {
    fg_str_t data = encrypt(k, header, false, "_eto");
    fg_xw_t *w = begin(k);
    fg_xw_start(w, &wsse11, "EncryptedHeader");
    fg_xw_attr_ns(w, &wsu, "Id", FG_STR("_eheader"));
    fg_xw_attr_ns(w, &soaps[k->draft->soap], "mustUnderstand", FG_STR("1"));
    fg_xw_raw(w, data);
    fg_xw_end(w);
    return end(k);
}

/* SAML 2.0 core §2.3.4 */
static fg_str_t encrypt_assertion(work_t *k, fg_str_t assertion) {
    fg_err_t err = FG_ERR_INIT;
    fg_str_t data = encrypt_with(k, assertion, false, "_esaml", k->draft->beside);
    const fg_enc_key_t key = {k->draft->recipient, FG_ENC_NAME_THUMBPRINT, "_skey", NULL, 0};
    size_t size = fg_enc_algorithm_key_size(k->draft->algorithm);
    fg_buf_reset(&k->buf);
    assert_true(fg_xmlenc_write_key((fg_str_t){(const char *)k->secret, size}, &key, &k->buf, &err));
    return fg_str(fg_arena_printf(k->arena, "<e:EncryptedAssertion xmlns:e=\"%s\">%.*s%.*s</e:EncryptedAssertion>",
                                  FG_NS_SAML2, (int)data.n, data.p, (int)k->buf.length, k->buf.data));
}

/* Before or after what is covered is noted. */
static void encrypt_parts(work_t *k) {
    unsigned bits = k->draft->encrypted;
    if ((bits & DRAFT_BODY) != 0)
        k->body = replace_inside(k, k->body, encrypt(k, inside(k->body), true, "_ebody"));
    if ((bits & DRAFT_USERNAME) != 0)
        k->username = encrypt(k, k->username, false, "_euser");
    if ((bits & DRAFT_TO) != 0)
        k->to = encrypt_header(k, k->to);
    if ((bits & DRAFT_SAML) != 0)
        k->saml = k->draft->beside ? encrypt_assertion(k, k->saml) : encrypt(k, k->saml, false, "_esaml");
}

static void write_encrypted_key(work_t *k) {
    const char *references[4];
    size_t count = 0;
    fg_err_t err = FG_ERR_INIT;
    unsigned bits = k->draft->encrypted;
    if ((bits & DRAFT_BODY) != 0)
        references[count++] = "_ebody";
    if ((bits & DRAFT_USERNAME) != 0)
        references[count++] = "_euser";
    if ((bits & DRAFT_TO) != 0)
        references[count++] = "_eto";
    if ((bits & DRAFT_SAML) != 0 && k->draft->beside == NULL)
        references[count++] = "_esaml";
    size_t size = count > 0 ? fg_enc_algorithm_key_size(k->draft->algorithm) : sizeof k->secret;
    const fg_enc_key_t key = {k->draft->recipient, FG_ENC_NAME_THUMBPRINT, "_key", references, count};
    fg_buf_reset(&k->buf);
    assert_true(fg_xmlenc_write_key((fg_str_t){(const char *)k->secret, size}, &key, &k->buf, &err));
    k->encrypted_key = fg_arena_str(k->arena, fg_buf_str(&k->buf));
}

/* ---- names of keys */

static fg_str_t der_of(work_t *k) {
    fg_buf_t der = FG_BUF_INIT(16u << 10);
    assert_true(fg_base64_decode(&der, fg_key_get_certificate_base64(k->draft->key)));
    fg_str_t bytes = fg_arena_str(k->arena, fg_buf_str(&der));
    fg_buf_free(&der);
    return bytes;
}

static void put_binary_token(work_t *k, fg_xw_t *w, bool path) {
    fg_str_t der = der_of(k);
    unsigned char *sequence = fg_arena_alloc(k->arena, der.n + 8), *at = sequence;
    ASN1_put_object(&at, 1, (int)der.n, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    memcpy(at, der.p, der.n);
    fg_xw_start(w, &wsse, "BinarySecurityToken");
    fg_xw_attrz(w, "EncodingType", SOAP_SECURITY "Base64Binary");
    fg_xw_attrz(w, "ValueType", path ? X509_PROFILE "X509PKIPathv1" : X509_PROFILE "X509v3");
    fg_xw_attr_ns(w, &wsu, "Id", FG_STR("_token"));
    fg_xw_text(w, path ? base64(k, sequence, (size_t)(at - sequence) + der.n) : base64(k, der.p, der.n));
    fg_xw_end(w);
}

static void put_reference(fg_xw_t *w, const char *uri) {
    fg_xw_start(w, &wsse, "Reference");
    fg_xw_attrz(w, "URI", uri);
    fg_xw_end(w);
}

static void put_identifier(fg_xw_t *w, const char *value_type, bool binary, fg_str_t text) {
    fg_xw_start(w, &wsse, "KeyIdentifier");
    if (binary)
        fg_xw_attrz(w, "EncodingType", SOAP_SECURITY "Base64Binary");
    fg_xw_attrz(w, "ValueType", value_type);
    fg_xw_text(w, text);
    fg_xw_end(w);
}

static fg_str_t thumbprint(work_t *k, const EVP_MD *md) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length;
    assert_int_equal(X509_digest(fg_key_get_x509(k->draft->key), md, digest, &length), 1);
    return base64(k, digest, length);
}

static void put_x509_data(work_t *k, fg_xw_t *w, bool named, bool certificate) {
    X509 *x509 = fg_key_get_x509(k->draft->key);
    BIO *bio = BIO_new(BIO_s_mem());
    char *name;
    X509_NAME_print_ex(bio, X509_get_issuer_name(x509), 0, XN_FLAG_RFC2253);
    long length = BIO_get_mem_data(bio, &name);
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), NULL);
    char *serial = BN_bn2dec(number);
    fg_str_t der = der_of(k);
    fg_xw_start(w, &ds, "X509Data");
    if (named) {
        fg_xw_start(w, &ds, "X509IssuerSerial");
        fg_xw_leaf(w, &ds, "X509IssuerName", fg_arena_str(k->arena, (fg_str_t){name, (size_t)length}));
        fg_xw_leaf(w, &ds, "X509SerialNumber", fg_str(fg_arena_strdup(k->arena, serial)));
        fg_xw_end(w);
    }
    if (certificate)
        fg_xw_leaf(w, &ds, "X509Certificate", base64(k, der.p, der.n));
    fg_xw_end(w);
    OPENSSL_free(serial);
    BN_free(number);
    BIO_free(bio);
}

static void put_ski(work_t *k, fg_xw_t *w) {
    const ASN1_OCTET_STRING *own = X509_get0_subject_key_id(fg_key_get_x509(k->draft->key));
    assert_non_null(own);
    put_identifier(w, X509_PROFILE "X509SubjectKeyIdentifier", true,
                   base64(k, ASN1_STRING_get0_data(own), (size_t)ASN1_STRING_length(own)));
}

static void put_assertion_identifier(work_t *k, fg_xw_t *w) {
    bool first = k->draft->saml == FG_SAML_11;
    put_identifier(w, first ? SAML_PROFILE10 "SAMLAssertionID" : SAML_PROFILE11 "SAMLID", false,
                   fg_str(k->draft->assertion_id ? k->draft->assertion_id : "_a1"));
}

/* What stands in a SecurityTokenReference. */
static void put_name(work_t *k, fg_xw_t *w) {
    fg_str_t der = k->draft->key != NULL ? der_of(k) : FG_STR_NONE;
    switch (k->draft->naming) {
    case DRAFT_ISSUER_SERIAL:
        put_x509_data(k, w, true, false);
        break;
    case DRAFT_IDENTIFIER:
        put_ski(k, w);
        break;
    case DRAFT_THUMBPRINT:
        put_identifier(w, SOAP_SECURITY11 "ThumbprintSHA1", true, thumbprint(k, EVP_sha1()));
        break;
    case DRAFT_THUMBPRINT_256:
        put_identifier(w, SOAP_SECURITY11 "ThumbprintSHA256", true, thumbprint(k, EVP_sha256()));
        break;
    case DRAFT_WHOLE:
        put_identifier(w, X509_PROFILE "X509v3", true, base64(k, der.p, der.n));
        break;
    case DRAFT_EMBEDDED:
        fg_xw_start(w, &wsse, "Embedded");
        put_binary_token(k, w, false);
        fg_xw_end(w);
        break;
    case DRAFT_ASSERTION:
        put_assertion_identifier(k, w);
        break;
    case DRAFT_ASSERTION_URI:
        put_reference(w, "#_a1");
        break;
    case DRAFT_ENCRYPTED_KEY:
        put_reference(w, "#_key");
        break;
    case DRAFT_DERIVED:
        put_reference(w, "#_derived");
        break;
    default:
        put_reference(w, "#_token");
    }
}

static fg_str_t write_key_info(work_t *k) {
    fg_err_t err = FG_ERR_INIT;
    if (k->draft->naming == DRAFT_KEY_VALUE) {
        fg_key_t *bare = fg_key_ref((fg_key_t *)(uintptr_t)k->draft->key);
        BIGNUM *n = NULL, *e = NULL;
        unsigned char modulus[512], exponent[8];
        EVP_PKEY_get_bn_param(fg_key_get_pkey(bare), "n", &n);
        EVP_PKEY_get_bn_param(fg_key_get_pkey(bare), "e", &e);
        fg_key_t *public = fg_key_from_rsa((fg_str_t){(char *)modulus, (size_t)BN_bn2bin(n, modulus)},
                                           (fg_str_t){(char *)exponent, (size_t)BN_bn2bin(e, exponent)}, &err);
        fg_buf_reset(&k->buf);
        assert_true(fg_proof_write_key(public, &k->buf, &err));
        fg_key_unref(public);
        fg_key_unref(bare);
        BN_free(n);
        BN_free(e);
        /* its children expect the prefix ds to be declared around them, which ds:KeyInfo does */
        return fg_arena_str(k->arena, fg_buf_str(&k->buf));
    }
    fg_xw_t *w = begin(k);
    if (k->draft->naming == DRAFT_X509_DATA || k->draft->naming == DRAFT_X509_BOTH) {
        put_x509_data(k, w, k->draft->naming == DRAFT_X509_BOTH, true);
        return end(k);
    }
    fg_xw_start(w, &wsse, "SecurityTokenReference");
    put_name(k, w);
    fg_xw_end(w);
    return end(k);
}

/* WS-SecureConversation 1.3 §7: 16 bytes from the fourth on. */
static fg_str_t derive(work_t *k, fg_str_t secret) {
    const fg_derivation_t derivation = {FG_STR_NONE, FG_STR("0123456789abcdef"), 4, 16};
    unsigned char *key = fg_arena_alloc(k->arena, FG_DERIVED_KEY_MAX);
    assert_true(fg_derive_key(secret, &derivation, key));
    fg_xw_t *w = begin(k);
    fg_xw_start(w, &wsc, "DerivedKeyToken");
    fg_xw_attr_ns(w, &wsu, "Id", FG_STR("_derived"));
    fg_xw_start(w, &wsse, "SecurityTokenReference");
    put_assertion_identifier(k, w);
    fg_xw_end(w);
    fg_xw_leafz(w, &wsc, "Offset", "4");
    fg_xw_leafz(w, &wsc, "Length", "16");
    fg_xw_leaf(w, &wsc, "Nonce", base64(k, "0123456789abcdef", 16));
    fg_xw_end(w);
    k->derived = end(k);
    return (fg_str_t){(const char *)key, 16};
}

static void write_signature(work_t *k) {
    const draft_t *draft = k->draft;
    fg_err_t err = FG_ERR_INIT;
    if (draft->covered == 0)
        return;
    bool binary = draft->naming == DRAFT_BINARY_TOKEN || draft->naming == DRAFT_PATH;
    if (binary) {
        put_binary_token(k, begin(k), draft->naming == DRAFT_PATH);
        k->token = end(k);
    }
    fg_dsig_signer_t signer = {.key = draft->key, .secret = draft->secret, .sha1_suite = draft->sha1};
    if (draft->naming == DRAFT_DERIVED)
        signer.secret = derive(k, draft->secret);
    if (draft->naming == DRAFT_ENCRYPTED_KEY)
        signer.secret = (fg_str_t){(const char *)k->secret, 32};
    signer.key_info = write_key_info(k);
    fg_buf_reset(&k->buf);
    if (!fg_dsig_sign_parts(k->covered, k->covered_count, &signer, &k->buf, &err))
        fail_msg("%s", err.detail);
    k->signature = fg_arena_str(k->arena, fg_buf_str(&k->buf));
}

/* ---- the envelope */

static void put(fg_buf_t *out, fg_str_t part) {
    if (part.p != NULL)
        fg_buf_put_str(out, part);
}

static void write_envelope(const work_t *k, fg_buf_t *out) {
    const draft_t *draft = k->draft;
    fg_buf_printf(out, "<s:Envelope xmlns:s=\"%s\"><s:Header>", soaps[draft->soap].uri);
    const fg_str_t addressing[] = {k->action, k->message_id, k->to};
    for (size_t i = 0; i < FG_ARRAY_SIZE(addressing); i++)
        put(out, addressing[i]);
    bool security = (draft->parts & (DRAFT_TIMESTAMP | DRAFT_USERNAME | DRAFT_SAML)) != 0 || draft->covered != 0;
    if (security)
        fg_buf_printf(out, "<o:Security s:mustUnderstand=\"1\" xmlns:o=\"%s\">", FG_NS_WSSE);
    put(out, draft->key_behind ? FG_STR_NONE : k->encrypted_key);
    put(out, k->timestamp);
    put(out, k->username);
    put(out, draft->behind ? FG_STR_NONE : k->saml);
    put(out, draft->behind ? FG_STR_NONE : k->token);
    put(out, k->derived);
    put(out, k->signature);
    put(out, draft->key_behind ? k->encrypted_key : FG_STR_NONE);
    put(out, draft->behind ? k->saml : FG_STR_NONE);
    put(out, draft->behind ? k->token : FG_STR_NONE);
    fg_buf_puts(out, security ? "</o:Security></s:Header>" : "</s:Header>");
    put(out, k->body);
    fg_buf_puts(out, "</s:Envelope>");
}

const char *draft_write(const draft_t *draft) {
    static char text[256u << 10];
    fg_buf_t out = FG_BUF_INIT(sizeof text - 1);
    work_t k = {.draft = draft, .arena = fg_arena_new(0), .buf = FG_BUF_INIT(128u << 10)};
    memset(k.secret, 'k', sizeof k.secret);
    write_addressing(&k);
    write_timestamp(&k);
    write_username(&k);
    write_body(&k);
    if ((draft->parts & DRAFT_SAML) != 0)
        k.saml = fg_arena_str(k.arena, draft->assertion);
    if (draft->encrypted != 0 || draft->naming == DRAFT_ENCRYPTED_KEY)
        write_encrypted_key(&k);
    if (draft->encrypt_first)
        encrypt_parts(&k);
    cover(&k, DRAFT_TO, draft->encrypt_first && (draft->encrypted & DRAFT_TO) != 0 ? "_eheader" : "_to", k.to);
    cover(&k, DRAFT_BODY, "_body", k.body);
    cover(&k, DRAFT_USERNAME, "_user", k.username);
    cover(&k, DRAFT_SAML, "_a1", k.saml);
    write_signature(&k);
    if (!draft->encrypt_first)
        encrypt_parts(&k);
    write_envelope(&k, &out);
    assert_true(fg_buf_ok(&out));
    memcpy(text, out.data, out.length + 1);
    fg_buf_free(&out);
    fg_buf_free(&k.buf);
    fg_arena_free(k.arena);
    return text;
}

/* ---- assertions */

fg_str_t draft_assertion(const draft_assertion_t *wanted) {
    static char text[32768];
    fg_err_t err = FG_ERR_INIT;
    fg_arena_t *arena = fg_arena_new(0);
    fg_buf_t out = FG_BUF_INIT(sizeof text), proof = FG_BUF_INIT(16384);
    fg_identity_t identity = {.auth_method = FG_STR(FG_AUTH_PASSWORD), .auth_instant_ms = TEST_NOW};
    assert_true(fg_claims_put(arena, &identity.claims, FG_CLAIM_NAME, fg_str(wanted->user ? wanted->user : "carol")));
    if (wanted->proof_key != NULL)
        assert_true(fg_proof_write_key(wanted->proof_key, &proof, &err));
    if (wanted->proof_secret.n > 0)
        assert_true(fg_proof_write_secret(wanted->proof_secret, wanted->recipient, &proof, &err));
    const fg_assertion_t assertion = {
        .version = wanted->version,
        .id = wanted->id ? wanted->id : "_a1",
        .issuer = fg_str(wanted->issuer),
        .issue_instant_ms = TEST_NOW,
        .not_before_ms = TEST_NOW,
        .not_on_or_after_ms = TEST_NOW + FG_HOUR,
        .audience = fg_str(wanted->audience),
        .name_id = {.value = fg_str(wanted->user ? wanted->user : "carol")},
        .confirmation = wanted->confirmation,
        .proof_key_info = fg_buf_str(&proof),
        .identity = &identity,
        .claims = &identity.claims,
    };
    if (!fg_assertion_write(&assertion, wanted->issuer_key, &out, &err))
        fail_msg("%s", err.detail);
    size_t length = out.length;
    memcpy(text, out.data, length);
    text[length] = '\0';
    fg_buf_free(&out);
    fg_buf_free(&proof);
    fg_arena_free(arena);
    return (fg_str_t){text, length};
}
