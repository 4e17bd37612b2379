/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/saml/soap.h"

#include "core/fault.h"
#include "core/http.h"
#include "core/media_type.h"
#include "hub/audit.h"
#include "hub/client_signin.h"

#define ENVELOPE_MAX (768u << 10)
#define XML "text/xml; charset=utf-8"

const fg_xns_t fg_saml_ns_soap = {"soap", FG_NS_SOAP11};

/* ---- reading */

/* What the caller knows of headers; what it knows not and must be understood is refused (SOAP 1.1 §4.2.3). */
typedef struct headers {
    fg_saml_soap_header_t *known;
    size_t count;
} headers_t;

/* True: it is a known one, and noted.  *again: it was there before. */
static bool note_header(const headers_t *headers, const xmlNode *node, bool *again) {
    for (size_t i = 0; i < headers->count; i++) {
        fg_saml_soap_header_t *known = &headers->known[i];
        if (!fg_xml_is(node, known->ns, known->name))
            continue;
        *again = known->node != NULL;
        known->node = node;
        return true;
    }
    return false;
}

static bool check_headers(fg_exchange_t *ex, const xmlNode *header, const headers_t *headers, fg_err_t *err) {
    for (const xmlNode *node = fg_xml_first_child(header); node != NULL; node = fg_xml_next(node)) {
        bool again = false;
        if (note_header(headers, node, &again)) {
            if (again)
                return FG_FAIL(err, FG_E_SOAP_STRUCTURE, "two headers <%s>", (const char *)node->name);
            continue;
        }
        fg_str_t must = fg_str_trim(fg_xml_attr(ex->arena, node, FG_NS_SOAP11, "mustUnderstand"));
        fg_str_t actor = fg_str_trim(fg_xml_attr(ex->arena, node, FG_NS_SOAP11, "actor"));
        bool ours = actor.n == 0 || fg_str_is(actor, FG_SAML_ACTOR_NEXT);
        if (ours && must.n > 0 && !fg_str_is(must, "0"))
            return FG_FAIL(err, FG_E_SOAP_MUST_UNDERSTAND, "header <%s>", (const char *)node->name);
    }
    return true;
}

/* At most one Header, then one Body and nothing behind it; one element in the Body (XS-09). */
static xmlNode *open_envelope(fg_exchange_t *ex, const xmlNode *root, const headers_t *headers, fg_err_t *err) {
    xmlNode *node = fg_xml_is(root, FG_NS_SOAP11, "Envelope") ? fg_xml_first_child(root) : NULL;
    if (node != NULL && fg_xml_is(node, FG_NS_SOAP11, "Header")) {
        if (!check_headers(ex, node, headers, err))
            return NULL;
        node = fg_xml_next(node);
    }
    xmlNode *body = node != NULL && fg_xml_is(node, FG_NS_SOAP11, "Body") ? node : NULL;
    xmlNode *message = body != NULL && fg_xml_next(body) == NULL ? fg_xml_first_child(body) : NULL;
    if (message == NULL || fg_xml_next(message) != NULL) {
        FG_FAIL(err, FG_E_SOAP_STRUCTURE, "not an Envelope of SOAP 1.1 with one element in one Body");
        return NULL;
    }
    return message;
}

static bool read_envelope(fg_exchange_t *ex, fg_str_t bytes, const headers_t *headers, fg_saml_inbound_t *in,
                          fg_err_t *err) {
    xmlDoc *doc = fg_xml_parse(ex->arena, bytes, &ex->hub->xml, err);
    *in = (fg_saml_inbound_t){.binding = FG_SAML_SOAP};
    if (doc == NULL)
        return false;
    in->root = open_envelope(ex, xmlDocGetRootElement(doc), headers, err);
    if (in->root == NULL)
        return false;
    const xmlNode *issuer = fg_xml_child(in->root, FG_NS_SAML2, "Issuer", NULL);
    in->issuer = issuer ? fg_xml_token(ex->arena, issuer, NULL) : FG_STR_NONE;
    return true;
}

static bool check_media_type(fg_str_t header, fg_err_t *err) {
    fg_media_type_t media;
    if (!fg_media_type_parse(header, &media, err))
        return false;
    return media.charset.p == NULL || fg_str_eq_nocase(media.charset, FG_STR("utf-8")) ||
           FG_FAIL(err, FG_E_XML_ENCODING, "charset %.*s", FG_STR_ARG(media.charset));
}

bool fg_saml_soap_receive(fg_exchange_t *ex, fg_saml_inbound_t *in, fg_err_t *err) {
    fg_str_t type = fg_request_media_type(ex->arena, &ex->request);
    /* SOAP 1.1 is text/xml; pysaml2 sends it under the name of SOAP 1.2 */
    if (!fg_str_is(type, "text/xml") && !fg_str_is(type, "application/soap+xml"))
        return FG_FAIL(err, FG_E_HTTP_MEDIA_TYPE, "Content-Type %.*s", FG_STR_ARG(type));
    return check_media_type(fg_request_header(&ex->request, "Content-Type", NULL), err) &&
           read_envelope(ex, ex->request.body, &(headers_t){NULL, 0}, in, err);
}

bool fg_saml_paos_receive(fg_exchange_t *ex, fg_saml_soap_header_t *known, size_t count, fg_saml_inbound_t *in,
                          fg_err_t *err) {
    const headers_t headers = {known, count};
    fg_str_t type = fg_request_media_type(ex->arena, &ex->request);
    if (!fg_str_is(type, FG_PAOS_MEDIA_TYPE))
        return FG_FAIL(err, FG_E_HTTP_MEDIA_TYPE, "Content-Type %.*s", FG_STR_ARG(type));
    if (!check_media_type(fg_request_header(&ex->request, "Content-Type", NULL), err) ||
        !read_envelope(ex, ex->request.body, &headers, in, err))
        return false;
    in->binding = FG_SAML_PAOS;
    in->is_response = true;
    return true;
}

/* ---- writing */

static void write_envelope(fg_buf_t *out, fg_str_t header, fg_str_t xml) {
    fg_xw_t w;
    fg_xw_init(&w, out);
    fg_xw_start(&w, &fg_saml_ns_soap, "Envelope");
    if (header.n > 0) {
        fg_xw_start(&w, &fg_saml_ns_soap, "Header");
        fg_xw_raw(&w, header);
        fg_xw_end(&w);
    }
    fg_xw_start(&w, &fg_saml_ns_soap, "Body");
    fg_xw_raw(&w, xml);
    fg_xw_end(&w);
    fg_xw_end(&w);
    out->failed = out->failed || !fg_xw_ok(&w);
}

static void put_headers(fg_exchange_t *ex, int status, const char *media_type) {
    ex->response.status = status;
    fg_response_header(ex, "Content-Type", fg_str(media_type));
    fg_response_header(ex, "Cache-Control", FG_STR("no-cache, no-store"));
}

static bool answer(fg_exchange_t *ex, fg_str_t header, fg_str_t xml, const char *media_type, fg_err_t *err) {
    fg_buf_reset(&ex->response.body);
    write_envelope(&ex->response.body, header, xml);
    if (!fg_buf_ok(&ex->response.body))
        return FG_FAIL(err, FG_E_INTERNAL, "a SOAP envelope could not be written");
    put_headers(ex, 200, media_type);
    return true;
}

bool fg_saml_soap_answer(fg_exchange_t *ex, fg_str_t header, fg_str_t xml, fg_err_t *err) {
    return answer(ex, header, xml, XML, err);
}

bool fg_saml_paos_answer(fg_exchange_t *ex, fg_str_t header, fg_str_t xml, fg_err_t *err) {
    return answer(ex, header, xml, FG_PAOS_MEDIA_TYPE "; charset=utf-8", err);
}

/* SOAP 1.1 §4.4; over HTTP with status 500 (§6.2), but for what HTTP says itself. */
void fg_saml_soap_refuse(fg_exchange_t *ex, const fg_err_t *err) {
    const fg_fault_t *fault = fg_fault_get(err->code);
    bool http = fault->code >= FG_E_HTTP_REQUEST && fault->code <= FG_E_HTTP_HOST;
    bool understand = fault->code == FG_E_SOAP_MUST_UNDERSTAND;
    fg_xw_t w;
    fg_buf_reset(&ex->response.body);
    fg_xw_init(&w, &ex->response.body);
    fg_xw_start(&w, &fg_saml_ns_soap, "Envelope");
    fg_xw_start(&w, &fg_saml_ns_soap, "Body");
    fg_xw_start(&w, &fg_saml_ns_soap, "Fault");
    fg_xw_leafz(&w, NULL, "faultcode",
                understand        ? "soap:MustUnderstand"
                : fault->receiver ? "soap:Server"
                                  : "soap:Client");
    fg_xw_start(&w, NULL, "faultstring");
    fg_xw_textz(&w, fault->sentence);
    fg_xw_textz(&w, " (reference ");
    fg_xw_textz(&w, ex->correlation_id);
    fg_xw_textz(&w, ")");
    for (size_t i = 0; i < 4; i++)
        fg_xw_end(&w);
    put_headers(ex, http || fg_fault_is_temporary(err->code) ? fault->http_status : 500, XML);
    fg_audit(ex, "refused", err, &(fg_audit_field_t){"protocol", FG_STR("saml")}, 1);
}

/* ---- to a partner */

static bool fetch(fg_exchange_t *ex, fg_str_t url, fg_str_t xml, fg_http_response_t *response, fg_err_t *err) {
    static const fg_http_field_t headers[] = {
        {FG_STR("Content-Type"), FG_STR(XML)},
        {FG_STR("SOAPAction"), FG_STR("\"http://www.oasis-open.org/committees/security\"")},
        {FG_STR("Accept"), FG_STR("text/xml")},
    };
    fg_buf_t envelope = FG_BUF_INIT(ENVELOPE_MAX);
    write_envelope(&envelope, FG_STR_NONE, xml);
    const fg_http_request_t request = {
        .method = "POST",
        .url = url,
        .headers = headers,
        .header_count = FG_ARRAY_SIZE(headers),
        .body = fg_buf_str(&envelope),
        .body_max = ENVELOPE_MAX,
    };
    bool done = fg_buf_ok(&envelope) ? fg_http_fetch(ex->env, ex->arena, &request, response, err)
                                     : FG_FAIL(err, FG_E_INTERNAL, "a SOAP envelope could not be written");
    fg_buf_free(&envelope);
    return done;
}

bool fg_saml_soap_call(fg_exchange_t *ex, fg_str_t url, fg_str_t xml, const char *name, fg_saml_inbound_t *in,
                       fg_err_t *err) {
    fg_http_response_t response;
    if (!fetch(ex, url, xml, &response, err))
        return false;
    if (response.status != 200)
        return FG_FAIL(err, FG_E_FETCH_FAILED, "%.*s answered with status %d", FG_STR_ARG(url), response.status);
    if (!read_envelope(ex, response.body, &(headers_t){NULL, 0}, in, err))
        return fg_err_prefix(err, "%.*s", FG_STR_ARG(url));
    in->is_response = true;
    return fg_xml_is(in->root, FG_NS_SAML2P, name) ||
           FG_FAIL(err, FG_E_SAML_MESSAGE, "%.*s answered with <%s>", FG_STR_ARG(url), (const char *)in->root->name);
}
