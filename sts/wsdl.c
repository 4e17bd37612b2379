/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sts/wsdl.h"

#include <stdarg.h>
#include <stdio.h>

#include "sts/wsdl_parts.h"

static const fg_xns_t ns_wsdl = {"wsdl", "http://schemas.xmlsoap.org/wsdl/"};
static const fg_xns_t ns_soap12 = {"soap12", "http://schemas.xmlsoap.org/wsdl/soap12/"};
static const fg_xns_t ns_tns = {"tns", FG_STS_WSDL_NAMESPACE};
static const fg_xns_t ns_xsd = {"xsd", FG_NS_XS};
static const fg_xns_t ns_wsp = {"wsp", FG_NS_WSP};
static const fg_xns_t ns_identity = {"wsid", "http://schemas.xmlsoap.org/ws/2006/02/addressingidentity"};
static const fg_xns_t ns_ds = {"ds", FG_NS_DS};
static const fg_xns_t ns_wsa10 = {"wsa10", FG_NS_WSA};
static const fg_xns_t ns_wsaw = {"wsaw", "http://www.w3.org/2006/05/addressing/wsdl"};

/* What a version of WS-Trust is called in the document: names as AD FS has them, since generated clients show them. */
static const struct version_names {
    fg_xns_t ns;
    const char *port_type;
    const char *operation;
    const char *response; /* element of the answer's Body */
} version_table[] = {
    [FG_TRUST_2005] = {{"t", FG_NS_TRUST_2005},
                       "IWSTrustFeb2005Async",
                       "TrustFeb2005IssueAsync",
                       "RequestSecurityTokenResponse"},
    [FG_TRUST_13] = {{"trust", FG_NS_TRUST_13},
                     "IWSTrust13Async",
                     "Trust13IssueAsync",
                     "RequestSecurityTokenResponseCollection"},
};

void fg_wsdl_put_attribute(const fg_wsdl_t *d, const fg_xns_t *ns, const char *name, const char *format, ...) {
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    const char *value = fg_arena_strdup(d->arena, text);
    if (value == NULL)
        d->w->failed = true;
    else if (ns != NULL)
        fg_xw_attr_ns(d->w, ns, name, fg_str(value));
    else
        fg_xw_attrz(d->w, name, value);
}

void fg_wsdl_put_empty(const fg_wsdl_t *d, const fg_xns_t *ns, const char *name) {
    fg_xw_start(d->w, ns, name);
    fg_xw_end(d->w);
}

/* ---- types: enough for a client to build a request and to read the answer */

static void put_any(const fg_wsdl_t *d, const char *namespaces) {
    fg_xw_start(d->w, &ns_xsd, "any");
    fg_xw_attrz(d->w, "namespace", namespaces);
    fg_xw_attrz(d->w, "processContents", "lax");
    fg_xw_attrz(d->w, "minOccurs", "0");
    fg_xw_attrz(d->w, "maxOccurs", "unbounded");
    fg_xw_end(d->w);
}

static void start_element(const fg_wsdl_t *d, const char *name) {
    fg_xw_start(d->w, &ns_xsd, "element");
    fg_xw_attrz(d->w, "name", name);
    fg_xw_start(d->w, &ns_xsd, "complexType");
    fg_xw_start(d->w, &ns_xsd, "sequence");
}

static void end_element(const fg_wsdl_t *d, bool context) {
    fg_xw_end(d->w);
    if (context) {
        fg_xw_start(d->w, &ns_xsd, "attribute");
        fg_xw_attrz(d->w, "name", "Context");
        fg_xw_attrz(d->w, "type", "xsd:anyURI");
        fg_xw_end(d->w);
        fg_xw_start(d->w, &ns_xsd, "anyAttribute");
        fg_xw_attrz(d->w, "namespace", "##other");
        fg_xw_attrz(d->w, "processContents", "lax");
        fg_xw_end(d->w);
    }
    fg_xw_end(d->w);
    fg_xw_end(d->w);
}

static void put_request_element(const fg_wsdl_t *d) {
    static const struct {
        const char *name;
        bool optional;
    } parameters[] = {{"TokenType", true}, {"RequestType", false}, {"KeyType", true}};
    start_element(d, "RequestSecurityToken");
    for (size_t i = 0; i < FG_ARRAY_SIZE(parameters); i++) {
        fg_xw_start(d->w, &ns_xsd, "element");
        fg_xw_attrz(d->w, "name", parameters[i].name);
        fg_xw_attrz(d->w, "type", "xsd:anyURI");
        if (parameters[i].optional)
            fg_xw_attrz(d->w, "minOccurs", "0");
        fg_xw_end(d->w);
    }
    put_any(d, "##other");
    end_element(d, true);
}

static void put_schema(const fg_wsdl_t *d, const struct version_names *names, bool collection) {
    fg_xw_start(d->w, &ns_xsd, "schema");
    fg_xw_attrz(d->w, "elementFormDefault", "qualified");
    fg_xw_attrz(d->w, "targetNamespace", names->ns.uri);
    put_request_element(d);
    start_element(d, "RequestSecurityTokenResponse");
    put_any(d, "##any");
    end_element(d, true);
    if (collection) {
        start_element(d, names->response);
        fg_xw_start(d->w, &ns_xsd, "element");
        fg_wsdl_put_attribute(d, NULL, "ref", "%s:RequestSecurityTokenResponse", names->ns.prefix);
        fg_xw_attrz(d->w, "maxOccurs", "unbounded");
        fg_xw_end(d->w);
        end_element(d, false);
    }
    fg_xw_end(d->w);
}

static void put_types(const fg_wsdl_t *d) {
    fg_xw_start(d->w, &ns_wsdl, "types");
    for (size_t v = 0; v < FG_ARRAY_SIZE(version_table); v++)
        put_schema(d, &version_table[v], v == FG_TRUST_13);
    fg_xw_end(d->w);
}

/* ---- WSDL 1.1 §2.3-2.7 */

static void put_message(const fg_wsdl_t *d, const struct version_names *names, const char *direction, const char *part,
                        const char *element) {
    fg_xw_start(d->w, &ns_wsdl, "message");
    fg_wsdl_put_attribute(d, NULL, "name", "%s_%s_%sMessage", names->port_type, names->operation, direction);
    fg_xw_start(d->w, &ns_wsdl, "part");
    fg_xw_attrz(d->w, "name", part);
    fg_wsdl_put_attribute(d, NULL, "element", "%s:%s", names->ns.prefix, element);
    fg_xw_end(d->w);
    fg_xw_end(d->w);
}

static void put_messages(const fg_wsdl_t *d) {
    for (size_t v = 0; v < FG_ARRAY_SIZE(version_table); v++) {
        const struct version_names *names = &version_table[v];
        put_message(d, names, "Input", "request", "RequestSecurityToken");
        put_message(d, names, "Output", v == FG_TRUST_13 ? "Trust13IssueAsyncResult" : "TrustFeb2005IssueAsyncResult",
                    names->response);
    }
}

static void put_direction(const fg_wsdl_t *d, const struct version_names *names, const char *element,
                          const char *direction, const char *action) {
    fg_xw_start(d->w, &ns_wsdl, element);
    fg_xw_attr_ns(d->w, &ns_wsaw, "Action", fg_str(action));
    fg_wsdl_put_attribute(d, NULL, "message", "tns:%s_%s_%sMessage", names->port_type, names->operation, direction);
    fg_xw_end(d->w);
}

static void put_port_types(const fg_wsdl_t *d) {
    for (size_t v = 0; v < FG_ARRAY_SIZE(version_table); v++) {
        const struct version_names *names = &version_table[v];
        const fg_trust_words_t *words = fg_trust_words((fg_trust_version_t)v);
        fg_xw_start(d->w, &ns_wsdl, "portType");
        fg_xw_attrz(d->w, "name", names->port_type);
        fg_xw_start(d->w, &ns_wsdl, "operation");
        fg_xw_attrz(d->w, "name", names->operation);
        put_direction(d, names, "input", "Input", words->requests[FG_TRUST_ISSUE].rst_action);
        put_direction(d, names, "output", "Output", words->requests[FG_TRUST_ISSUE].rstr_action);
        fg_xw_end(d->w);
        fg_xw_end(d->w);
    }
}

static void put_body(const fg_wsdl_t *d, const char *direction) {
    fg_xw_start(d->w, &ns_wsdl, direction);
    fg_xw_start(d->w, &ns_soap12, "body");
    fg_xw_attrz(d->w, "use", "literal");
    fg_xw_end(d->w);
    fg_xw_end(d->w);
}

static void put_binding(const fg_wsdl_t *d, const fg_sts_endpoint_t *endpoint) {
    const struct version_names *names = &version_table[endpoint->trust];
    fg_xw_start(d->w, &ns_wsdl, "binding");
    fg_xw_attrz(d->w, "name", endpoint->binding);
    fg_wsdl_put_attribute(d, NULL, "type", "tns:%s", names->port_type);
    fg_xw_start(d->w, &ns_wsp, "PolicyReference");
    fg_wsdl_put_attribute(d, NULL, "URI", "#%s_policy", endpoint->binding);
    fg_xw_end(d->w);
    fg_xw_start(d->w, &ns_soap12, "binding");
    fg_xw_attrz(d->w, "transport", "http://schemas.xmlsoap.org/soap/http");
    fg_xw_end(d->w);
    fg_xw_start(d->w, &ns_wsdl, "operation");
    fg_xw_attrz(d->w, "name", names->operation);
    fg_xw_start(d->w, &ns_soap12, "operation");
    fg_xw_attrz(d->w, "soapAction", fg_trust_words(endpoint->trust)->requests[FG_TRUST_ISSUE].rst_action);
    fg_xw_attrz(d->w, "style", "document");
    fg_xw_end(d->w);
    put_body(d, "input");
    put_body(d, "output");
    fg_xw_end(d->w);
    fg_xw_end(d->w);
}

/* WS-Addressing Identity: who can open what is sent there... */
static void put_certificate(const fg_wsdl_t *d) {
    fg_xw_start(d->w, &ns_identity, "Identity");
    fg_xw_start(d->w, &ns_ds, "KeyInfo");
    fg_xw_start(d->w, &ns_ds, "X509Data");
    fg_xw_leaf(d->w, &ns_ds, "X509Certificate", d->certificate);
    for (int i = 0; i < 3; i++)
        fg_xw_end(d->w);
}

/* ...or for whom a ticket is to be. */
static void put_principal(const fg_wsdl_t *d) {
    const char *host = d->hub->host.p, *colon = memchr(host, ':', d->hub->host.n);
    int n = colon != NULL ? (int)(colon - host) : (int)d->hub->host.n;
    const char *name = fg_arena_printf(d->arena, "HTTP/%.*s", n, host);
    fg_xw_start(d->w, &ns_identity, "Identity");
    fg_xw_leafz(d->w, &ns_identity, "Spn", name != NULL ? name : "");
    fg_xw_end(d->w);
    d->w->failed = d->w->failed || name == NULL;
}

static void put_port(const fg_wsdl_t *d, const fg_sts_endpoint_t *endpoint) {
    const char *address =
        fg_arena_printf(d->arena, "%.*s%s", (int)d->hub->base_url.n, d->hub->base_url.p, endpoint->path);
    if (address == NULL) {
        d->w->failed = true;
        return;
    }
    fg_xw_start(d->w, &ns_wsdl, "port");
    fg_xw_attrz(d->w, "name", endpoint->binding);
    fg_wsdl_put_attribute(d, NULL, "binding", "tns:%s", endpoint->binding);
    fg_xw_start(d->w, &ns_soap12, "address");
    fg_xw_attrz(d->w, "location", address);
    fg_xw_end(d->w);
    fg_xw_start(d->w, &ns_wsa10, "EndpointReference");
    fg_xw_leafz(d->w, &ns_wsa10, "Address", address);
    if (fg_sts_endpoint_is_message(endpoint) && d->certificate.n > 0)
        put_certificate(d);
    if (fg_sts_endpoint_takes_tickets(endpoint))
        put_principal(d);
    fg_xw_end(d->w);
    fg_xw_end(d->w);
}

static void for_each_endpoint(const fg_wsdl_t *d, void (*put)(const fg_wsdl_t *, const fg_sts_endpoint_t *)) {
    for (size_t i = 0; i < FG_STS_ENDPOINTS; i++)
        if (d->hub->negotiate != NULL || !fg_sts_endpoint_takes_tickets(&fg_sts_endpoint_table[i]))
            put(d, &fg_sts_endpoint_table[i]);
}

void fg_wsdl_write(fg_xw_t *w, fg_arena_t *arena, const fg_hub_t *hub, fg_str_t certificate) {
    const fg_wsdl_t d = {w, arena, hub, certificate};
    fg_xw_start(w, &ns_wsdl, "definitions");
    /* prefixes of names that stand in attribute values */
    fg_xw_declare(w, &ns_tns);
    for (size_t v = 0; v < FG_ARRAY_SIZE(version_table); v++)
        fg_xw_declare(w, &version_table[v].ns);
    fg_xw_attrz(w, "name", "SecurityTokenService");
    fg_xw_attrz(w, "targetNamespace", FG_STS_WSDL_NAMESPACE);
    for_each_endpoint(&d, fg_wsdl_put_policy);
    put_types(&d);
    put_messages(&d);
    put_port_types(&d);
    for_each_endpoint(&d, put_binding);
    fg_xw_start(w, &ns_wsdl, "service");
    fg_xw_attrz(w, "name", "SecurityTokenService");
    for_each_endpoint(&d, put_port);
    fg_xw_end(w);
    fg_xw_end(w);
}
