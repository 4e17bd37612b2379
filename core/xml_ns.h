/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Namespaces and well-known URIs of XML itself and of its security. */
#ifndef FG_CORE_XML_NS_H
#define FG_CORE_XML_NS_H

#define FG_NS_XML "http://www.w3.org/XML/1998/namespace"
#define FG_NS_XSI "http://www.w3.org/2001/XMLSchema-instance"
#define FG_NS_XS "http://www.w3.org/2001/XMLSchema"
#define FG_NS_DS "http://www.w3.org/2000/09/xmldsig#"
#define FG_NS_DSIG11 "http://www.w3.org/2009/xmldsig11#"
#define FG_NS_XENC "http://www.w3.org/2001/04/xmlenc#"
#define FG_NS_XENC11 "http://www.w3.org/2009/xmlenc11#"
#define FG_NS_EXC_C14N "http://www.w3.org/2001/10/xml-exc-c14n#"

#define FG_NS_SOAP11 "http://schemas.xmlsoap.org/soap/envelope/"
#define FG_NS_SOAP12 "http://www.w3.org/2003/05/soap-envelope"
#define FG_NS_WSA "http://www.w3.org/2005/08/addressing"
#define FG_NS_WSSE "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
#define FG_NS_WSSE11 "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"
#define FG_NS_WSU "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
#define FG_NS_WSP "http://schemas.xmlsoap.org/ws/2004/09/policy"
#define FG_NS_TRUST_2005 "http://schemas.xmlsoap.org/ws/2005/02/trust"
#define FG_NS_TRUST_13 "http://docs.oasis-open.org/ws-sx/ws-trust/200512"

#define FG_NS_SAML1 "urn:oasis:names:tc:SAML:1.0:assertion"
#define FG_NS_SAML2 "urn:oasis:names:tc:SAML:2.0:assertion"
#define FG_NS_SAML2P "urn:oasis:names:tc:SAML:2.0:protocol"
#define FG_NS_MD "urn:oasis:names:tc:SAML:2.0:metadata"
#define FG_NS_MDATTR "urn:oasis:names:tc:SAML:metadata:attribute"
#define FG_NS_MDRPI "urn:oasis:names:tc:SAML:metadata:rpi"
#define FG_NS_MDUI "urn:oasis:names:tc:SAML:metadata:ui"
#define FG_NS_IDPDISC "urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol"
#define FG_NS_SHIBMD "urn:mace:shibboleth:metadata:1.0"
#define FG_NS_FED "http://docs.oasis-open.org/wsfed/federation/200706"
#define FG_NS_AUTH "http://docs.oasis-open.org/wsfed/authorization/200706"

#endif
