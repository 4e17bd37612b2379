/* SPDX-License-Identifier: GPL-2.0-or-later
 * fedgate token explain: why a token is refused, and what probably happened to it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bridges/saml/message.h"
#include "cli/mutation.h"
#include "cli/token.h"
#include "cli/verify.h"
#include "core/json.h"
#include "core/time.h"

typedef struct findings {
    const fg_verify_t *v;
    json_t *list; /* of texts */
} findings_t;

static void find(findings_t *f, const char *format, ...) FG_PRINTF(2, 3);
static void find(findings_t *f, const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    json_t *value = json_string(text);
    json_array_append_new(f->list, value != NULL ? value : json_string("(not UTF-8)"));
}

/* ---- the signed element */

/* The element with the signature that failed, and the document that it stands in. */
static xmlNode *find_signed(const fg_verify_t *v, fg_str_t *xml) {
    const fg_piece_t *piece = v->subject;
    while (piece != NULL && (piece->xml == NULL || fg_xml_child(piece->xml, FG_NS_DS, "Signature", NULL) == NULL))
        piece = fg_piece_next(piece);
    if (piece == NULL)
        return NULL;
    xmlNode *element = piece->xml;
    while (piece != NULL && piece->bytes.p == NULL && piece->parent != NULL && piece->parent->xml != NULL &&
           piece->parent->xml->doc == piece->xml->doc)
        piece = piece->parent;
    if (piece->bytes.p != NULL) {
        *xml = piece->bytes;
        return element;
    }
    /* what came out of a decryption has no text of its own any more */
    fg_buf_t out = FG_BUF_INIT(FG_INPUT_MAX);
    bool good = fg_xml_canonical(xmlDocGetRootElement(element->doc), &out, NULL);
    *xml = good ? fg_arena_str(v->arena, fg_buf_str(&out)) : FG_STR_NONE;
    fg_buf_free(&out);
    return xml->p != NULL ? element : NULL;
}

/* ---- differences from an original */

static const xmlNode *signed_of(const fg_piece_t *root) {
    for (const fg_piece_t *piece = root; piece != NULL; piece = fg_piece_next(piece))
        if (piece->xml != NULL && fg_xml_child(piece->xml, FG_NS_DS, "Signature", NULL) != NULL)
            return piece->xml;
    return NULL;
}

static void compare_attributes(findings_t *f, const xmlNode *old, const xmlNode *new) {
    for (const xmlAttr *one = new->properties; one != NULL; one = one->next) {
        fg_str_t now = fg_xml_attr(f->v->arena, new, one->ns ? (const char *)one->ns->href : NULL,
                                   (const char *)one->name),
                 was = fg_xml_attr(f->v->arena, old, one->ns ? (const char *)one->ns->href : NULL,
                                   (const char *)one->name);
        if (was.p == NULL)
            find(f, "<%s> got the attribute %s=\"%.*s\"", (const char *)new->name, (const char *)one->name,
                 FG_STR_ARG(now));
        else if (!fg_str_eq(was, now))
            find(f, "the attribute %s of <%s> was edited: \"%.*s\" became \"%.*s\"", (const char *)one->name,
                 (const char *)new->name, FG_STR_ARG(was), FG_STR_ARG(now));
    }
    for (const xmlAttr *one = old->properties; one != NULL; one = one->next)
        if (fg_xml_attr(f->v->arena, new, one->ns ? (const char *)one->ns->href : NULL, (const char *)one->name).p ==
            NULL)
            find(f, "<%s> lost the attribute %s", (const char *)old->name, (const char *)one->name);
}

static void compare(findings_t *f, const xmlNode *old, const xmlNode *new) {
    fg_str_t was = fg_xml_text(f->v->arena, old, NULL), now = fg_xml_text(f->v->arena, new, NULL);
    compare_attributes(f, old, new);
    if (was.p != NULL && now.p != NULL && !fg_str_eq(was, now)) {
        const xmlNode *above = new->parent;
        find(f, "<%s> in <%s> was edited: \"%.*s\" became \"%.*s\"", (const char *)new->name,
             above != NULL && above->name != NULL ? (const char *)above->name : "", FG_STR_ARG(was), FG_STR_ARG(now));
    }
    const xmlNode *a = fg_xml_first_child(old), *b = fg_xml_first_child(new);
    for (; a != NULL && b != NULL; a = fg_xml_next(a), b = fg_xml_next(b)) {
        if (strcmp((const char *)a->name, (const char *)b->name) != 0) {
            find(f, "<%s> stands where <%s> stood", (const char *)b->name, (const char *)a->name);
            return;
        }
        compare(f, a, b);
    }
    if (a != NULL)
        find(f, "<%s> in <%s> is missing", (const char *)a->name, (const char *)old->name);
    if (b != NULL)
        find(f, "<%s> in <%s> was added", (const char *)b->name, (const char *)new->name);
}

static void compare_with_original(findings_t *f, const char *path, const xmlNode *element) {
    fg_err_t err = FG_ERR_INIT;
    fg_str_t bytes;
    fg_unwrap_t unwrap = {.arena = f->v->arena, .limits = &fg_token_show_limits};
    if (!fg_input_read(f->v->arena, path, FG_INPUT_MAX, &bytes, &err)) {
        find(f, "the original cannot be read: %s", err.detail);
        return;
    }
    const fg_piece_t *root = fg_piece_read(&unwrap, bytes);
    const xmlNode *original = root != NULL ? signed_of(root) : NULL;
    size_t before = json_array_size(f->list);
    if (original == NULL)
        find(f, "the original holds nothing that is signed");
    else
        compare(f, original, element);
    if (json_array_size(f->list) == before)
        find(f, "it says the same as the original: what differs is white space or the signature");
}

/* ---- a digest that does not fit */

static fg_hash_t hash_of(fg_str_t uri) {
    static const struct {
        const char *end;
        fg_hash_t hash;
    } ends[] = {{"sha1", FG_HASH_SHA1}, {"sha384", FG_HASH_SHA384}, {"sha512", FG_HASH_SHA512}};
    for (size_t i = 0; i < FG_ARRAY_SIZE(ends); i++)
        if (uri.n > strlen(ends[i].end) &&
            memcmp(uri.p + uri.n - strlen(ends[i].end), ends[i].end, strlen(ends[i].end)) == 0)
            return ends[i].hash;
    return FG_HASH_SHA256;
}

/* Whether a trusted key made the signature over SignedInfo as it stands. */
static bool signed_info_holds(const fg_verify_t *v, const xmlNode *signature, xmlNode *info) {
    const xmlNode *value = fg_xml_child(signature, FG_NS_DS, "SignatureValue", NULL),
                  *method = fg_xml_child(info, FG_NS_DS, "SignatureMethod", NULL);
    fg_str_t text = value != NULL ? fg_xml_token(v->arena, value, NULL) : FG_STR_NONE;
    fg_buf_t canonical = FG_BUF_INIT(1u << 20), bytes = FG_BUF_INIT(4096);
    bool holds = false;
    if (method != NULL && text.p != NULL && fg_base64_decode_xml(&bytes, text) &&
        fg_xml_canonical(info, &canonical, NULL))
        for (size_t i = 0; i < v->trust.key_count && !holds; i++)
            holds = fg_key_verify_hash(v->trust.keys[i], hash_of(fg_xml_attr(v->arena, method, NULL, "Algorithm")),
                                       fg_buf_str(&canonical), fg_buf_str(&bytes), NULL);
    fg_buf_free(&canonical);
    fg_buf_free(&bytes);
    return holds;
}

/* Whether the signer's own statement of the digest is intact: then it is the content that was changed. */
static void judge_signed_info(findings_t *f, const xmlNode *element) {
    const xmlNode *signature = fg_xml_child(element, FG_NS_DS, "Signature", NULL);
    xmlNode *info = signature ? fg_xml_child(signature, FG_NS_DS, "SignedInfo", NULL) : NULL;
    if (info == NULL)
        return;
    if (signed_info_holds(f->v, signature, info))
        find(f, "a trusted key did sign this digest: the content was changed, not the signature");
    else if (fg_mutation_drop_blanks(info) && signed_info_holds(f->v, signature, info))
        find(f, "the signature was indented along with the content; without that, a trusted key did sign this digest");
    else
        find(f, "the signature over the digest does not hold either: the signature was changed as well, or another key "
                "made it");
}

static void explain_digest(findings_t *f, const fg_verify_options_t *options) {
    fg_mutation_t *m = fg_arena_alloc(f->v->arena, sizeof *m);
    fg_str_t xml;
    const xmlNode *element = find_signed(f->v, &xml);
    if (element == NULL || m == NULL || !fg_mutation_begin(m, f->v->arena, xml, element)) {
        find(f, "the signature is over parts of a message: compare it with what the sender logged");
        return;
    }
    judge_signed_info(f, element);
    if (fg_mutation_search(m))
        find(f, "found: %s. Undoing that makes the digest right", m->found);
    else if (options->original == NULL)
        find(f,
             "nothing that was tried (white space, line ends, prefixes, escapes, transcoding, base64, additions) makes "
             "it right: a value was edited; --original FILE tells which");
    if (options->original != NULL)
        compare_with_original(f, options->original, element);
    if (!options->canonical)
        find(f, "--canonical prints the bytes that are digested");
}

static void print_canonical(const fg_verify_t *v) {
    fg_mutation_t *m = fg_arena_alloc(v->arena, sizeof *m);
    fg_buf_t out = FG_BUF_INIT(FG_INPUT_MAX);
    fg_str_t xml;
    const xmlNode *element = find_signed(v, &xml);
    if (element != NULL && m != NULL && fg_mutation_begin(m, v->arena, xml, element) && fg_mutation_canonical(m, &out))
        fwrite(out.data, 1, out.length, stdout);
    else
        fg_cli_say("there is no enveloped signature whose bytes could be shown");
    fg_buf_free(&out);
}

/* ---- keys */

static fg_key_t *named_key(const fg_verify_t *v) {
    fg_str_t xml;
    const xmlNode *element = find_signed(v, &xml);
    const xmlNode *node = element ? fg_xml_child(element, FG_NS_DS, "Signature", NULL) : NULL;
    static const char *const names[] = {"KeyInfo", "X509Data", "X509Certificate"};
    for (size_t i = 0; node != NULL && i < FG_ARRAY_SIZE(names); i++)
        node = fg_xml_child(node, FG_NS_DS, names[i], NULL);
    fg_str_t text = node != NULL ? fg_xml_token(v->arena, node, NULL) : FG_STR_NONE;
    fg_buf_t der = FG_BUF_INIT(16u << 10);
    fg_key_t *key =
        text.p != NULL && fg_base64_decode_xml(&der, text) ? fg_key_from_certificate_der(fg_buf_str(&der), NULL) : NULL;
    fg_buf_free(&der);
    return key;
}

/* RFC 5280 §4.1.2.6: who renews a certificate mostly keeps its subject. */
static bool same_subject(const fg_key_t *a, const fg_key_t *b) {
    X509 *one = fg_key_get_x509(a), *other = fg_key_get_x509(b);
    return one != NULL && other != NULL && X509_NAME_cmp(X509_get_subject_name(one), X509_get_subject_name(other)) == 0;
}

static void list_keys(findings_t *f) {
    char from[FG_TIME_SIZE], until[FG_TIME_SIZE];
    for (size_t i = 0; i < f->v->trust.key_count; i++) {
        const fg_key_t *key = f->v->trust.keys[i];
        int64_t end = fg_key_get_not_after(key), start = fg_key_get_not_before(key), now = fg_now(&f->v->env);
        fg_time_format(start, from);
        fg_time_format(end, until);
        if (fg_key_get_x509(key) == NULL)
            find(f, "trusted: the key %s", fg_key_get_id(key));
        else
            find(f, "trusted: certificate %s, %.10s to %.10s%s", fg_key_get_thumbprint(key), from, until,
                 end < now     ? ", which has expired"
                 : start > now ? ", which is not valid yet"
                               : "");
    }
}

/* Whether the signature holds under the certificate that comes with it: then it is sound, and only the key is new. */
static bool holds_under(const fg_verify_t *v, const fg_key_t *key) {
    fg_str_t xml;
    fg_dsig_verified_t verified;
    xmlNode *element = find_signed(v, &xml);
    const fg_key_t *keys[] = {key};
    const fg_dsig_trust_t trust = {keys, 1, true};
    const char *id = element != NULL && fg_xml_is(element, FG_NS_SAML1, "Assertion") ? "AssertionID" : "ID";
    return element != NULL && fg_dsig_verify_enveloped(element, id, &trust, &verified, NULL);
}

static void explain_key(findings_t *f) {
    fg_key_t *named = named_key(f->v);
    bool rolled = false;
    list_keys(f);
    if (named == NULL) {
        fg_str_t kid = fg_facts_get(f->v->facts, "key_id");
        if (kid.p != NULL)
            find(f, "the token names the key %.*s; the trusted ones are:", FG_STR_ARG(kid));
        for (size_t i = 0; kid.p != NULL && i < f->v->trust.jwk_count; i++)
            find(f, "  %.*s", FG_STR_ARG(f->v->trust.jwks[i].kid));
        return;
    }
    bool holds = holds_under(f->v, named);
    find(f, "the message names the certificate %s", fg_key_get_thumbprint(named));
    find(f, holds
                ? "the signature holds under that certificate: nothing was changed, but the certificate is not trusted"
                : "the signature does not hold under that certificate either");
    for (size_t i = 0; i < f->v->trust.key_count; i++)
        rolled = rolled || (same_subject(f->v->trust.keys[i], named) &&
                            fg_key_get_not_before(named) >= fg_key_get_not_before(f->v->trust.keys[i]));
    if (holds && rolled)
        find(f,
             "its subject is that of a trusted one, and it is newer: the partner has rolled its key. Read its metadata "
             "again");
    else if (holds)
        find(f, "its subject is another: it may be somebody else's, or the partner's new key; ask the partner for its "
                "thumbprint before trusting it");
    fg_key_unref(named);
}

/* ---- values */

static void explain_times(findings_t *f) {
    static const struct {
        const char *fact;
        bool end;
    } times[] = {{"not_before", false},
                 {"issued", false},
                 {"not_on_or_after", true},
                 {"confirmation_until", true},
                 {"authenticated", false}};
    int64_t now = fg_now(&f->v->env), ms;
    for (size_t i = 0; i < FG_ARRAY_SIZE(times); i++) {
        fg_str_t text = fg_facts_get(f->v->facts, times[i].fact);
        if (text.p == NULL || !fg_time_parse(fg_str_trim(text), &ms))
            continue;
        int64_t off = times[i].end ? now - ms : ms - now;
        if (off < 0 || (off == 0 && !times[i].end))
            continue;
        find(f, "%s is %.*s: %s by %" PRId64 " s", times[i].fact, FG_STR_ARG(text), times[i].end ? "over" : "to come",
             off / FG_SECOND);
        if (off < f->v->skew_ms)
            find(f, "clocks that differ explain it: up to %" PRId64 " s are taken", f->v->skew_ms / FG_SECOND);
        else if (off <= 15 * FG_MINUTE)
            find(f,
                 "clocks that differ by some minutes would explain it: compare both; --skew %" PRId64 " would take it",
                 off / FG_SECOND + 1);
        else
            find(f, "no difference of clocks explains that: the token was kept, or sent again");
    }
}

/* In what two names differ that people take for the same. */
static const char *likeness(fg_str_t a, fg_str_t b) {
    while (a.n > 0 && a.p[a.n - 1] == '/')
        a.n--;
    while (b.n > 0 && b.p[b.n - 1] == '/')
        b.n--;
    if (fg_str_eq(a, b))
        return "they differ in a slash at the end";
    if (fg_str_eq_nocase(a, b))
        return "they differ in capital letters";
    const char *one = memmem(a.p, a.n, "://", 3), *other = memmem(b.p, b.n, "://", 3);
    if (one != NULL && other != NULL &&
        fg_str_eq((fg_str_t){one, (size_t)(a.p + a.n - one)}, (fg_str_t){other, (size_t)(b.p + b.n - other)}))
        return "they differ in http and https";
    return NULL;
}

static void explain_names(findings_t *f, fg_check_t check) {
    const fg_check_result_t *result = &f->v->checks[check];
    find(f, "expected: %.*s", FG_STR_ARG(result->expected));
    find(f, "actual:   %.*s", FG_STR_ARG(result->actual));
    const char *what = result->expected.p && result->actual.p ? likeness(result->expected, result->actual) : NULL;
    if (what != NULL)
        find(f, "%s", what);
}

/* ---- a signature beside the message */

typedef struct beside {
    fg_verify_t *v;
} beside_t;

static bool verify_query(void *context, fg_str_t query) {
    fg_verify_t *v = ((beside_t *)context)->v;
    fg_saml_inbound_t in;
    fg_entity_keys_t keys = {.allow_sha1 = true};
    bool is_signed;
    for (size_t i = 0; i < v->trust.key_count && keys.count < FG_ENTITY_KEYS; i++)
        keys.items[keys.count++] = (fg_key_t *)(uintptr_t)v->trust.keys[i];
    v->ex->request.query = query;
    return fg_saml_receive(v->ex, &in, NULL) && fg_saml_verify(&in, &keys, &is_signed, NULL) && is_signed;
}

static void explain_value(findings_t *f, fg_verify_t *v) {
    const fg_piece_t *carrier = v->subject;
    beside_t beside = {v};
    while (carrier != NULL && carrier->kind != FG_PIECE_FORM)
        carrier = carrier->parent;
    const char *found =
        carrier != NULL ? fg_mutation_search_query(v->arena, carrier->bytes, verify_query, &beside) : NULL;
    if (found != NULL)
        find(f, "found: %s. A proxy or a log has rewritten them; undoing that makes the signature right", found);
    else
        explain_key(f);
}

/* ---- the table */

static void explain(findings_t *f, fg_verify_t *v, const fg_verify_options_t *options, fg_check_t check) {
    if (check == FG_CHECK_DIGEST)
        explain_digest(f, options);
    else if (check == FG_CHECK_KEY)
        explain_key(f);
    else if (check == FG_CHECK_SIGNATURE)
        explain_value(f, v);
    else if (check == FG_CHECK_TIMES)
        explain_times(f);
    else if (v->checks[check].expected.p != NULL)
        explain_names(f, check);
}

static void print_findings(const fg_verify_t *v, const json_t *list, bool as_json) {
    const fg_reason_row_t *row = fg_reason_get(v->err.reason);
    if (as_json) {
        json_t *object =
            json_pack("{s:s,s:O}", "verdict", v->err.code == FG_OK ? "valid" : "invalid", "findings", list);
        if (v->err.code != FG_OK) {
            json_object_set_new(object, "reason", json_string(row->code));
            json_object_set_new(object, "remedy", json_string(row->remedy));
        }
        json_dumpf(object, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(object);
        return;
    }
    if (v->err.code == FG_OK)
        puts("valid");
    else
        printf("invalid: %s: %s\n  %s\n", row->code, row->cause, v->err.detail);
    for (size_t i = 0; i < json_array_size(list); i++) {
        fputs("  - ", stdout);
        fg_print_safe(stdout, fg_str(json_string_value(json_array_get(list, i))));
        putchar('\n');
    }
    if (v->err.code != FG_OK)
        printf("  what to do: %s\n", row->remedy);
}

static void explain_all(fg_verify_t *v, const fg_verify_options_t *options) {
    findings_t f = {v, json_array()};
    if (options->canonical) {
        print_canonical(v);
        json_decref(f.list);
        return;
    }
    for (unsigned i = 0; v->subject != NULL && i < FG_CHECKS; i++)
        if (v->checks[i].outcome == FG_OUTCOME_FAILED)
            explain(&f, v, options, (fg_check_t)i);
    print_findings(v, f.list, options->json);
    json_decref(f.list);
}

int fg_cli_token_explain(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    fg_verify_options_t options = {.explain = explain_all};
    return fg_token_judge(command, env, argc, argv, &options);
}
