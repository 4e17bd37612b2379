/* SPDX-License-Identifier: GPL-2.0-or-later
 * The Security header at the active endpoints: what the table of endpoints says is what their WSDL says and what is
 * enforced; signatures, tokens and encryption, each with a control. */
#include "tests/unit/wss_world.h"

#include "sts/wsdl.h"
#include "sts/wss.h"

static fg_wss_t *wss;
static fg_err_t why;

/* ---- sending */

/* The last exchange's message, read and judged. */
static bool judge_text(fixture_t *f, const draft_t *draft, const char *text, const char *from, const char *to,
                       const fg_key_t *connection) {
    static const char *const media_types[] = {[FG_SOAP_12] = "application/soap+xml", [FG_SOAP_11] = "text/xml"};
    fg_exchange_t *ex = exchange_begin(f, draft->path, media_types[draft->soap], text, from, to);
    ex->keys = &world.keys;
    if (connection != NULL)
        world_connect(ex, connection);
    fg_soap_message_t *message = fg_arena_alloc(ex->arena, sizeof *message);
    ex->state = message;
    wss = fg_arena_alloc(ex->arena, sizeof *wss);
    why = (fg_err_t)FG_ERR_INIT;
    return fg_soap_read(ex, draft->path, message, &why) &&
           fg_wss_read(ex, message, fg_sts_endpoint_find(fg_str(draft->path)), wss, &why);
}

static bool judge(fixture_t *f, const draft_t *draft) {
    return judge_text(f, draft, draft_write(draft), NULL, NULL, NULL);
}

static void assert_taken(bool taken) {
    if (!taken)
        fail_msg("refused: %s (%s:%d)", why.detail, why.file, why.line);
}

static void assert_refused(bool taken, fg_code_t code) {
    assert_false(taken);
    assert_err(&why, code);
}

/* A message that meets an alternative of an endpoint, and no more. */
static draft_t fitting_draft(fixture_t *f, fg_sts_endpoint_index_t index, unsigned bits) {
    draft_t draft = world_draft(f, index);
    if ((bits & FG_STS_MESSAGE) != 0)
        draft = world_message_draft(f);
    else if ((bits & FG_STS_SYMMETRIC_ENDORSES) != 0)
        draft = world_symmetric_draft(f, index);
    else if ((bits & FG_STS_PUBLIC_ENDORSES) != 0)
        draft = world_public_draft(f, index);
    else if ((bits & FG_STS_X509_ENDORSES) != 0)
        draft = world_certificate_draft(f);
    if ((bits & FG_STS_USERNAME_TOKEN) != 0)
        draft.parts |= DRAFT_USERNAME;
    if ((bits & FG_STS_ISSUED_BEARER) != 0) {
        draft.parts |= DRAFT_SAML;
        draft.assertion = world_assertion(FG_CONFIRM_BEARER, FG_SAML_11);
    }
    if ((bits & FG_STS_TIMESTAMP) == 0)
        draft.parts &= ~(unsigned)DRAFT_TIMESTAMP;
    draft.path = fg_sts_endpoint_table[index].path;
    draft.trust = fg_sts_endpoint_table[index].trust;
    return draft;
}

/* ---- the table drives both */

/* Each bit: the assertion that tells of it, and what a message must lack to fall short of it. */
static const struct bit {
    unsigned bit;
    const char *assertion; /* names of elements, one inside the other, anywhere in the alternative */
    unsigned without_part, without_cover, without_encryption;
} bits[] = {
    {FG_STS_TIMESTAMP, "IncludeTimestamp", DRAFT_TIMESTAMP, DRAFT_TIMESTAMP, 0},
    {FG_STS_USERNAME_TOKEN, "UsernameToken", DRAFT_USERNAME, 0, 0},
    {FG_STS_CLIENT_CERTIFICATE, "RequireClientCertificate", 0, 0, 0},
    {FG_STS_X509_ENDORSES, "EndorsingSupportingTokens/Policy/X509Token", 0, ~0u, 0},
    {FG_STS_SYMMETRIC_ENDORSES, "EndorsingSupportingTokens/Policy/IssuedToken", 0, ~0u, 0},
    {FG_STS_PUBLIC_ENDORSES, "EndorsingSupportingTokens/Policy/IssuedToken", 0, ~0u, 0},
    {FG_STS_ISSUED_BEARER, "SignedSupportingTokens/Policy/IssuedToken", DRAFT_SAML, 0, 0},
    {FG_STS_TO_SIGNED, "SignedParts/Header", 0, DRAFT_TO, 0},
    {FG_STS_NEGOTIATE, "NegotiateAuthentication", 0, 0, 0},
    {FG_STS_KERBEROS_ENDORSES, "EndorsingSupportingTokens/Policy/KerberosToken", 0, 0, 0},
    {FG_STS_MESSAGE, "AsymmetricBinding/Policy/InitiatorToken", 0, DRAFT_BODY, 0},
    {FG_STS_MESSAGE, "EncryptedParts/Body", 0, 0, DRAFT_BODY},
    {FG_STS_MESSAGE, "SignedParts/Header", 0, DRAFT_MESSAGE_ID, 0},
};

/* The alternative's wsp:All in the WSDL. */
static xmlNode *find_alternative(fg_arena_t *arena, xmlNode *root, const fg_sts_endpoint_t *endpoint, size_t which) {
    char id[200];
    snprintf(id, sizeof id, "%s_policy", endpoint->binding);
    for (xmlNode *node = fg_xml_first_child(root); node != NULL; node = fg_xml_next(node))
        if (fg_xml_is(node, FG_NS_WSP, "Policy") && fg_str_is(fg_xml_attr(arena, node, FG_NS_WSU, "Id"), id)) {
            xmlNode *all = fg_xml_first_child(fg_xml_first_child(node));
            while (which-- > 0)
                all = fg_xml_next(all);
            return all;
        }
    fail_msg("no policy %s", id);
    return NULL;
}

static bool holds(fg_arena_t *arena, xmlNode *node, const char *assertion) {
    if (find_path(node, assertion) != NULL)
        return true;
    /* WS-SecurityPolicy 1.1 has an attribute for it */
    if (fg_str_is(fg_xml_attr(arena, node, NULL, assertion), "true"))
        return true;
    for (xmlNode *child = fg_xml_first_child(node); child != NULL; child = fg_xml_next(child))
        if (holds(arena, child, assertion))
            return true;
    return false;
}

static xmlNode *read_wsdl(fixture_t *f, fg_arena_t *arena) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t out = FG_BUF_INIT(256u << 10);
    fg_xw_t w;
    fg_xw_init(&w, &out);
    static const fg_negotiate_rules_t with_tickets;
    fg_hub_t hub = f->hub;
    hub.negotiate = &with_tickets;
    fg_wsdl_write(&w, arena, &hub, FG_STR("AAAA"));
    assert_true(fg_xw_ok(&w));
    xmlDoc *doc = fg_xml_parse(arena, fg_buf_str(&out), &f->hub.xml, &err);
    fg_buf_free(&out);
    if (doc == NULL)
        fail_msg("%s", err.detail);
    return xmlDocGetRootElement(doc);
}

static bool wants_connection(unsigned alternative) { return (alternative & FG_STS_CLIENT_CERTIFICATE) != 0; }

/* The bits with an assertion that no other has. */
#define TELLTALE (~(unsigned)(FG_STS_SYMMETRIC_ENDORSES | FG_STS_PUBLIC_ENDORSES | FG_STS_MESSAGE))

/* A ticket needs a KDC: that one is taken is tests/system/test_kerberos_trust.py's. */
static void check_tickets(fixture_t *f, fg_sts_endpoint_index_t index, unsigned alternative, xmlNode *all,
                          fg_arena_t *arena) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(bits); i++)
        if ((bits[i].bit & TELLTALE) != 0)
            assert_int_equal(holds(arena, all, bits[i].assertion), (alternative & bits[i].bit) != 0);
    draft_t draft = fitting_draft(f, index, alternative);
    assert_refused(judge(f, &draft), FG_E_AUTH_MISSING);
}

static void check_alternative(fixture_t *f, fg_sts_endpoint_index_t index, size_t which, xmlNode *root,
                              fg_arena_t *arena) {
    const fg_sts_endpoint_t *endpoint = &fg_sts_endpoint_table[index];
    unsigned alternative = endpoint->alternatives[which];
    const fg_key_t *connection = wants_connection(alternative) ? world.client : NULL;
    xmlNode *all = find_alternative(arena, root, endpoint, which);
    if (fg_sts_endpoint_takes_tickets(endpoint)) {
        check_tickets(f, index, alternative, all, arena);
        return;
    }
    draft_t whole = fitting_draft(f, index, alternative);
    assert_taken(judge_text(f, &whole, draft_write(&whole), NULL, NULL, connection));
    assert_int_equal(wss->met, alternative);
    for (size_t i = 0; i < FG_ARRAY_SIZE(bits); i++) {
        const struct bit *bit = &bits[i];
        bool wanted = (alternative & bit->bit) != 0;
        if ((bit->bit & TELLTALE) != 0)
            assert_int_equal(holds(arena, all, bit->assertion), wanted);
        if (!wanted)
            continue;
        assert_true(holds(arena, all, bit->assertion));
        draft_t draft = fitting_draft(f, index, alternative);
        draft.parts &= ~bit->without_part;
        draft.covered &= ~(bit->without_cover | bit->without_part);
        draft.encrypted &= ~bit->without_encryption;
        bool whole_message = bit->without_part == 0 && bit->without_cover == 0 && bit->without_encryption == 0;
        const fg_key_t *now = whole_message ? NULL : connection;
        bool taken = judge_text(f, &draft, draft_write(&draft), NULL, NULL, now);
        if (taken)
            fail_msg("%s: taken without %s", endpoint->path, bit->assertion);
    }
}

static void the_table_is_what_the_wsdl_says_and_what_is_enforced(void **state) {
    fixture_t *f = *state;
    fg_arena_t *arena = fg_arena_new(0);
    xmlNode *root = read_wsdl(f, arena);
    for (size_t i = 0; i < FG_STS_ENDPOINTS; i++)
        for (size_t k = 0; k < FG_STS_ALTERNATIVES && fg_sts_endpoint_table[i].alternatives[k] != 0; k++)
            check_alternative(f, (fg_sts_endpoint_index_t)i, k, root, arena);
    fg_arena_free(arena);
}

static void suite_and_layout_are_published_as_they_are(void **state) {
    fixture_t *f = *state;
    fg_arena_t *arena = fg_arena_new(0);
    xmlNode *root = read_wsdl(f, arena);
    for (size_t i = 0; i < FG_STS_ENDPOINTS; i++) {
        const fg_sts_endpoint_t *endpoint = &fg_sts_endpoint_table[i];
        xmlNode *all = find_alternative(arena, root, endpoint, 0);
        bool ticket = (endpoint->alternatives[0] & FG_STS_KERBEROS_ENDORSES) != 0;
        assert_true(holds(arena, all,
                          ticket             ? "AlgorithmSuite/Policy/Basic128"
                          : endpoint->sha256 ? "AlgorithmSuite/Policy/Basic256Sha256"
                                             : "AlgorithmSuite/Policy/Basic256"));
        assert_true(holds(arena, all, endpoint->strict ? "Layout/Policy/Strict" : "Layout/Policy/Lax"));
        assert_int_equal(holds(arena, all, "Wss11/Policy/RequireSignatureConfirmation"),
                         fg_sts_endpoint_is_message(endpoint));
    }
    fg_arena_free(arena);
}

/* XS-28: a signature that says not for whom the message was could be sent on by whoever got it, with another Body. */
static void where_to_must_be_signed_it_must_be_there(void **state) {
    fixture_t *f = *state;
    for (size_t i = 0; i < FG_STS_ENDPOINTS; i++) {
        unsigned alternative = fg_sts_endpoint_table[i].alternatives[0];
        if ((alternative & FG_STS_TO_SIGNED) == 0 || fg_sts_endpoint_takes_tickets(&fg_sts_endpoint_table[i]))
            continue;
        draft_t draft = fitting_draft(f, (fg_sts_endpoint_index_t)i, alternative);
        assert_taken(judge(f, &draft));
        draft = fitting_draft(f, (fg_sts_endpoint_index_t)i, alternative);
        draft.parts &= ~(unsigned)DRAFT_TO;
        draft.covered &= ~(unsigned)DRAFT_TO;
        assert_refused(judge(f, &draft), FG_E_WSA_HEADER);
    }
}

/* XS-25: SHA-1 where the address and the suite say so, and nowhere else. */
static void sha1_belongs_to_basic256(void **state) {
    fixture_t *f = *state;
    draft_t draft = world_symmetric_draft(f, FG_STS_13_ISSUED_SYMMETRIC);
    draft.sha1 = true;
    assert_taken(judge(f, &draft));
    draft = world_symmetric_draft(f, FG_STS_13_ISSUED_SYMMETRIC_SHA256);
    draft.sha1 = true;
    assert_refused(judge(f, &draft), FG_E_SIG_ALGORITHM);
    draft.sha1 = false;
    assert_taken(judge(f, &draft));
}

/* ---- keys and their names */

static void every_name_of_a_known_certificate_leads_to_it(void **state) {
    fixture_t *f = *state;
    for (unsigned naming = 0; naming <= DRAFT_X509_DATA; naming++) {
        draft_t draft = world_certificate_draft(f);
        draft.naming = (draft_naming_t)naming;
        if (naming == DRAFT_IDENTIFIER && X509_get0_subject_key_id(fg_key_get_x509(world.client)) == NULL)
            continue;
        assert_taken(judge(f, &draft));
        assert_ptr_equal(wss->realm, &world.realms[0]);
        assert_string_equal(fg_claims_get(&wss->identity.claims, FG_CLAIM_NAME)->value.p, "client");
        f->test.now_ms += FG_SECOND; /* the same is not sent twice */
        world_forget(f);
    }
}

/* WT-07, XS-20 */
static void certificates_that_nobody_knows_are_refused(void **state) {
    static const draft_naming_t outside[] = {DRAFT_ISSUER_SERIAL, DRAFT_THUMBPRINT, DRAFT_THUMBPRINT_256};
    fixture_t *f = *state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(outside); i++) {
        draft_t draft = world_certificate_draft(f);
        draft.naming = outside[i];
        draft.key = world.other; /* of our CA, but neither in the message nor a partner's */
        assert_refused(judge(f, &draft), FG_E_SIG_KEY);
    }
    draft_t draft = world_certificate_draft(f);
    draft.key = world.other; /* the control: it came along */
    assert_taken(judge(f, &draft));
    draft.key = world.stranger;
    assert_refused(judge(f, &draft), FG_E_CERTIFICATE_UNTRUSTED);
}

static void references_lead_nowhere_else(void **state) {
    static const struct {
        const char *from, *to;
        fg_code_t code;
    } cases[] = {
        {"URI=\"#_token\"", "URI=\"https://elsewhere.example/key\"", FG_E_SIG_KEY},
        {"URI=\"#_token\"", "URI=\"\"", FG_E_SIG_KEY},
        {"URI=\"#_token\"", "URI=\"#_none\"", FG_E_SIG_KEY},
        {"URI=\"#_token\"", "URI=\"#_time\"", FG_E_WSS_UNSUPPORTED},
        {"<o:Reference", "<o:KeyName", FG_E_XML_MALFORMED},
        {"#X509v3", "#X509v1", FG_E_WSS_UNSUPPORTED},
    };
    fixture_t *f = *state;
    draft_t draft = world_certificate_draft(f);
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++)
        assert_refused(judge_text(f, &draft, draft_write(&draft), cases[i].from, cases[i].to, NULL), cases[i].code);
    assert_taken(judge(f, &draft));
}

/* XS-22: xmlsec's templates name the certificate besides, or leave that empty. */
static void x509_data_names_one_certificate(void **state) {
#define NAME(serial)                                                                               \
    "<ds:X509IssuerSerial><ds:X509IssuerName>CN=x</ds:X509IssuerName><ds:X509SerialNumber>" serial \
    "</ds:X509SerialNumber></ds:X509IssuerSerial><ds:X509Certificate>"
    static const char *const refused[] = {NAME("1"), "<ds:X509SKI>AAAA</ds:X509SKI><ds:X509Certificate>",
                                          "<ds:X509Certificate>AAAA</ds:X509Certificate><ds:X509Certificate>"};
    fixture_t *f = *state;
    draft_t draft = world_certificate_draft(f);
    draft.naming = DRAFT_X509_DATA;
    for (size_t i = 0; i < FG_ARRAY_SIZE(refused); i++)
        assert_refused(judge_text(f, &draft, draft_write(&draft), "<ds:X509Certificate>", refused[i], NULL),
                       FG_E_SIG_KEY);
    assert_taken(judge_text(f, &draft, draft_write(&draft), "<ds:X509Certificate>",
                            "<ds:X509IssuerSerial/><ds:X509Certificate>", NULL));
}

/* WT-12: nothing is taken from an attachment, whatever the message says. */
static void attachments_are_refused(void **state) {
    static const char include[] =
        "#X509v3\" u:Id=\"_token\"><i:Include xmlns:i=\"http://www.w3.org/2004/08/xop/include\" "
        "href=\"cid:key\"></i:Include>";
    fixture_t *f = *state;
    draft_t draft = world_certificate_draft(f);
    const char *text = draft_write(&draft);
    assert_refused(judge_text(f, &draft, text, "#X509v3\" u:Id=\"_token\">", include, NULL), FG_E_XML_STRUCTURE);
    assert_refused(judge_text(f, &draft, text, "URI=\"#_token\"", "URI=\"cid:key\"", NULL), FG_E_SIG_KEY);
    assert_taken(judge(f, &draft));
}

/* WS-SecurityPolicy 1.2 §6.7.1 */
static void strict_layout_wants_tokens_before_their_use(void **state) {
    fixture_t *f = *state;
    draft_t lax = world_certificate_draft(f), strict = world_message_draft(f);
    lax.behind = true;
    assert_taken(judge(f, &lax));
    strict.behind = true;
    assert_refused(judge(f, &strict), FG_E_WSS_STRUCTURE);
    strict.behind = false;
    assert_taken(judge(f, &strict));
}

/* X509Data may say more than once whose the key is, but of one key alone (XS-22). */
static void two_names_are_of_one_certificate(void **state) {
    static const char *const changes[][2] = {
        {"<ds:X509SerialNumber>", "<ds:X509SerialNumber>1"},
        {"<ds:X509IssuerSerial>", "<ds:X509SKI>AAAA</ds:X509SKI><ds:X509IssuerSerial>"},
        {"<ds:X509IssuerSerial>", "<ds:X509Certificate>AAAA</ds:X509Certificate><ds:X509IssuerSerial>"},
        {"<ds:X509IssuerSerial>", "<ds:X509CRL>AAAA</ds:X509CRL><ds:X509IssuerSerial>"},
        {"<ds:X509IssuerSerial>", "<ds:X509Data></ds:X509Data><ds:X509IssuerSerial>"},
    };
    fixture_t *f = *state;
    draft_t draft = world_certificate_draft(f);
    draft.naming = DRAFT_X509_BOTH;
    draft.key = world.other; /* known by its certificate alone */
    for (size_t i = 0; i < FG_ARRAY_SIZE(changes); i++)
        assert_refused(judge_text(f, &draft, draft_write(&draft), changes[i][0], changes[i][1], NULL), FG_E_SIG_KEY);
    assert_taken(judge_text(f, &draft, draft_write(&draft), "<ds:X509IssuerSerial>",
                            "<ds:X509SubjectName>CN=other</ds:X509SubjectName><ds:X509IssuerSerial>", NULL));
}

/* WT-07: whichever of a partner's certificates it is. */
static void partners_are_known_by_both_certificates(void **state) {
    fixture_t *f = *state;
    draft_t draft = world_certificate_draft(f);
    draft.naming = DRAFT_THUMBPRINT;
    world.partners[0] = (fg_partner_t){.name = "rp"};
    assert_refused(judge(f, &draft), FG_E_SIG_KEY);
    world.partners[0].certificate = world.client;
    world.partners[0].encryption_key = world.other;
    assert_taken(judge(f, &draft));
    draft.key = world.other;
    draft.created = "2026-01-01T00:00:01Z";
    assert_taken(judge(f, &draft));
}

/* ---- what must be signed */

static void changed_parts_are_refused(void **state) {
    static const struct {
        const char *from, *to;
        fg_code_t code;
    } cases[] = {
        {"2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", FG_E_SIG_INVALID},
        {"u:Id=\"_to\"", "u:Id=\"_to\" u:x=\"1\"", FG_E_SIG_INVALID},
        {"<ds:DigestValue>", "<ds:DigestValue>AAAA", FG_E_SIG_INVALID},
    };
    fixture_t *f = *state;
    draft_t draft = world_certificate_draft(f);
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++)
        assert_refused(judge_text(f, &draft, draft_write(&draft), cases[i].from, cases[i].to, NULL), cases[i].code);
    assert_taken(judge(f, &draft));
}

/* XS-09: the signed Body is where it is not read, another one is where it is. */
static void a_signed_body_elsewhere_is_refused(void **state) {
    static const char evil[] = "<s:Body><x xmlns=\"urn:x\"/></s:Body>";
    fixture_t *f = *state;
    draft_t draft = world_certificate_draft(f);
    draft.covered |= DRAFT_BODY;
    assert_taken(judge(f, &draft));
    const char *text = draft_write(&draft), *body = strstr(text, "<s:Body"), *end = strstr(body, "</s:Envelope>");
    static const char *const wrappers[][2] = {{"", ""}, {"<w xmlns=\"urn:w\">", "</w>"}};
    for (size_t i = 0; i < FG_ARRAY_SIZE(wrappers); i++) {
        char moved[65536];
        int head = (int)(strstr(text, "</s:Header>") - text);
        snprintf(moved, sizeof moved, "%.*s%s%.*s%s</s:Header>%s</s:Envelope>", head, text, wrappers[i][0],
                 (int)(end - body), body, wrappers[i][1], evil);
        assert_refused(judge_text(f, &draft, moved, NULL, NULL, NULL), FG_E_SIG_STRUCTURE);
    }
    assert_refused(judge_text(f, &draft, text, "</s:Envelope>", "<s:Body/></s:Envelope>", NULL), FG_E_SOAP_STRUCTURE);
}

/* WT-04 */
static void timestamps_must_be_signed_and_new(void **state) {
    fixture_t *f = *state;
    draft_t draft = world_certificate_draft(f);
    draft.covered = DRAFT_TO;
    assert_refused(judge(f, &draft), FG_E_WSS_TIMESTAMP);
    draft = world_certificate_draft(f);
    draft.created = "2025-12-31T23:00:00Z";
    assert_refused(judge(f, &draft), FG_E_WSS_EXPIRED);
    draft = world_certificate_draft(f);
    const char *second = "<u:Timestamp xmlns:u=\"" FG_NS_WSU "\"><u:Created>2026-01-01T00:00:00Z</u:Created>"
                         "</u:Timestamp></o:Security>";
    assert_refused(judge_text(f, &draft, draft_write(&draft), "</o:Security>", second, NULL), FG_E_WSS_TIMESTAMP);
    assert_taken(judge(f, &draft));
}

/* WT-03 */
static void a_message_is_taken_once(void **state) {
    fixture_t *f = *state;
    draft_t draft = world_certificate_draft(f);
    assert_taken(judge(f, &draft));
    assert_refused(judge(f, &draft), FG_E_WSS_REPLAY);
    draft.created = "2026-01-01T00:00:01Z";
    assert_taken(judge(f, &draft));
}

/* To and the second are the same for all who send then. */
static void two_senders_may_sign_the_same(void **state) {
    fixture_t *f = *state;
    draft_t draft = world_certificate_draft(f), other = draft;
    other.key = world.other;
    assert_taken(judge(f, &draft));
    assert_taken(judge(f, &other));
    assert_refused(judge(f, &draft), FG_E_WSS_REPLAY);
    assert_refused(judge(f, &other), FG_E_WSS_REPLAY);
    for (int i = 0; i < 2; i++) {
        world.secret[0] ^= 1;
        draft = world_symmetric_draft(f, FG_STS_13_ISSUED_SYMMETRIC_SHA256);
        assert_taken(judge(f, &draft));
        assert_refused(judge(f, &draft), FG_E_WSS_REPLAY);
    }
}

/* ---- issued tokens */

static void proof_keys_must_sign(void **state) {
    fixture_t *f = *state;
    draft_t draft = world_symmetric_draft(f, FG_STS_13_ISSUED_SYMMETRIC_SHA256);
    assert_taken(judge(f, &draft));
    assert_true(wss->proven);
    assert_ptr_equal(wss->realm, &world.realms[1]);
    assert_string_equal(wss->identity.name_id.value.p, "carol");
    draft.secret = FG_STR("another secret, as long as that.");
    assert_refused(judge(f, &draft), FG_E_SIG_INVALID);
    draft = world_public_draft(f, FG_STS_13_ISSUED_ASYMMETRIC_SHA256);
    assert_taken(judge(f, &draft));
    assert_true(wss->proven);
    draft.key = world.client;
    assert_refused(judge(f, &draft), FG_E_SIG_INVALID);
    /* SA-09: nobody signed, or somebody else did */
    draft = world_public_draft(f, FG_STS_13_ISSUED_ASYMMETRIC_SHA256);
    draft.covered = 0;
    assert_refused(judge(f, &draft), FG_E_TOKEN_CONFIRMATION);
    draft = world_public_draft(f, FG_STS_13_ISSUED_ASYMMETRIC_SHA256);
    draft.naming = DRAFT_BINARY_TOKEN;
    draft.key = world.client;
    assert_refused(judge(f, &draft), FG_E_TOKEN_CONFIRMATION);
    /* the other kind of key has its own address */
    draft = world_public_draft(f, FG_STS_13_ISSUED_SYMMETRIC_SHA256);
    assert_refused(judge(f, &draft), FG_E_TOKEN_CONFIRMATION);
}

/* XS-24: what is public is no secret. */
static void an_hmac_by_a_public_key_is_refused(void **state) {
    fixture_t *f = *state;
    draft_t draft = world_public_draft(f, FG_STS_13_ISSUED_ASYMMETRIC_SHA256);
    draft.key = NULL;
    draft.secret = fg_key_get_certificate_base64(world.other);
    assert_refused(judge(f, &draft), FG_E_SIG_KEY);
}

static void keys_are_derived_and_named_in_every_way(void **state) {
    fixture_t *f = *state;
    for (unsigned version = 0; version < 2; version++) {
        draft_t draft = world_symmetric_draft(f, FG_STS_13_ISSUED_SYMMETRIC_SHA256);
        draft.assertion = world_symmetric_assertion((fg_saml_version_t)version);
        draft.saml = (fg_saml_version_t)version;
        draft.created = version ? "2026-01-01T00:00:04Z" : "2026-01-01T00:00:03Z";
        assert_taken(judge(f, &draft));
        draft.naming = DRAFT_DERIVED;
        draft.covered |= DRAFT_ACTION;
        assert_taken(judge(f, &draft));
        assert_true(wss->proven);
        draft.secret = FG_STR("another secret, as long as that.");
        assert_refused(judge(f, &draft), FG_E_SIG_INVALID);
        draft = world_symmetric_draft(f, FG_STS_13_ISSUED_SYMMETRIC_SHA256);
        draft.naming = DRAFT_ASSERTION_URI;
        draft.created = version ? "2026-01-01T00:00:02Z" : "2026-01-01T00:00:01Z";
        assert_taken(judge(f, &draft));
    }
}

/* A secret that came along encrypted to us could be anybody's. */
static void an_encrypted_key_says_not_who_signed(void **state) {
    fixture_t *f = *state;
    draft_t draft = world_draft(f, FG_STS_13_CERTIFICATE);
    draft.covered = DRAFT_TIMESTAMP | DRAFT_TO;
    draft.naming = DRAFT_ENCRYPTED_KEY;
    assert_refused(judge(f, &draft), FG_E_AUTH_MISSING);
    draft = world_draft(f, FG_STS_13_USERNAME);
    draft.parts |= DRAFT_USERNAME;
    draft.covered = DRAFT_TIMESTAMP;
    draft.naming = DRAFT_ENCRYPTED_KEY;
    assert_refused(judge(f, &draft), FG_E_SIG_KEY);
}

static draft_t vouched_draft(fixture_t *f) {
    draft_t draft = world_certificate_draft(f);
    draft.parts |= DRAFT_SAML;
    draft.assertion = world_assertion(FG_CONFIRM_SENDER_VOUCHES, FG_SAML_11);
    draft.covered |= DRAFT_BODY | DRAFT_SAML;
    draft.key = world.other;
    world.provider.voucher_count = 1;
    return draft;
}

/* SAML token profile 1.1 §3.5.2 */
static void only_those_who_may_vouch_do(void **state) {
    fixture_t *f = *state;
    draft_t draft = vouched_draft(f);
    assert_taken(judge(f, &draft));
    assert_string_equal(wss->identity.name_id.value.p, "carol");
    assert_ptr_equal(wss->realm, &world.realms[1]);
    assert_false(wss->proven);
    draft.key = world.client; /* known, but not a voucher */
    assert_refused(judge(f, &draft), FG_E_TOKEN_CONFIRMATION);
    static const unsigned needed[] = {DRAFT_BODY, DRAFT_SAML};
    for (size_t i = 0; i < FG_ARRAY_SIZE(needed); i++) {
        draft = vouched_draft(f);
        draft.covered &= ~needed[i];
        assert_refused(judge(f, &draft), FG_E_TOKEN_CONFIRMATION);
    }
    draft = vouched_draft(f);
    world.provider.voucher_count = 0;
    assert_refused(judge(f, &draft), FG_E_TOKEN_CONFIRMATION);
    /* a bearer's token is not taken along */
    draft = vouched_draft(f);
    draft.assertion = world_assertion(FG_CONFIRM_BEARER, FG_SAML_11);
    assert_refused(judge(f, &draft), FG_E_WSS_UNSUPPORTED);
    /* and one that must be vouched for is no bearer's */
    draft = world_draft(f, FG_STS_13_ISSUED_ASYMMETRIC);
    draft.parts |= DRAFT_SAML;
    draft.assertion = world_assertion(FG_CONFIRM_SENDER_VOUCHES, FG_SAML_11);
    assert_refused(judge(f, &draft), FG_E_TOKEN_CONFIRMATION);
}

static void assertions_of_strangers_are_refused(void **state) {
    fixture_t *f = *state;
    draft_assertion_t wanted = {.version = FG_SAML_11, .issuer = IDP, .audience = BASE_URL, .issuer_key = world.idp};
    draft_t draft = world_draft(f, FG_STS_13_ISSUED_ASYMMETRIC);
    draft.parts |= DRAFT_SAML;
    draft.assertion = draft_assertion(&wanted);
    assert_taken(judge(f, &draft));
    wanted.issuer_key = world.signing; /* XS-22 */
    draft.assertion = draft_assertion(&wanted);
    assert_refused(judge(f, &draft), FG_E_SIG_INVALID);
    wanted.issuer = "urn:nobody";
    draft.assertion = draft_assertion(&wanted);
    assert_refused(judge(f, &draft), FG_E_TOKEN_ISSUER);
    wanted.issuer_key = world.idp;
    wanted.issuer = IDP;
    wanted.audience = "urn:other"; /* SA-01 */
    draft.assertion = draft_assertion(&wanted);
    assert_refused(judge(f, &draft), FG_E_TOKEN_AUDIENCE);
}

/* WS-Trust 1.3 §4.4.7, UseKey */
static void possession_of_a_key_is_told(void **state) {
    fixture_t *f = *state;
    draft_t draft = world_certificate_draft(f);
    assert_taken(judge(f, &draft));
    assert_true(fg_wss_possesses(wss, world.client));
    assert_false(fg_wss_possesses(wss, world.other));
    draft = world_draft(f, FG_STS_13_USERNAME);
    draft.parts |= DRAFT_USERNAME;
    draft.covered = DRAFT_TIMESTAMP;
    draft.key = world.stranger;
    draft.naming = DRAFT_KEY_VALUE;
    assert_taken(judge(f, &draft));
    assert_true(fg_wss_possesses(wss, world.stranger));
    draft.covered = DRAFT_BODY; /* without the moment it is worth nothing */
    assert_taken(judge(f, &draft));
    assert_false(fg_wss_possesses(wss, world.stranger));
}

/* ---- encryption */

static void encrypted_parts_are_read(void **state) {
    static const fg_enc_algorithm_t algorithms[] = {FG_ENC_AES256_GCM, FG_ENC_AES128_GCM, FG_ENC_AES256_CBC,
                                                    FG_ENC_AES128_CBC};
    fixture_t *f = *state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(algorithms); i++) {
        draft_t draft = world_draft(f, FG_STS_13_USERNAME);
        draft.parts |= DRAFT_USERNAME;
        draft.encrypted = DRAFT_USERNAME | DRAFT_BODY;
        draft.algorithm = algorithms[i];
        assert_taken(judge(f, &draft));
        assert_string_equal(wss->username.username.p, "alice");
        const fg_soap_message_t *message = f->ex->state;
        assert_string_equal((const char *)message->payload->name, "RequestSecurityToken");
        draft.recipient = world.other;
        assert_refused(judge(f, &draft), FG_E_DECRYPT);
    }
    draft_t draft = world_draft(f, FG_STS_13_ISSUED_ASYMMETRIC);
    draft.parts |= DRAFT_SAML;
    draft.assertion = world_assertion(FG_CONFIRM_BEARER, FG_SAML_20);
    draft.encrypted = DRAFT_SAML;
    assert_taken(judge(f, &draft));
}

/* In whichever order they were made. */
static void signed_then_encrypted_or_the_other_way_round(void **state) {
    fixture_t *f = *state;
    draft_t draft = world_message_draft(f);
    assert_taken(judge(f, &draft));
    draft.created = "2026-01-01T00:00:01Z";
    draft.soap = FG_SOAP_11;
    assert_taken(judge(f, &draft));
    /* XS-09: what was signed as it came in is not what it became */
    draft.encrypt_first = true;
    draft.created = "2026-01-01T00:00:02Z";
    assert_refused(judge(f, &draft), FG_E_SIG_INVALID);
    draft.key_behind = true;
    assert_taken(judge(f, &draft));
}

/* WS-Security 1.1 §9.3: what comes of an EncryptedHeader is signed and judged as the header that it was, and what
 * stands behind it was not encrypted. */
static void encrypted_headers_are_headers(void **state) {
    fixture_t *f = *state;
    for (unsigned i = 0; i < 4; i++) {
        static const char *const moments[] = {"2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", "2026-01-01T00:00:02Z",
                                              "2026-01-01T00:00:03Z"};
        draft_t draft = world_certificate_draft(f);
        draft.created = moments[i];
        draft.soap = (fg_soap_version_t)(i & 1);
        draft.encrypt_first = draft.key_behind = (i & 2) != 0;
        draft.encrypted = DRAFT_TO;
        assert_taken(judge(f, &draft));
        const fg_soap_message_t *message = f->ex->state;
        assert_string_equal((const char *)message->to->name, "To");
        assert_ptr_equal(message->to->parent, message->header);
        assert_true(fg_wss_is_signed(wss, message->to));
        assert_true(fg_wss_header_was_encrypted(&wss->header, message->to));
        assert_false(fg_wss_header_was_encrypted(&wss->header, message->security));
        draft.covered = DRAFT_TIMESTAMP;
        assert_refused(judge(f, &draft), FG_E_SIG_MISSING);
        draft = world_certificate_draft(f);
        draft.encrypted = DRAFT_TO;
        draft.to = "/adfs/services/trust/13/elsewhere";
        assert_refused(judge(f, &draft), FG_E_WSA_HEADER);
    }
}

/* WT-11, XS-09: a header that comes to light is one too many, or nobody can read it. */
static void encryption_hides_no_header(void **state) {
#define BEFORE_SECURITY(header) "<o:Security", header "<o:Security"
#define LEFT(must) "<k:EncryptedHeader xmlns:k='" FG_NS_WSSE11 "' s:mustUnderstand='" must "'/>"
    fixture_t *f = *state;
    draft_t draft = world_certificate_draft(f);
    draft.encrypted = DRAFT_TO;
    const char *text = draft_write(&draft);
    assert_refused(
        judge_text(f, &draft, text,
                   BEFORE_SECURITY("<a:To xmlns:a='" FG_NS_WSA
                                   "'>https://fs.example.com/adfs/services/trust/13/certificatemixed</a:To>"),
                   NULL),
        FG_E_WSA_HEADER);
    assert_refused(judge_text(f, &draft, text, BEFORE_SECURITY(LEFT("1")), NULL), FG_E_SOAP_MUST_UNDERSTAND);
    assert_taken(judge_text(f, &draft, text, BEFORE_SECURITY(LEFT("0")), NULL));
}

/* SAML 2.0 core §2.3.4: the key of an EncryptedAssertion stands beside what it opens. */
static void encrypted_assertions_bring_their_keys(void **state) {
    static const char *const infos[] = {"", "<r:RetrievalMethod xmlns:r=\"" FG_NS_DS
                                            "\" URI=\"#_skey\"></r:RetrievalMethod>"};
    fixture_t *f = *state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(infos); i++) {
        draft_t draft = world_public_draft(f, FG_STS_13_ISSUED_ASYMMETRIC);
        draft.created = i == 0 ? "2026-01-01T00:00:00Z" : "2026-01-01T00:00:01Z";
        draft.encrypted = DRAFT_SAML;
        draft.beside = infos[i];
        assert_taken(judge(f, &draft));
        assert_true(wss->proven);
        assert_true(fg_wss_header_was_encrypted(&wss->header, wss->issued->element));
        draft.recipient = world.other;
        assert_refused(judge(f, &draft), FG_E_DECRYPT);
    }
    draft_t draft = world_public_draft(f, FG_STS_13_ISSUED_ASYMMETRIC);
    draft.encrypted = DRAFT_SAML;
    draft.beside = "<r:RetrievalMethod xmlns:r=\"" FG_NS_DS "\" URI=\"#_elsewhere\"></r:RetrievalMethod>";
    assert_refused(judge(f, &draft), FG_E_TOKEN_MALFORMED);
}

/* ---- answers */

/* As the client does it: opens the Body by its key, then sees what our key signed. */
static xmlNode *read_answer(fixture_t *f, fg_arena_t *arena, const fg_key_t *recipient, fg_dsig_message_t *signed_by) {
    fg_err_t err = FG_ERR_INIT;
    fg_str_t secret;
    xmlNode *first;
    const fg_dsig_scope_t scope = {false, NULL, NULL};
    const fg_enc_recipients_t us = {&recipient, 1};
    xmlDoc *doc = fg_xml_parse(arena, fg_buf_str(&f->ex->response.body), &f->hub.xml, &err);
    assert_non_null(doc);
    xmlNode *root = xmlDocGetRootElement(doc);
    const xmlNode *key = find_path(root, "Header/Security/EncryptedKey");
    assert_true(fg_xmlenc_unwrap(arena, key, &us, 32, &secret, &err));
    assert_true(fg_xmlenc_decrypt(arena, find_path(root, "Body/EncryptedData"), secret, NULL, &first, &err));
    assert_true(fg_dsig_message_read(arena, find_path(root, "Header/Security/Signature"), &scope, signed_by, &err));
    assert_true(fg_dsig_message_verify(signed_by, world.signing, &err));
    assert_false(fg_dsig_message_verify(signed_by, world.idp, &err));
    return root;
}

static bool is_covered(const fg_dsig_message_t *message, const xmlNode *node) {
    for (size_t i = 0; i < message->reference_count; i++)
        if (message->references[i].element == node)
            return true;
    return false;
}

static void answer(fg_exchange_t *ex) {
    fg_xw_t w;
    static const fg_xns_t x = {"x", "urn:x"};
    const fg_soap_message_t *message = ex->state;
    fg_soap_begin(ex, message, "urn:answer", true, &w);
    fg_xw_leafz(&w, &x, "Answer", "here it is");
    assert_true(fg_soap_end(ex, message, 200, &w));
}

static void answers_are_signed_and_encrypted(void **state) {
    fixture_t *f = *state;
    for (unsigned soap = 0; soap < 2; soap++) {
        draft_t draft = world_message_draft(f);
        fg_arena_t *arena = fg_arena_new(0);
        draft.soap = (fg_soap_version_t)soap;
        draft.algorithm = soap ? FG_ENC_AES256_CBC : FG_ENC_AES256_GCM;
        draft.created = soap ? "2026-01-01T00:00:00Z" : "2026-01-01T00:00:01Z";
        assert_taken(judge(f, &draft));
        answer(f->ex);
        assert_null(strstr(f->ex->response.body.data, "here it is"));
        fg_dsig_message_t by;
        xmlNode *root = read_answer(f, arena, world.client, &by);
        static const char *const covered[] = {"Header/Action", "Header/RelatesTo", "Header/Security/Timestamp",
                                              "Header/Security/SignatureConfirmation", "Body"};
        for (size_t i = 0; i < FG_ARRAY_SIZE(covered); i++)
            assert_true(is_covered(&by, find_path(root, covered[i])));
        /* WS-Security 1.1 §8.5 */
        fg_str_t value = fg_xml_attr(arena, find_path(root, "Header/Security/SignatureConfirmation"), NULL, "Value");
        assert_true(value.n > 300 && strstr(f->ex->request.body.p, value.p) != NULL);
        assert_string_equal(fg_xml_text(arena, find_path(root, "Body/Answer"), NULL).p, "here it is");
        fg_arena_free(arena);
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_refill, world_end)
    const struct CMUnitTest tests[] = {
        TEST(the_table_is_what_the_wsdl_says_and_what_is_enforced),
        TEST(suite_and_layout_are_published_as_they_are),
        TEST(where_to_must_be_signed_it_must_be_there),
        TEST(sha1_belongs_to_basic256),
        TEST(every_name_of_a_known_certificate_leads_to_it),
        TEST(certificates_that_nobody_knows_are_refused),
        TEST(two_names_are_of_one_certificate),
        TEST(partners_are_known_by_both_certificates),
        TEST(references_lead_nowhere_else),
        TEST(x509_data_names_one_certificate),
        TEST(attachments_are_refused),
        TEST(strict_layout_wants_tokens_before_their_use),
        TEST(changed_parts_are_refused),
        TEST(a_signed_body_elsewhere_is_refused),
        TEST(timestamps_must_be_signed_and_new),
        TEST(a_message_is_taken_once),
        TEST(two_senders_may_sign_the_same),
        TEST(proof_keys_must_sign),
        TEST(an_hmac_by_a_public_key_is_refused),
        TEST(keys_are_derived_and_named_in_every_way),
        TEST(an_encrypted_key_says_not_who_signed),
        TEST(only_those_who_may_vouch_do),
        TEST(assertions_of_strangers_are_refused),
        TEST(possession_of_a_key_is_told),
        TEST(encrypted_parts_are_read),
        TEST(signed_then_encrypted_or_the_other_way_round),
        TEST(encrypted_headers_are_headers),
        TEST(encryption_hides_no_header),
        TEST(encrypted_assertions_bring_their_keys),
        TEST(answers_are_signed_and_encrypted),
    };
    return cmocka_run_group_tests(tests, world_start, world_stop);
}
