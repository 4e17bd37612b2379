/* SPDX-License-Identifier: GPL-2.0-or-later
 * Which endpoint of a WSDL clients take: the rules of MSAL and ADAL, which look for a policy with a user name token
 * over TLS, the binding that names it, and a port of that binding with an https address. */
#include <string.h>

#include "cli/input.h"
#include "cli/metadata.h"
#include "cli/token.h"

#define NS_WSDL "http://schemas.xmlsoap.org/wsdl/"
#define NS_SOAP12_BINDING "http://schemas.xmlsoap.org/wsdl/soap12/"
#define NS_SP12 "http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702"
#define NS_SP11 "http://schemas.xmlsoap.org/ws/2005/07/securitypolicy"
#define HTTP_TRANSPORT "http://schemas.xmlsoap.org/soap/http"

typedef struct port {
    fg_str_t name, address, action;
    bool thirteen;
    bool padded;         /* white space around the address, which MSAL for Python does not take off */
    const char *problem; /* why no client takes it for a user name; NULL: they may */
} port_t;

typedef struct mex {
    fg_lint_t lint;
    const xmlNode *root; /* wsdl:definitions, or what is around them */
    port_t adal, msal;   /* .name.p NULL: none yet */
    unsigned ports;
} mex_t;

static fg_str_t attr(const mex_t *m, const xmlNode *node, const char *name) {
    return node != NULL ? fg_xml_attr(m->lint.arena, node, NULL, name) : FG_STR_NONE;
}

/* The first element of that name below, with an attribute of that value (NULL: any). */
static const xmlNode *find(const mex_t *m, const xmlNode *node, const char *ns, const char *name,
                           const char *attribute_ns, const char *attribute, fg_str_t value) {
    if (fg_xml_is(node, ns, name) &&
        (attribute == NULL || fg_str_eq(fg_xml_attr(m->lint.arena, node, attribute_ns, attribute), value)))
        return node;
    for (const xmlNode *child = fg_xml_first_child(node); child != NULL; child = fg_xml_next(child)) {
        const xmlNode *found = find(m, child, ns, name, attribute_ns, attribute, value);
        if (found != NULL)
            return found;
    }
    return NULL;
}

static const xmlNode *below(const mex_t *m, const xmlNode *node, const char *ns, const char *name) {
    return node != NULL ? find(m, node, ns, name, NULL, NULL, FG_STR_NONE) : NULL;
}

/* A user name token that TLS protects, of either version of WS-SecurityPolicy. */
static bool is_username_policy(const mex_t *m, const xmlNode *policy) {
    const xmlNode *one = below(m, policy, NS_SP12, "SignedEncryptedSupportingTokens"),
                  *other = below(m, policy, NS_SP11, "SignedSupportingTokens");
    return (below(m, policy, NS_SP12, "TransportBinding") != NULL &&
            below(m, one, NS_SP12, "WssUsernameToken10") != NULL) ||
           (below(m, policy, NS_SP11, "TransportBinding") != NULL &&
            below(m, other, NS_SP11, "WssUsernameToken10") != NULL);
}

static const char *judge_policy(const mex_t *m, const xmlNode *binding) {
    const xmlNode *reference = fg_xml_child(binding, FG_NS_WSP, "PolicyReference", NULL);
    fg_str_t uri = attr(m, reference, "URI");
    if (uri.n < 2 || uri.p[0] != '#')
        return "its binding names no policy (wsp:PolicyReference URI)";
    const xmlNode *policy = find(m, m->root, FG_NS_WSP, "Policy", FG_NS_WSU, "Id", (fg_str_t){uri.p + 1, uri.n - 1});
    if (policy == NULL)
        return "its binding names a policy that is not there";
    return is_username_policy(m, policy) ? NULL : "its policy asks for no user name token over TLS";
}

static const char *judge_binding(const mex_t *m, port_t *port, fg_str_t name) {
    const char *colon = name.n > 0 ? memchr(name.p, ':', name.n) : NULL;
    fg_str_t local = colon ? (fg_str_t){colon + 1, name.n - (size_t)(colon + 1 - name.p)} : name;
    if (local.n == 0)
        return "it names no binding";
    const xmlNode *binding = find(m, m->root, NS_WSDL, "binding", NULL, "name", local);
    if (binding == NULL)
        return "it names a binding that is not there";
    const xmlNode *soap = fg_xml_child(binding, NS_SOAP12_BINDING, "binding", NULL),
                  *operation = fg_xml_child(binding, NS_WSDL, "operation", NULL);
    if (!fg_str_is(attr(m, soap, "transport"), HTTP_TRANSPORT))
        return "its binding is not SOAP 1.2 over HTTP";
    port->action =
        attr(m, operation ? fg_xml_child(operation, NS_SOAP12_BINDING, "operation", NULL) : NULL, "soapAction");
    port->thirteen = fg_str_is(port->action, FG_NS_TRUST_13 "/RST/Issue");
    if (!port->thirteen && !fg_str_is(port->action, FG_NS_TRUST_2005 "/RST/Issue"))
        return "its soapAction is not that of issuing a token (RST/Issue)";
    return judge_policy(m, binding);
}

/* WS-Trust 1.3 first, else what stands first. */
static void prefer(port_t *best, const port_t *port) {
    if (best->name.p == NULL || (port->thirteen && !best->thirteen))
        *best = *port;
}

static void tell_choice(const char *who, const port_t *port) {
    if (port->name.p == NULL)
        printf("%s none\n", who);
    else
        printf("%s %.*s (WS-Trust %s)\n", who, FG_STR_ARG(port->address), port->thirteen ? "1.3" : "February 2005");
}

static void judge_port(mex_t *m, const xmlNode *node) {
    port_t port = {.name = attr(m, node, "name")};
    const xmlNode *address = below(m, node, FG_NS_WSA, "Address");
    fg_str_t written = address != NULL ? fg_xml_text(m->lint.arena, address, NULL) : FG_STR_NONE;
    port.address = fg_str_trim(written);
    port.padded = port.address.n < written.n;
    port.problem = judge_binding(m, &port, attr(m, node, "binding"));
    if (port.problem == NULL && port.address.n == 0)
        port.problem = "it has no address (wsa:EndpointReference)";
    else if (port.problem == NULL &&
             !fg_str_eq_nocase((fg_str_t){port.address.p, port.address.n < 8 ? port.address.n : 8}, FG_STR("https://")))
        port.problem = "its address is not https: clients pass it over";
    m->ports++;
    if (port.problem != NULL) {
        fg_lint_note(&m->lint, "%.*s %.*s: not for user names: %s", FG_STR_ARG(port.name), FG_STR_ARG(port.address),
                     port.problem);
        return;
    }
    fg_lint_note(&m->lint, "%.*s %.*s: a user name and a password, WS-Trust %s", FG_STR_ARG(port.name),
                 FG_STR_ARG(port.address), port.thirteen ? "1.3" : "February 2005");
    prefer(&m->adal, &port);
    if (!port.padded)
        prefer(&m->msal, &port);
    else
        fg_lint_warn(&m->lint, "white space around the address %.*s: MSAL for Python passes it over",
                     FG_STR_ARG(port.address));
}

static void judge_ports(mex_t *m, const xmlNode *node) {
    if (fg_xml_is(node, NS_WSDL, "port"))
        judge_port(m, node);
    for (const xmlNode *child = fg_xml_first_child(node); child != NULL; child = fg_xml_next(child))
        judge_ports(m, child);
}

static int lint(mex_t *m, const char *path) {
    int code;
    const fg_piece_t *piece = fg_document_read(m->lint.arena, path, &code);
    if (piece == NULL)
        return code;
    while (piece != NULL && piece->kind != FG_PIECE_MEX && piece->kind != FG_PIECE_WSDL)
        piece = fg_piece_next(piece);
    if (piece == NULL) {
        fg_cli_say("%s holds no WS-MetadataExchange or WSDL document", path);
        return FG_CLI_UNREADABLE;
    }
    m->root = piece->xml;
    judge_ports(m, m->root);
    if (m->adal.name.p == NULL)
        fg_lint_error(&m->lint, "none of %u ports is one that MSAL or ADAL could take for a user name and a password",
                      m->ports);
    else if (!m->adal.thirteen)
        fg_lint_warn(&m->lint, "only WS-Trust February 2005 is offered for user names");
    if (fg_str_eq(m->adal.address, m->msal.address)) {
        tell_choice("MSAL and ADAL take:", &m->adal);
    } else {
        tell_choice("MSAL takes:", &m->msal);
        tell_choice("ADAL takes:", &m->adal);
    }
    return fg_lint_end(&m->lint, path);
}

int fg_cli_mex_lint(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    const char *path = NULL;
    mex_t m = {.ports = 0};
    (void)env;
    if (!fg_cli_parse(command, argc, argv, NULL, 0, &path, 1, 1))
        return FG_CLI_USAGE;
    m.lint.arena = fg_arena_new(FG_TOKEN_ARENA);
    int code = m.lint.arena != NULL ? lint(&m, path) : FG_CLI_FAILED;
    fg_arena_free(m.lint.arena);
    return code;
}
