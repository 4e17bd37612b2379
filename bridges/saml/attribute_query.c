/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * AttributeQuery (core §3.3.2.3): a service provider asks again for the attributes of somebody whom it was told of.
 * What is known of the person is what was known when they signed in; it is kept for as long as a session may last. */
#include "bridges/saml/peer.h"
#include "bridges/saml/response.h"
#include "bridges/saml/saml.h"
#include "bridges/saml/soap.h"
#include "core/crypto.h"
#include "hub/audit.h"
#include "hub/bytes.h"
#include "hub/issue.h"
#include "hub/session.h"

#define MESSAGE_MAX (512u << 10)
#define ATTRIBUTES_MAX 128u

typedef struct query {
    fg_saml_peer_t peer;
    fg_saml_head_t head;
    fg_name_id_t name_id;
    fg_str_t *wanted;
    size_t wanted_count;
    fg_session_t session;
} query_t;

/* ---- whom a name means */

/* One entry of the store for a partner and a name in all its parts (SA-10). */
static fg_str_t note_key(fg_exchange_t *ex, fg_str_t realm, const fg_name_id_t *name_id) {
    const fg_str_t parts[] = {realm, name_id->value, name_id->format, name_id->name_qualifier,
                              name_id->sp_name_qualifier};
    unsigned char digest[FG_SHA256_SIZE];
    char hex[2 * FG_SHA256_SIZE + 1];
    fg_buf_t bytes = FG_BUF_INIT(16u << 10);
    for (size_t i = 0; i < FG_ARRAY_SIZE(parts); i++)
        fg_bytes_put_string(&bytes, parts[i]);
    bool fits = fg_buf_ok(&bytes);
    fg_sha256(bytes.data, bytes.length, digest);
    fg_buf_free(&bytes);
    fg_hex_encode(digest, sizeof digest, hex);
    return fits ? fg_str(fg_arena_printf(ex->arena, "saml-subject:%s", hex)) : FG_STR_NONE;
}

bool fg_saml_query_note(fg_exchange_t *ex, const fg_partner_t *partner, const fg_name_id_t *name_id,
                        const fg_session_t *session, fg_err_t *err) {
    if (!partner->attribute_queries || ex->env->store == NULL)
        return true;
    fg_session_t *alone = fg_arena_alloc(ex->arena, sizeof *alone);
    fg_str_t key = note_key(ex, partner->realms[0], name_id);
    if (alone == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "noting a person");
    *alone = *session;
    alone->party_count = 0; /* which applications somebody uses is nobody's business here */
    fg_buf_t bytes = FG_BUF_INIT(FG_STORE_VALUE_MAX);
    fg_session_write(&bytes, alone);
    int64_t until = session->created_ms + ex->hub->session_absolute_ms;
    bool noted = key.p != NULL && fg_buf_ok(&bytes) &&
                 ex->env->store->put(ex->env->store, key, fg_buf_str(&bytes), ex->now_ms, until) == FG_STORE_OK;
    fg_buf_free(&bytes);
    if (!noted) /* the sign-in itself is not hurt by that */
        fg_log(ex->env, FG_LOG_WARN, "%s: %s will not be answered when it asks for attributes: no room",
               ex->correlation_id, partner->name);
    return true;
}

static bool find_person(fg_exchange_t *ex, query_t *q, fg_err_t *err) {
    fg_store_t *store = ex->env->store;
    char value[FG_STORE_VALUE_MAX];
    size_t length = sizeof value;
    fg_str_t key = note_key(ex, q->peer.partner->realms[0], &q->name_id);
    if (store == NULL || key.p == NULL)
        return FG_FAIL(err, FG_E_UNAVAILABLE, "no store");
    fg_store_result_t result = store->get(store, key, ex->now_ms, value, &length);
    if (result == FG_STORE_MISSING)
        return FG_FAIL(err, FG_E_SAML_PRINCIPAL, "NameID \"%.*s\"", FG_STR_ARG(q->name_id.value));
    if (result != FG_STORE_OK)
        return FG_FAIL(err, FG_E_UNAVAILABLE, "the store cannot answer");
    fg_str_t bytes = fg_arena_str(ex->arena, (fg_str_t){value, length});
    if (bytes.p == NULL || !fg_session_read(ex->arena, bytes, &q->session))
        return FG_FAIL(err, FG_E_SAML_PRINCIPAL, "what was noted cannot be read");
    return !fg_session_is_ended(ex, q->session.id) || FG_FAIL(err, FG_E_SAML_PRINCIPAL, "the session has ended");
}

/* ---- the question */

static bool read_subject(fg_exchange_t *ex, query_t *q, const xmlNode *root, fg_err_t *err) {
    const xmlNode *subject = fg_xml_only_child(root, FG_NS_SAML2, "Subject", NULL);
    const xmlNode *node = subject ? fg_xml_only_child(subject, FG_NS_SAML2, "NameID", NULL) : NULL;
    if (node == NULL)
        return FG_FAIL(err, FG_E_SAML_MESSAGE, "AttributeQuery without one Subject with one NameID");
    q->name_id.value = fg_xml_text(ex->arena, node, err);
    q->name_id.format = fg_str_trim(fg_xml_attr(ex->arena, node, NULL, "Format"));
    q->name_id.name_qualifier = fg_xml_attr(ex->arena, node, NULL, "NameQualifier");
    q->name_id.sp_name_qualifier = fg_xml_attr(ex->arena, node, NULL, "SPNameQualifier");
    return q->name_id.value.p != NULL;
}

static bool read_wanted(fg_exchange_t *ex, query_t *q, const xmlNode *root, fg_err_t *err) {
    q->wanted = fg_arena_alloc(ex->arena, ATTRIBUTES_MAX * sizeof *q->wanted);
    if (q->wanted == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "AttributeQuery");
    for (const xmlNode *node = fg_xml_first_child(root); node != NULL; node = fg_xml_next(node)) {
        if (!fg_xml_is(node, FG_NS_SAML2, "Attribute"))
            continue;
        fg_str_t name = fg_xml_attr(ex->arena, node, NULL, "Name");
        if (name.n == 0 || q->wanted_count == ATTRIBUTES_MAX)
            return FG_FAIL(err, FG_E_SAML_MESSAGE, "Attribute without Name, or more than %u", ATTRIBUTES_MAX);
        q->wanted[q->wanted_count++] = name;
    }
    return true;
}

/* ---- the answer */

static bool answer(fg_exchange_t *ex, const query_t *q, const char *name, fg_str_t assertion, const fg_err_t *why,
                   fg_err_t *err) {
    fg_buf_t xml = FG_BUF_INIT(MESSAGE_MAX);
    const fg_saml_response_t response = {
        .name = name,
        .issuer = ex->hub->entity_id,
        .in_response_to = q->head.id,
        .assertion = assertion,
        .err = why,
        .is_signed = true,
    };
    bool done =
        fg_saml_response_write(ex, &response, &xml, err) && fg_saml_soap_answer(ex, FG_STR_NONE, fg_buf_str(&xml), err);
    fg_buf_free(&xml);
    return done;
}

/* What was asked for and, with requested_only, what the metadata asks for as well. */
static void limit(const query_t *q, fg_issue_request_t *request) {
    const fg_saml_attributes_t *asked = fg_saml_party_attributes(q->peer.party, -1);
    request->limited = q->wanted_count > 0 || q->peer.partner->requested_only;
    request->wanted = q->wanted;
    request->wanted_count = q->wanted_count;
    if (!q->peer.partner->requested_only)
        return;
    size_t kept = 0;
    for (size_t i = 0; asked != NULL && i < q->wanted_count; i++)
        for (size_t k = 0; k < asked->count; k++)
            if (fg_str_eq(asked->names[k], q->wanted[i])) {
                q->wanted[kept++] = q->wanted[i];
                break;
            }
    request->wanted_count = kept;
    if (q->wanted_count == 0 && asked != NULL) {
        request->wanted = asked->names;
        request->wanted_count = asked->count;
    }
}

static bool query_attributes(fg_exchange_t *ex, query_t *q, const xmlNode *root, fg_str_t *assertion, fg_err_t *err) {
    fg_issued_t issued;
    if (!q->peer.partner->attribute_queries)
        return FG_FAIL(err, FG_E_DENIED, "\"%s\" may not ask for attributes", q->peer.name);
    if (!read_subject(ex, q, root, err) || !read_wanted(ex, q, root, err) || !find_person(ex, q, err))
        return false;
    fg_issue_request_t request = {
        .partner = q->peer.partner,
        .audience = q->peer.partner->realms[0],
        .identity = &q->session.identity,
        .version = FG_SAML_20,
        .in_response_to = q->head.id,
        .name_id = &q->name_id,
        .protocol = "saml-query",
    };
    limit(q, &request);
    if (!fg_issue(ex, &request, &issued, err))
        return false;
    *assertion = issued.token;
    return true;
}

/* What else may be asked here, and what the answer is called; none of it is served (core §3.2.2.2). */
static const struct {
    const char *name, *answer;
    bool (*serve)(fg_exchange_t *ex, query_t *q, const xmlNode *root, fg_str_t *assertion, fg_err_t *err);
} requests[] = {
    {"AttributeQuery", NULL, query_attributes},
    {"AuthnQuery", NULL, NULL},
    {"AuthzDecisionQuery", NULL, NULL},
    {"SubjectQuery", NULL, NULL},
    {"AssertionIDRequest", NULL, NULL},
    {"NameIDMappingRequest", "NameIDMappingResponse", NULL},
    {"ManageNameIDRequest", "ManageNameIDResponse", NULL},
};

static bool serve(fg_exchange_t *ex, query_t *q, fg_err_t *err) {
    fg_saml_inbound_t in;
    fg_str_t assertion = FG_STR_NONE;
    size_t row = 0;
    if (!fg_saml_soap_receive(ex, &in, err))
        return false;
    while (row < FG_ARRAY_SIZE(requests) && !fg_xml_is(in.root, FG_NS_SAML2P, requests[row].name))
        row++;
    if (row == FG_ARRAY_SIZE(requests))
        return FG_FAIL(err, FG_E_SAML_UNSUPPORTED, "<%s> at the query service", (const char *)in.root->name);
    if (!fg_saml_peer_of(ex, FG_SAML_SERVICE_PROVIDER, in.issuer, &q->peer, err) ||
        !fg_saml_peer_verify(ex, &q->peer, &in, fg_saml_url(ex, FG_SAML_QUERY_PATH), &q->head, err))
        return false;
    fg_err_t why = FG_ERR_INIT;
    bool served = requests[row].serve != NULL ? requests[row].serve(ex, q, in.root, &assertion, &why)
                                              : FG_FAIL(&why, FG_E_SAML_UNSUPPORTED, "%s", requests[row].name);
    if (!served) {
        const fg_audit_field_t fields[] = {{"protocol", FG_STR("saml-query")}, {"partner", fg_str(q->peer.name)}};
        fg_audit(ex, "refused", &why, fields, FG_ARRAY_SIZE(fields));
    }
    return answer(ex, q, requests[row].answer, assertion, served ? NULL : &why, err);
}

fg_step_t fg_saml_query(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    query_t *q = fg_arena_alloc(ex->arena, sizeof *q);
    if (q == NULL)
        FG_FAIL(&err, FG_E_MEMORY, "a query");
    if (q == NULL || !serve(ex, q, &err))
        fg_saml_soap_refuse(ex, &err);
    return FG_STEP_DONE;
}
