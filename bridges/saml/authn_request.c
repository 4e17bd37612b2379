/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/saml/authn_request.h"

#include <stdio.h>

#define NUMBER_MAX 65535

typedef struct reader {
    fg_exchange_t *ex;
    fg_saml_authn_request_t *request;
    fg_err_t *err;
} reader_t;

static fg_str_t attribute(const reader_t *in, const xmlNode *node, const char *name) {
    return fg_str_trim(fg_xml_attr(in->ex->arena, node, NULL, name));
}

/* xs:boolean; absent: false. */
static bool read_flag(const reader_t *in, const xmlNode *node, const char *name, bool *flag) {
    fg_str_t text = attribute(in, node, name);
    *flag = fg_str_is(text, "true") || fg_str_is(text, "1");
    return text.p == NULL || *flag || fg_str_is(text, "false") || fg_str_is(text, "0") ||
           FG_FAIL(in->err, FG_E_SAML_MESSAGE, "%s \"%.*s\"", name, FG_STR_ARG(text));
}

/* A number up to 65535; absent: -1. */
static bool read_number(const reader_t *in, const xmlNode *node, const char *name, int *number) {
    fg_str_t text = attribute(in, node, name);
    *number = text.p == NULL ? -1 : 0;
    bool good = text.p == NULL || (text.n > 0 && text.n <= 5);
    for (size_t i = 0; good && i < text.n; i++) {
        good = text.p[i] >= '0' && text.p[i] <= '9';
        *number = *number * 10 + (text.p[i] - '0');
    }
    return (good && *number <= NUMBER_MAX) ||
           FG_FAIL(in->err, FG_E_SAML_MESSAGE, "%s \"%.*s\"", name, FG_STR_ARG(text));
}

/* ---- elements */

static bool read_name_id_policy(reader_t *in, const xmlNode *node) {
    in->request->name_id_format = attribute(in, node, "Format");
    in->request->sp_name_qualifier = fg_xml_attr(in->ex->arena, node, NULL, "SPNameQualifier");
    return read_flag(in, node, "AllowCreate", &in->request->allow_create);
}

static bool read_comparison(reader_t *in, const xmlNode *node) {
    static const char *const words[] = {
        [FG_SAML_EXACT] = "exact",
        [FG_SAML_MINIMUM] = "minimum",
        [FG_SAML_MAXIMUM] = "maximum",
        [FG_SAML_BETTER] = "better",
    };
    fg_str_t text = attribute(in, node, "Comparison");
    if (text.p == NULL)
        return true;
    for (size_t i = 0; i < FG_ARRAY_SIZE(words); i++) {
        if (!fg_str_is(text, words[i]))
            continue;
        in->request->comparison = (fg_saml_comparison_t)i;
        return true;
    }
    return FG_FAIL(in->err, FG_E_SAML_MESSAGE, "Comparison \"%.*s\"", FG_STR_ARG(text));
}

/* core §3.3.2.2.1; declarations of contexts are not known here, so that asking for one cannot be met. */
static bool read_context(reader_t *in, const xmlNode *node) {
    fg_saml_authn_request_t *request = in->request;
    if (!read_comparison(in, node))
        return false;
    for (const xmlNode *child = fg_xml_first_child(node); child != NULL; child = fg_xml_next(child)) {
        if (!fg_xml_is(child, FG_NS_SAML2, "AuthnContextClassRef"))
            return FG_FAIL(in->err, FG_E_SAML_CONTEXT, "RequestedAuthnContext holds <%s>", (const char *)child->name);
        if (request->context_count == FG_SAML_CONTEXTS)
            return FG_FAIL(in->err, FG_E_SAML_CONTEXT, "more than %u contexts", FG_SAML_CONTEXTS);
        fg_str_t context = fg_xml_token(in->ex->arena, child, in->err);
        if (context.p == NULL)
            return false;
        request->contexts[request->context_count++] = context;
    }
    return request->context_count > 0 || FG_FAIL(in->err, FG_E_SAML_MESSAGE, "an empty RequestedAuthnContext");
}

static bool read_provider_list(reader_t *in, const xmlNode *list) {
    fg_saml_authn_request_t *request = in->request;
    for (const xmlNode *entry = fg_xml_first_child(list); entry != NULL; entry = fg_xml_next(entry)) {
        if (!fg_xml_is(entry, FG_NS_SAML2P, "IDPEntry")) /* GetComplete: nothing is fetched */
            continue;
        if (request->provider_count == FG_SAML_PROVIDERS)
            return true;
        request->providers[request->provider_count++] = attribute(in, entry, "ProviderID");
    }
    return true;
}

/* On whose behalf the requester asks.  If it is on ours, our own request comes back. */
static void read_requesters(reader_t *in, const xmlNode *scoping) {
    for (const xmlNode *node = fg_xml_first_child(scoping); node != NULL; node = fg_xml_next(node))
        if (fg_xml_is(node, FG_NS_SAML2P, "RequesterID") &&
            fg_str_eq(fg_xml_token(in->ex->arena, node, NULL), in->ex->hub->entity_id))
            in->request->is_loop = true;
}

/* core §3.4.1.2 */
static bool read_scoping(reader_t *in, const xmlNode *node) {
    const xmlNode *list = fg_xml_child(node, FG_NS_SAML2P, "IDPList", NULL);
    read_requesters(in, node);
    return read_number(in, node, "ProxyCount", &in->request->proxy_count) &&
           (list == NULL || read_provider_list(in, list));
}

/* A subject or conditions that were asked for and not kept to would be worse than a refusal. */
static bool refuse(reader_t *in, const xmlNode *node) {
    return FG_FAIL(in->err, FG_E_SAML_UNSUPPORTED, "AuthnRequest with <%s>", (const char *)node->name);
}

static bool skip(reader_t *in, const xmlNode *node) {
    (void)in, (void)node;
    return true;
}

static const struct {
    const char *ns;
    const char *name;
    bool (*read)(reader_t *in, const xmlNode *node);
} children[] = {
    {FG_NS_SAML2, "Issuer", skip}, /* read before */
    {FG_NS_DS, "Signature", skip},
    {FG_NS_SAML2P, "Extensions", skip}, /* XS-10: never read */
    {FG_NS_SAML2P, "NameIDPolicy", read_name_id_policy},
    {FG_NS_SAML2P, "RequestedAuthnContext", read_context},
    {FG_NS_SAML2P, "Scoping", read_scoping},
    {FG_NS_SAML2, "Subject", refuse},
    {FG_NS_SAML2, "Conditions", refuse},
};

static bool read_child(reader_t *in, const xmlNode *node, bool seen[FG_ARRAY_SIZE(children)]) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(children); i++) {
        if (!fg_xml_is(node, children[i].ns, children[i].name))
            continue;
        if (seen[i])
            return FG_FAIL(in->err, FG_E_SAML_MESSAGE, "AuthnRequest with two <%s>", children[i].name);
        seen[i] = true;
        return children[i].read(in, node);
    }
    return FG_FAIL(in->err, FG_E_SAML_MESSAGE, "AuthnRequest holds <%s>", (const char *)node->name);
}

static bool read_attributes(reader_t *in, const xmlNode *root) {
    fg_saml_authn_request_t *request = in->request;
    fg_str_t binding = attribute(in, root, "ProtocolBinding");
    request->id = fg_xml_attr(in->ex->arena, root, NULL, "ID");
    request->consumer_url = attribute(in, root, "AssertionConsumerServiceURL");
    request->protocol_binding = binding.p ? fg_saml_binding_from_uri(binding) : FG_SAML_BINDINGS;
    if (binding.p != NULL && request->protocol_binding == FG_SAML_BINDINGS)
        return FG_FAIL(in->err, FG_E_SAML_BINDING, "ProtocolBinding %.*s", FG_STR_ARG(binding));
    if (!read_flag(in, root, "ForceAuthn", &request->force) || !read_flag(in, root, "IsPassive", &request->passive) ||
        !read_number(in, root, "AssertionConsumerServiceIndex", &request->consumer_index) ||
        !read_number(in, root, "AttributeConsumingServiceIndex", &request->attribute_index))
        return false;
    /* core §3.4.1: the index stands alone */
    if (request->consumer_index >= 0 && (request->consumer_url.p != NULL || binding.p != NULL))
        return FG_FAIL(in->err, FG_E_SAML_MESSAGE, "AssertionConsumerServiceIndex beside URL or ProtocolBinding");
    return true;
}

bool fg_saml_authn_request_read(fg_exchange_t *ex, const xmlNode *root, fg_saml_authn_request_t *request,
                                fg_err_t *err) {
    reader_t in = {ex, request, err};
    bool seen[FG_ARRAY_SIZE(children)] = {false};
    *request = (fg_saml_authn_request_t){.proxy_count = -1};
    if (!read_attributes(&in, root))
        return false;
    for (const xmlNode *node = fg_xml_first_child(root); node != NULL; node = fg_xml_next(node))
        if (!read_child(&in, node, seen))
            return false;
    return true;
}

/* ---- where the answer goes */

const fg_saml_endpoint_t *fg_saml_authn_request_consumer(const fg_saml_authn_request_t *request,
                                                         const fg_saml_party_t *party, fg_err_t *err) {
    fg_saml_binding_t binding = request->protocol_binding;
    bool open = binding == FG_SAML_BINDINGS && request->consumer_url.n == 0 && request->consumer_index < 0;
    const fg_saml_endpoint_t *consumer =
        fg_saml_party_consumer(party, request->consumer_url, request->consumer_index, open ? FG_SAML_POST : binding);
    if (consumer == NULL && open)
        consumer = fg_saml_party_consumer(party, FG_STR_NONE, -1, FG_SAML_ARTIFACT);
    if (consumer != NULL && (consumer->binding == FG_SAML_POST || consumer->binding == FG_SAML_ARTIFACT))
        return consumer;
    if (consumer != NULL)
        FG_FAIL(err, FG_E_SAML_BINDING, "answers do not go by %s", fg_saml_binding_uri(consumer->binding));
    else
        FG_FAIL(err, FG_E_SAML_CONSUMER, "AssertionConsumerService \"%.*s\", index %d",
                FG_STR_ARG(request->consumer_url), request->consumer_index);
    return NULL;
}

/* ---- writing */

static void write_scoping(fg_xw_t *w, const fg_saml_authn_asked_t *asked) {
    char count[12];
    fg_xw_start(w, &fg_saml_ns_protocol, "Scoping");
    snprintf(count, sizeof count, "%u", asked->proxy_limit - 1);
    fg_xw_attrz(w, "ProxyCount", count);
    if (asked->requester.n > 0)
        fg_xw_leaf(w, &fg_saml_ns_protocol, "RequesterID", asked->requester);
    fg_xw_end(w);
}

bool fg_saml_authn_request_write(fg_exchange_t *ex, const fg_saml_authn_asked_t *asked, fg_str_t issuer,
                                 bool signed_inside, fg_buf_t *out, fg_err_t *err) {
    fg_saml_writing_t writing;
    fg_xw_t *w = &writing.w;
    if (!fg_saml_begin(ex, &writing, "AuthnRequest", asked->id, asked->destination, FG_STR_NONE, out, err))
        return false;
    fg_xw_attr(w, "AssertionConsumerServiceURL", asked->consumer_url);
    fg_xw_attrz(w, "ProtocolBinding", fg_saml_binding_uri(asked->binding));
    if (asked->force)
        fg_xw_attrz(w, "ForceAuthn", "true");
    if (asked->passive)
        fg_xw_attrz(w, "IsPassive", "true");
    fg_saml_put_issuer(&writing, issuer);
    fg_xw_start(w, &fg_saml_ns_protocol, "NameIDPolicy");
    fg_xw_attrz(w, "AllowCreate", "true");
    fg_xw_end(w);
    if (asked->method != NULL) {
        fg_xw_start(w, &fg_saml_ns_protocol, "RequestedAuthnContext");
        fg_xw_attrz(w, "Comparison", "exact");
        fg_xw_leafz(w, &fg_saml_ns_assertion, "AuthnContextClassRef", asked->method->saml20);
        fg_xw_end(w);
    }
    if (asked->proxy_limit > 0) /* AD FS takes none, so it is there if somebody asked for it only */
        write_scoping(w, asked);
    return fg_saml_end(ex, &writing, signed_inside, out, err);
}
