/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Between the files that read a Security header; nobody else includes this. */
#ifndef FG_TOKEN_WSS_PARTS_H
#define FG_TOKEN_WSS_PARTS_H

#include "token/wss.h"

#define FG_NS_WSC_2005 "http://schemas.xmlsoap.org/ws/2005/02/sc"
#define FG_NS_WSC_13 "http://docs.oasis-open.org/ws-sx/ws-secureconversation/200512"

#define FG_WSS_SOAP_SECURITY "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#"
#define FG_WSS_SOAP_SECURITY11 "http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1#"
#define FG_WSS_X509_PROFILE "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#"

#define FG_WSS_KERBEROS_PROFILE "http://docs.oasis-open.org/wss/oasis-wss-kerberos-token-profile-1.1#"

#define FG_WSS_CHAIN_MAX 8u /* certificates in one token */

/* ---- wss_token.c: what an element is as a token; each is read once */
fg_wss_token_t *fg_wss_token_of(fg_wss_header_t *header, xmlNode *element, fg_err_t *err) FG_MUST_CHECK;
/* True of a BinarySecurityToken with a ticket of Kerberos. */
bool fg_wss_is_ticket(const fg_wss_header_t *header, const xmlNode *element);
/* A new one; NULL: there are too many, or memory. */
fg_wss_token_t *fg_wss_token_add(fg_wss_header_t *header, fg_wss_token_kind_t kind, xmlNode *element,
                                 fg_err_t *err) FG_MUST_CHECK;

#define FG_WSS_BINARY_TOKEN_MAX (64u << 10)

/* ---- wss_certificate.c */
/* bytes: one certificate; path: a SEQUENCE of them, the leaf last (X.509 token profile 1.1 §3.1). */
bool fg_wss_certificate_read(fg_wss_header_t *header, fg_wss_token_t *token, fg_str_t bytes, bool path,
                             fg_err_t *err) FG_MUST_CHECK;
/* A certificate of the message, or one that the configuration knows. */
fg_wss_token_t *fg_wss_certificate_find(fg_wss_header_t *header, const fg_wss_certificate_name_t *name,
                                        fg_err_t *err) FG_MUST_CHECK;
/* ds:X509Data: a certificate, names of one, or both. */
fg_wss_token_t *fg_wss_x509_data_resolve(fg_wss_header_t *header, xmlNode *data, fg_err_t *err) FG_MUST_CHECK;

/* ---- wss_reference.c */
/* The element inside this message that a SecurityTokenReference names (fg_dsig_scope_t). */
xmlNode *fg_wss_reference_locate(void *header, xmlNode *reference, fg_err_t *err);
/* Base64 text; .p NULL: refused. */
fg_str_t fg_wss_decode(fg_wss_header_t *header, const xmlNode *element, size_t most, fg_err_t *err) FG_MUST_CHECK;

/* ---- wss_encryption.c: children of the header; *node becomes what is to be read in its place */
bool fg_wss_read_encrypted_key(fg_wss_header_t *header, xmlNode **node, fg_err_t *err) FG_MUST_CHECK;
bool fg_wss_read_reference_list(fg_wss_header_t *header, xmlNode **node, fg_err_t *err) FG_MUST_CHECK;
bool fg_wss_read_encrypted_data(fg_wss_header_t *header, xmlNode **node, fg_err_t *err) FG_MUST_CHECK;

#endif
