/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/fault.h"

#define SOAP FG_FAULT_SOAP
#define WSSE FG_FAULT_WSSE
#define WST FG_FAULT_WST
#define WSA FG_FAULT_WSA

/* Signature, padding and decryption failures share one public face: which of them it was would be an oracle. */
static const char security_sentence[] = "The token's security could not be verified.";
static const char auth_sentence[] = "The user name or password is not right.";
static const char certificate_sentence[] = "The certificate is not accepted here.";
static const char malformed_sentence[] = "The message is not well-formed or has a form that is not accepted here.";

/* clang-format off */
/* a row is a line: code, reason, sentence, HTTP, receiver, family, SOAP subcode, WS-Federation, SAML, OAuth */
static const fg_fault_t fault_table[] = {
    {FG_OK, "ok", "", 200, false, SOAP, NULL, NULL, NULL, NULL},
    {FG_E_INTERNAL, "internal_error", "The gateway could not process the request.", 500, true, WST, "RequestFailed", NULL, "RequestDenied", "server_error"},
    {FG_E_MEMORY, "out_of_memory", "The gateway could not process the request.", 500, true, WST, "RequestFailed", NULL, "RequestDenied", "server_error"},
    {FG_E_UNAVAILABLE, "store_unavailable", "The gateway cannot check the request now. Try again shortly.", 503, true, WST, "RequestFailed", NULL, "RequestDenied", "temporarily_unavailable"},
    {FG_E_DIRECTORY, "directory_unavailable", "The directory of accounts does not answer. Try again shortly.", 503, true, WST, "RequestFailed", NULL, "RequestDenied", "temporarily_unavailable"},
    {FG_E_BUSY, "busy", "The gateway is busy. Try again shortly.", 503, true, WST, "RequestFailed", NULL, "RequestDenied", "temporarily_unavailable"},
    {FG_E_FILE, "file_error", "The gateway could not process the request.", 500, true, WST, "RequestFailed", NULL, "RequestDenied", "server_error"},
    {FG_E_CONFIG, "configuration_error", "The gateway could not process the request.", 500, true, WST, "RequestFailed", NULL, "RequestDenied", "server_error"},
    {FG_E_FETCH_REFUSED, "fetch_refused", "A server that the gateway must ask did not answer as it should. Try again shortly.", 502, true, WST, "RequestFailed", NULL, "RequestDenied", "server_error"},
    {FG_E_FETCH_FAILED, "fetch_failed", "A server that the gateway must ask did not answer as it should. Try again shortly.", 502, true, WST, "RequestFailed", NULL, "RequestDenied", "server_error"},

    {FG_E_HTTP_REQUEST, "bad_http_request", "The request is not acceptable.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_request"},
    {FG_E_HTTP_NOT_FOUND, "not_found", "There is nothing at this address.", 404, false, WST, "InvalidRequest", "BadRequest", "RequestUnsupported", "invalid_request"},
    {FG_E_HTTP_METHOD, "method_not_allowed", "This address does not take that HTTP method.", 405, false, WST, "InvalidRequest", "BadRequest", "RequestUnsupported", "invalid_request"},
    {FG_E_HTTP_MEDIA_TYPE, "unsupported_media_type", "The Content-Type is missing, given twice or not one that this address takes.", 415, false, WST, "InvalidRequest", "BadRequest", "RequestUnsupported", "invalid_request"},
    {FG_E_HTTP_TOO_LARGE, "too_large", "The message is larger than this gateway accepts.", 413, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_request"},
    {FG_E_HTTP_NEEDS_TLS, "needs_https", "This address works over https only.", 403, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_request"},
    {FG_E_HTTP_HOST, "wrong_host", "This gateway has another address. Use the one that was given to you.", 421, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_request"},
    {FG_E_HTTP_PATH, "ambiguous_path", "The address is written in a way that could be read differently. Use it without \"//\", \"..\", \";\" and encoded slashes.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_request"},
    {FG_E_CSRF, "form_not_from_here", "The form was opened in another browser or too long ago. Go back and try again.", 403, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_request"},
    {FG_E_HTTP_FORM, "form_not_kept", "You must sign in first, and the form could not be kept meanwhile. Open its page again, sign in, and send it once more.", 403, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_request"},
    {FG_E_SESSION_SIZE, "session_too_large", "More is known of you than a session can hold. Tell your administrator: rules can leave out what nobody needs.", 500, true, WST, "RequestFailed", NULL, "RequestDenied", "server_error"},

    {FG_E_XML_MALFORMED, "xml_malformed", malformed_sentence, 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_request"},
    {FG_E_XML_DTD, "xml_doctype", malformed_sentence, 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_request"},
    {FG_E_XML_ENCODING, "xml_encoding", "The message must be UTF-8.", 400, false, WST, "InvalidRequest", "UnsupportedEncoding", "RequestDenied", "invalid_request"},
    {FG_E_XML_LIMIT, "xml_limit", "The message is larger or deeper than this gateway accepts.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_request"},
    {FG_E_XML_STRUCTURE, "xml_structure", malformed_sentence, 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_request"},

    {FG_E_SIG_MISSING, "signature_missing", security_sentence, 403, false, WSSE, "FailedCheck", "BadRequest", "RequestDenied", "invalid_token"},
    {FG_E_SIG_STRUCTURE, "signature_structure", security_sentence, 403, false, WSSE, "FailedCheck", "BadRequest", "RequestDenied", "invalid_token"},
    {FG_E_SIG_ALGORITHM, "signature_algorithm", security_sentence, 403, false, WSSE, "FailedCheck", "BadRequest", "RequestDenied", "invalid_token"},
    {FG_E_SIG_KEY, "signature_key", security_sentence, 403, false, WSSE, "FailedCheck", "BadRequest", "RequestDenied", "invalid_token"},
    {FG_E_SIG_INVALID, "signature_invalid", security_sentence, 403, false, WSSE, "FailedCheck", "BadRequest", "RequestDenied", "invalid_token"},
    {FG_E_DECRYPT, "decryption_failed", security_sentence, 403, false, WSSE, "FailedCheck", "BadRequest", "RequestDenied", "invalid_token"},

    {FG_E_TOKEN_MALFORMED, "token_malformed", "The token has a form that is not accepted here.", 403, false, WSSE, "InvalidSecurityToken", "BadRequest", "RequestDenied", "invalid_token"},
    {FG_E_TOKEN_EXPIRED, "token_expired", "The token has expired. Ask for a new one; check that both clocks are right.", 403, false, WST, "ExpiredData", "NeedFresherCredentials", "RequestDenied", "invalid_token"},
    {FG_E_TOKEN_NOT_YET_VALID, "token_not_yet_valid", "The token is not valid yet. Check that both clocks are right.", 403, false, WST, "InvalidTimeRange", "BadRequest", "RequestDenied", "invalid_token"},
    {FG_E_TOKEN_ISSUER, "token_issuer", "The token's issuer is not one that is trusted here.", 403, false, WSSE, "InvalidSecurityToken", "IssuerNameNotSupported", "RequestDenied", "invalid_token"},
    {FG_E_TOKEN_AUDIENCE, "token_audience", "The token was issued for somebody else.", 403, false, WSSE, "InvalidSecurityToken", "NoMatchInScope", "RequestDenied", "invalid_token"},
    {FG_E_TOKEN_RECIPIENT, "token_recipient", "The token was issued for another address.", 403, false, WSSE, "InvalidSecurityToken", "NoMatchInScope", "RequestDenied", "invalid_token"},
    {FG_E_TOKEN_CONDITION, "token_condition", "The token carries a condition that cannot be met here.", 403, false, WSSE, "InvalidSecurityToken", "BadRequest", "RequestDenied", "invalid_token"},
    {FG_E_TOKEN_CONFIRMATION, "token_confirmation", "The token's subject confirmation is not one that is accepted here.", 403, false, WSSE, "InvalidSecurityToken", "BadRequest", "RequestDenied", "invalid_token"},
    {FG_E_TOKEN_REPLAY, "token_replay", "The token was used before. Sign in again.", 403, false, WSSE, "InvalidSecurityToken", "BadRequest", "RequestDenied", "invalid_token"},
    {FG_E_TOKEN_LIFETIME, "token_lifetime", "The token lives longer than is accepted here.", 403, false, WST, "InvalidTimeRange", "BadRequest", "RequestDenied", "invalid_token"},
    {FG_E_TOKEN_CANCELLED, "token_cancelled", "The token was cancelled.", 403, false, WSSE, "InvalidSecurityToken", "BadRequest", "RequestDenied", "invalid_token"},

    {FG_E_CERTIFICATE_UNTRUSTED, "certificate_untrusted", certificate_sentence, 403, false, WSSE, "InvalidSecurityToken", "BadRequest", "AuthnFailed", "invalid_client"},
    {FG_E_CERTIFICATE_EXPIRED, "certificate_expired", certificate_sentence, 403, false, WSSE, "InvalidSecurityToken", "BadRequest", "AuthnFailed", "invalid_client"},
    {FG_E_CERTIFICATE_NOT_YET_VALID, "certificate_not_yet_valid", certificate_sentence, 403, false, WSSE, "InvalidSecurityToken", "BadRequest", "AuthnFailed", "invalid_client"},
    {FG_E_CERTIFICATE_PURPOSE, "certificate_purpose", certificate_sentence, 403, false, WSSE, "InvalidSecurityToken", "BadRequest", "AuthnFailed", "invalid_client"},
    {FG_E_CERTIFICATE_WEAK, "certificate_weak", certificate_sentence, 403, false, WSSE, "InvalidSecurityToken", "BadRequest", "AuthnFailed", "invalid_client"},
    {FG_E_CERTIFICATE_REVOKED, "certificate_revoked", certificate_sentence, 403, false, WSSE, "InvalidSecurityToken", "BadRequest", "AuthnFailed", "invalid_client"},
    {FG_E_CERTIFICATE_UNCHECKED, "certificate_unchecked", certificate_sentence, 403, false, WSSE, "InvalidSecurityToken", "BadRequest", "AuthnFailed", "invalid_client"},
    {FG_E_CERTIFICATE_NAMES, "certificate_names", certificate_sentence, 403, false, WSSE, "InvalidSecurityToken", "BadRequest", "AuthnFailed", "invalid_client"},
    {FG_E_CERTIFICATE_ACCOUNT, "certificate_account", certificate_sentence, 403, false, WSSE, "InvalidSecurityToken", "BadRequest", "AuthnFailed", "invalid_client"},
    {FG_E_CERTIFICATE_SID, "certificate_sid", certificate_sentence, 403, false, WSSE, "InvalidSecurityToken", "BadRequest", "AuthnFailed", "invalid_client"},

    {FG_E_AUTH_MISSING, "not_signed_in", "Credentials are missing.", 401, false, WSSE, "FailedAuthentication", "NotSignedIn", "NoPassive", "login_required"},
    {FG_E_AUTH_FAILED, "wrong_user_or_password", auth_sentence, 401, false, WST, "FailedAuthentication", "NotSignedIn", "AuthnFailed", "access_denied"},
    {FG_E_AUTH_DISABLED, "account_disabled", "This account is disabled. Ask your administrator.", 401, false, WST, "FailedAuthentication", "NotSignedIn", "AuthnFailed", "access_denied"},
    {FG_E_AUTH_EXPIRED, "account_expired", "This account has expired. Ask your administrator.", 401, false, WST, "FailedAuthentication", "NotSignedIn", "AuthnFailed", "access_denied"},
    {FG_E_AUTH_RESTRICTED, "account_restricted", "This account may not sign in now, or not from here. Ask your administrator.", 401, false, WST, "FailedAuthentication", "NotSignedIn", "AuthnFailed", "access_denied"},
    {FG_E_AUTH_MUST_CHANGE, "password_must_change", "The password must be changed first.", 401, false, WST, "FailedAuthentication", "NotSignedIn", "AuthnFailed", "access_denied"},
    {FG_E_PASSWORD_ENTRY, "new_password_entry", "The new password cannot be used.", 401, false, WST, "FailedAuthentication", "NotSignedIn", "AuthnFailed", "access_denied"},
    {FG_E_PASSWORD_POLICY, "new_password_policy", "The rules for passwords do not permit the new password.", 401, false, WST, "FailedAuthentication", "NotSignedIn", "AuthnFailed", "access_denied"},
    {FG_E_PASSWORD_NOT_DUE, "password_not_due", "The password need not be changed.", 400, false, WST, "FailedAuthentication", "NotSignedIn", "AuthnFailed", "access_denied"},
    {FG_E_PASSWORD_REFUSED, "password_change_refused", "The password cannot be changed here. Ask your administrator.", 403, false, WST, "FailedAuthentication", "NotSignedIn", "AuthnFailed", "access_denied"},
    {FG_E_AUTH_ACCOUNT_LOCKED, "account_locked", auth_sentence, 401, false, WST, "FailedAuthentication", "NotSignedIn", "AuthnFailed", "access_denied"},
    {FG_E_AUTH_KERBEROS, "ticket_refused", "The Kerberos ticket is not accepted here.", 401, false, WSSE, "FailedAuthentication", "NotSignedIn", "AuthnFailed", "access_denied"},
    {FG_E_AUTH_LOCKED, "locked_out", auth_sentence, 401, false, WST, "FailedAuthentication", "NotSignedIn", "AuthnFailed", "access_denied"},
    {FG_E_AUTH_DIGEST, "digest_not_possible", auth_sentence, 401, false, WST, "FailedAuthentication", "NotSignedIn", "AuthnFailed", "access_denied"},
    {FG_E_DENIED, "denied", "You may not use this application, or not in this way.", 403, false, WST, "RequestFailed", "BadRequest", "RequestDenied", "access_denied"},

    {FG_E_DELEGATION_CLAIM, "delegation_no_principal", "You cannot be signed in at the server behind this address. Tell your administrator if you should be.", 403, false, WST, "RequestFailed", "BadRequest", "RequestDenied", "access_denied"},
    {FG_E_DELEGATION_PERSON, "delegation_unknown_person", "You cannot be signed in at the server behind this address. Tell your administrator if you should be.", 403, false, WST, "RequestFailed", "BadRequest", "RequestDenied", "access_denied"},
    {FG_E_DELEGATION_ACCOUNT, "delegation_account", "You cannot be signed in at the server behind this address. Tell your administrator if you should be.", 403, false, WST, "RequestFailed", "BadRequest", "RequestDenied", "access_denied"},
    {FG_E_DELEGATION_SENSITIVE, "delegation_sensitive", "You cannot be signed in at the server behind this address. Tell your administrator if you should be.", 403, false, WST, "RequestFailed", "BadRequest", "RequestDenied", "access_denied"},
    {FG_E_DELEGATION_NOT_ALLOWED, "delegation_not_allowed", "The gateway could not sign you in at the server behind this address. Tell your administrator.", 502, true, WST, "RequestFailed", "BadRequest", "RequestDenied", "server_error"},
    {FG_E_DELEGATION_BACKEND, "delegation_backend", "The gateway could not sign you in at the server behind this address. Tell your administrator.", 502, true, WST, "RequestFailed", "BadRequest", "RequestDenied", "server_error"},
    {FG_E_DELEGATION_SERVICE, "delegation_service", "The gateway could not sign you in at the server behind this address. Tell your administrator.", 502, true, WST, "RequestFailed", "BadRequest", "RequestDenied", "server_error"},
    {FG_E_DELEGATION_UNREACHABLE, "delegation_unreachable", "The gateway cannot sign you in at the server behind this address now. Try again shortly.", 503, true, WST, "RequestFailed", "BadRequest", "RequestDenied", "temporarily_unavailable"},

    {FG_E_SOAP_VERSION, "soap_version", "The message is neither SOAP 1.1 nor SOAP 1.2.", 400, false, SOAP, NULL, "BadRequest", NULL, "invalid_request"},
    {FG_E_SOAP_STRUCTURE, "soap_structure", "The SOAP envelope is not built as SOAP says.", 400, false, WST, "InvalidRequest", "BadRequest", NULL, "invalid_request"},
    {FG_E_SOAP_MUST_UNDERSTAND, "soap_must_understand", "A SOAP header that must be understood is not known here.", 400, false, SOAP, "MustUnderstand", "BadRequest", NULL, "invalid_request"},
    {FG_E_WSA_HEADER, "addressing_header", "A WS-Addressing header is missing, given twice or wrong.", 400, false, WSA, "InvalidAddressingHeader", "BadRequest", NULL, "invalid_request"},
    {FG_E_WSA_ACTION, "addressing_action", "The WS-Addressing Action is not one that this endpoint takes.", 400, false, WSA, "ActionNotSupported", "BadRequest", NULL, "invalid_request"},
    {FG_E_WSS_STRUCTURE, "wss_structure", "The WS-Security header is missing, given twice or not built as WS-Security says.", 400, false, WSSE, "InvalidSecurity", "BadRequest", NULL, "invalid_request"},
    {FG_E_WSS_TIMESTAMP, "wss_timestamp", "The WS-Security Timestamp is missing, given twice or wrong.", 400, false, WSSE, "InvalidSecurity", "BadRequest", NULL, "invalid_request"},
    {FG_E_WSS_EXPIRED, "wss_expired", "The message is too old or from the future. Check that both clocks are right.", 400, false, WSSE, "MessageExpired", "BadRequest", NULL, "invalid_request"},
    {FG_E_WSS_UNSUPPORTED, "wss_unsupported", "The WS-Security token is of a kind that this endpoint does not take.", 400, false, WSSE, "UnsupportedSecurityToken", "BadRequest", NULL, "invalid_request"},
    {FG_E_WSS_REPLAY, "wss_replay", "The message was received before.", 400, false, WSSE, "InvalidSecurity", "BadRequest", NULL, "invalid_request"},

    {FG_E_WST_REQUEST, "wst_invalid_request", "The security token request is not built as WS-Trust says.", 400, false, WST, "InvalidRequest", "BadRequest", NULL, "invalid_request"},
    {FG_E_WST_REQUEST_TYPE, "wst_request_type", "This RequestType is not one that this endpoint takes.", 400, false, WST, "BadRequest", "BadRequest", NULL, "unsupported_grant_type"},
    {FG_E_WST_SCOPE, "wst_scope", "AppliesTo is missing or names no relying party that is registered here.", 400, false, WST, "InvalidScope", "NoMatchInScope", NULL, "invalid_target"},
    {FG_E_WST_TOKEN_TYPE, "wst_token_type", "This TokenType is not one that the relying party takes.", 400, false, WST, "RequestFailed", "BadRequest", NULL, "invalid_request"},
    {FG_E_WST_KEY_TYPE, "wst_key_type", "This KeyType is not one that this endpoint issues.", 400, false, WST, "RequestFailed", "BadRequest", NULL, "invalid_request"},
    {FG_E_WST_TIME_RANGE, "wst_time_range", "The requested Lifetime is not a time range that can be served.", 400, false, WST, "InvalidTimeRange", "BadRequest", NULL, "invalid_request"},
    {FG_E_WST_CLAIMS, "wst_claims", "A claim that the request requires is not issued to this relying party, or is asked for in a dialect that is not known here.", 400, false, WST, "BadRequest", "UnsupportedClaimsDialect", NULL, "invalid_request"},
    {FG_E_WST_KEY, "wst_key", "The requested proof key has a size, entropy or form that is not served: keys have 128 to 256 bits, computed ones by P_SHA1.", 400, false, WST, "BadRequest", "BadRequest", NULL, "invalid_request"},
    {FG_E_WST_PROOF, "wst_proof", "The request names a key (UseKey) and is not signed with it.", 403, false, WST, "FailedAuthentication", "BadRequest", NULL, "invalid_request"},
    {FG_E_WST_RENEW, "wst_renew", "This token cannot be renewed, or not any more. Ask for a new one.", 403, false, WST, "UnableToRenew", "BadRequest", NULL, "invalid_grant"},
    {FG_E_WST_OWNER, "wst_owner", "This token was not issued to you.", 403, false, WST, "RequestFailed", "BadRequest", NULL, "access_denied"},

    {FG_E_WSFED_REQUEST, "wsfed_request", "The WS-Federation request lacks a parameter, has one twice or has a value that is not understood.", 400, false, WST, "InvalidRequest", "BadRequest", NULL, "invalid_request"},
    {FG_E_WSFED_ACTION, "wsfed_action", "This WS-Federation action is not supported here.", 400, false, WST, "InvalidRequest", "BadRequest", NULL, "invalid_request"},
    {FG_E_WSFED_REALM, "wsfed_realm", "The application (wtrealm) is not registered here.", 400, false, WST, "InvalidScope", "NoMatchInScope", NULL, "invalid_request"},
    {FG_E_WSFED_REPLY, "wsfed_reply", "The reply address (wreply) is not registered for this application.", 400, false, WST, "InvalidScope", "NoMatchInScope", NULL, "invalid_request"},
    {FG_E_WSFED_POINTER, "wsfed_pointer", "References to messages elsewhere (wreqptr, wresultptr) are not followed.", 400, false, WST, "InvalidRequest", "RstParameterNotAccepted", NULL, "invalid_request"},
    {FG_E_WSFED_AUTH, "wsfed_auth", "The requested way of signing in (wauth) is not available here.", 400, false, WST, "RequestFailed", "SpecificPolicy", "NoAuthnContext", "invalid_request"},
    {FG_E_WSFED_HOME_REALM, "wsfed_home_realm", "The requested home realm (whr) is not known here.", 400, false, WST, "InvalidScope", "IssuerNameNotSupported", "NoAvailableIDP", "invalid_request"},
    {FG_E_WSFED_LOOP, "wsfed_loop", "The application keeps sending you back here. It seems not to accept the token; tell its administrator.", 400, false, WST, "RequestFailed", "BadRequest", NULL, "invalid_request"},
    {FG_E_WSFED_RESULT, "wsfed_result", "The sign-in response (wresult) is not built as WS-Federation says.", 400, false, WST, "InvalidRequest", "BadRequest", NULL, "invalid_request"},

    {FG_E_SAML_MESSAGE, "saml_message", "The SAML message is not built as SAML says, is too old, or has a parameter twice.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_request"},
    {FG_E_SAML_VERSION, "saml_version", "Only SAML version 2.0 is spoken here.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestVersionTooHigh", "invalid_request"},
    {FG_E_SAML_PARTNER, "saml_partner", "The sender of the SAML message is not registered here.", 400, false, WST, "InvalidScope", "NoMatchInScope", "RequestDenied", "invalid_request"},
    {FG_E_SAML_DESTINATION, "saml_destination", "The SAML message was meant for another address.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_request"},
    {FG_E_SAML_CONSUMER, "saml_consumer", "The address that the answer is to go to (AssertionConsumerService) is not in the application's metadata.", 400, false, WST, "InvalidScope", "NoMatchInScope", "RequestDenied", "invalid_request"},
    {FG_E_SAML_BINDING, "saml_binding", "The binding that was asked for is not one that can be served.", 400, false, WST, "InvalidRequest", "BadRequest", "UnsupportedBinding", "invalid_request"},
    {FG_E_SAML_NAME_ID, "saml_name_id", "The name identifier that was asked for (NameIDPolicy) cannot be issued for this person.", 400, false, WST, "RequestFailed", "BadRequest", "InvalidNameIDPolicy", "invalid_request"},
    {FG_E_SAML_PASSIVE, "saml_passive", "Nobody is signed in, and the application asked not to show a page (IsPassive).", 400, false, WST, "RequestFailed", "NotSignedIn", "NoPassive", "login_required"},
    {FG_E_SAML_CONTEXT, "saml_context", "The requested way of signing in (RequestedAuthnContext) is not available here.", 400, false, WST, "RequestFailed", "SpecificPolicy", "NoAuthnContext", "invalid_request"},
    {FG_E_SAML_PROXY, "saml_proxy", "The application allows no other identity provider to be asked (ProxyCount).", 400, false, WST, "RequestFailed", "BadRequest", "ProxyCountExceeded", "invalid_request"},
    {FG_E_SAML_LOOP, "saml_loop", "The request came from here: the systems ask each other in a circle.", 400, false, WST, "RequestFailed", "BadRequest", "RequestDenied", "invalid_request"},
    {FG_E_SAML_PROVIDER, "saml_provider", "None of the identity providers that were asked for is known here.", 400, false, WST, "RequestFailed", "IssuerNameNotSupported", "NoAvailableIDP", "invalid_request"},
    {FG_E_SAML_ANSWER, "saml_answer", "The SAML response answers no request that was made here, or one that was answered before.", 403, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_request"},
    {FG_E_SAML_STATUS, "saml_status", "The identity provider refused.", 403, false, WST, "RequestFailed", "NotSignedIn", "AuthnFailed", "access_denied"},
    {FG_E_SAML_UNSUPPORTED, "saml_unsupported", "This kind of SAML request is not served here.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestUnsupported", "unsupported_grant_type"},
    {FG_E_SAML_PRINCIPAL, "saml_principal", "Nobody is known here by that name to the one who asks, or not any more.", 400, false, WST, "RequestFailed", "BadRequest", "UnknownPrincipal", "invalid_request"},

    {FG_E_OPENID_REQUEST, "openid_request", "The request lacks a parameter, has one twice or has a value that is not understood.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_request"},
    {FG_E_OPENID_CLIENT, "openid_client", "The application (client_id) is not registered here.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_request"},
    {FG_E_OPENID_REDIRECT, "openid_redirect", "The address that the answer is to go to (redirect_uri) is not registered for this application.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_request"},
    {FG_E_OPENID_PKCE, "openid_pkce", "A code_challenge of method S256 is required, and its code_verifier must fit.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_request"},
    {FG_E_OPENID_RESPONSE_TYPE, "openid_response_type", "This response_type is not one that the application may use.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "unsupported_response_type"},
    {FG_E_OPENID_SCOPE, "openid_scope", "None of the scopes that were asked for is one that the application may use.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_scope"},
    {FG_E_OPENID_TARGET, "openid_target", "The resource is not one that the application may get tokens for.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_target"},
    {FG_E_OPENID_OBJECT, "openid_request_object", "Request objects (request) are not read here.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "request_not_supported"},
    {FG_E_OPENID_OBJECT_URI, "openid_request_uri", "References to requests elsewhere (request_uri) are not followed.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "request_uri_not_supported"},
    {FG_E_OPENID_LOGIN, "openid_login", "Nobody is signed in, or somebody else than the application asked for.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "login_required"},
    {FG_E_OPENID_CONSENT, "openid_consent", "The person has to be asked first, and the application asked not to show a page.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "consent_required"},
    {FG_E_OPENID_REFUSED, "openid_refused", "You did not allow the application to sign you in.", 403, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "access_denied"},
    {FG_E_OPENID_ACR, "openid_acr", "The requested way of signing in (acr) is not available here.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "unmet_authentication_requirements"},
    {FG_E_OPENID_CLIENT_AUTH, "openid_client_auth", "The application could not prove who it is.", 401, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_client"},
    {FG_E_OPENID_GRANT, "openid_grant", "The code or the refresh token is not valid (any more). Sign in again.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_grant"},
    {FG_E_OPENID_GRANT_TYPE, "openid_grant_type", "This grant_type is not served here.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "unsupported_grant_type"},
    {FG_E_OPENID_GRANT_FORBIDDEN, "openid_grant_forbidden", "This grant_type is not one that the application may use.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "unauthorized_client"},
    {FG_E_OPENID_TOKEN, "openid_token", "The access token is not valid (any more).", 401, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_token"},
    {FG_E_OPENID_TOKEN_SCOPE, "openid_token_scope", "The access token was not issued for this.", 403, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "insufficient_scope"},
    {FG_E_OPENID_OBJECT_INVALID, "openid_object_invalid", "The request object (request) could not be verified, or is not one that can be read here.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_request_object"},
    {FG_E_OPENID_PUSHED, "openid_pushed", "The request must be sent to the gateway first and then named once, within its time (request_uri).", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_request_uri"},
    {FG_E_OPENID_SUBJECT, "openid_subject_token", "The token that was shown is not one that can be exchanged here.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_request"},
    {FG_E_OPENID_ISSUED_TYPE, "openid_issued_type", "This kind of token (requested_token_type) cannot be issued for that recipient.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_request"},
    {FG_E_OPENID_DPOP, "openid_dpop", "The proof of the key (DPoP) is missing, was used before or does not fit the request.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_dpop_proof"},
    {FG_E_OPENID_DPOP_NONCE, "openid_dpop_nonce", "The proof of the key (DPoP) must have the nonce that the gateway gives.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "use_dpop_nonce"},
    {FG_E_OPENID_PENDING, "openid_pending", "Nobody has answered yet. Ask again.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "authorization_pending"},
    {FG_E_OPENID_SLOW_DOWN, "openid_slow_down", "The application asks too often.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "slow_down"},
    {FG_E_OPENID_DEVICE, "openid_device", "The code of the device is not valid (any more). Begin again at the device.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "expired_token"},
    {FG_E_OPENID_METADATA, "openid_metadata", "The registration says something that is not accepted here.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_client_metadata"},
    {FG_E_OPENID_METADATA_URI, "openid_metadata_uri", "A redirect URI of the registration is not accepted here.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_redirect_uri"},
    {FG_E_OPENID_LOGOUT, "openid_logout", "The address to go on to after signing out (post_logout_redirect_uri) is not registered for this application.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_request"},
    {FG_E_OPENID_ANSWER, "openid_answer", "The identity provider's answer is not built as OpenID Connect says.", 502, true, WST, "RequestFailed", "BadRequest", "AuthnFailed", "server_error"},
    {FG_E_OPENID_PROVIDER, "openid_provider", "The identity provider refused.", 403, false, WST, "RequestFailed", "NotSignedIn", "AuthnFailed", "access_denied"},
    {FG_E_OPENID_MIX_UP, "openid_mix_up", "The answer came from another identity provider than the one that was asked.", 403, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "access_denied"},
    {FG_E_OPENID_ID_TOKEN, "openid_id_token", "The identity provider's ID token does not belong to this sign-in.", 403, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "access_denied"},
    {FG_E_OPENID_LOGOUT_TOKEN, "openid_logout_token", "The logout token is not one that is accepted here, or came before.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_request"},

    {FG_E_OPENID2_REQUEST, "openid2_request", "The OpenID message lacks a field, has one twice or has a value that is not understood.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_request"},
    {FG_E_OPENID2_TYPE, "openid2_type", "This type of association (assoc_type, session_type) is not served.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_request"},
    {FG_E_OPENID2_REALM, "openid2_realm", "The site (openid.realm) is not registered here, or the address that the answer is to go to (openid.return_to) is not part of it.", 400, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_request"},
    {FG_E_OPENID2_IDENTITY, "openid2_identity", "The OpenID identifier is not that of the person who is signed in.", 403, false, WST, "InvalidRequest", "BadRequest", "UnknownPrincipal", "access_denied"},
    {FG_E_OPENID2_DISCOVERY, "openid2_discovery", "What the OpenID identifier or the site says of itself could not be read, or says something else.", 403, false, WST, "RequestFailed", "BadRequest", "RequestDenied", "invalid_request"},
    {FG_E_OPENID2_ANSWER, "openid2_answer", "The OpenID provider's answer could not be verified.", 403, false, WST, "InvalidRequest", "BadRequest", "RequestDenied", "invalid_request"},
    {FG_E_OPENID2_CANCELLED, "openid2_cancelled", "Signing in was broken off at the OpenID provider.", 403, false, WST, "RequestFailed", "NotSignedIn", "AuthnFailed", "access_denied"},

    {FG_E_WSMAN_ENCRYPTED, "wsman_encrypted", "The message is encrypted for the server behind and cannot be checked here. Use https and switch message encryption off.", 415, false, WST, "InvalidRequest", "BadRequest", NULL, "invalid_request"},
    {FG_E_WSMAN_ENCODING, "wsman_encoding", "The message must be UTF-8 without a Content-Encoding.", 415, false, WST, "InvalidRequest", "BadRequest", NULL, "invalid_request"},
    {FG_E_WSMAN_HEADER, "wsman_header", "A header that WS-Management requires is missing.", 400, false, WSA, "MessageAddressingHeaderRequired", "BadRequest", NULL, "invalid_request"},
    {FG_E_WSMAN_RESOURCE, "wsman_resource", "The ResourceURI is written in a way that could be read differently.", 400, false, WST, "InvalidRequest", "BadRequest", NULL, "invalid_request"},
    {FG_E_WSMAN_SELECTOR, "wsman_selector", "A selector has no name, is given twice, or is of a kind that is not accepted here.", 400, false, WST, "InvalidRequest", "BadRequest", NULL, "invalid_request"},
    {FG_E_WSMAN_OPTION, "wsman_option", "An option has no name, is given twice, or is of a kind that is not accepted here.", 400, false, WST, "InvalidRequest", "BadRequest", NULL, "invalid_request"},
    {FG_E_WSMAN_BODY, "wsman_body", "The Body does not belong to the Action.", 400, false, WST, "InvalidRequest", "BadRequest", NULL, "invalid_request"},
    {FG_E_WSMAN_FILTER, "wsman_filter", "The filter is given twice or in a form that is not accepted here.", 400, false, WST, "InvalidRequest", "BadRequest", NULL, "invalid_request"},
    {FG_E_WSMAN_LIMIT, "wsman_limit", "The message asks for more than passes here (MaxEnvelopeSize, MaxElements, MaxCharacters).", 400, false, WST, "InvalidRequest", "BadRequest", NULL, "invalid_request"},
    {FG_E_WSMAN_REPLY_TO, "wsman_reply_to", "Answers and events go back on this connection only, never to another address.", 400, false, WST, "InvalidRequest", "BadRequest", NULL, "invalid_request"},
    {FG_E_WSMAN_CONTEXT, "wsman_context", "This enumeration, shell or subscription is not known here for you.", 403, false, WST, "RequestFailed", "BadRequest", NULL, "access_denied"},
    {FG_E_WSMAN_SCRIPT, "wsman_script", "The command carries an encoded script in a form that cannot be checked here.", 400, false, WST, "InvalidRequest", "BadRequest", NULL, "invalid_request"},
};
/* clang-format on */

_Static_assert(FG_ARRAY_SIZE(fault_table) == FG_CODE_COUNT, "one row per code");

const fg_fault_t *fg_fault_get(fg_code_t code) {
    if ((unsigned)code >= FG_CODE_COUNT)
        code = FG_E_INTERNAL;
    return &fault_table[code];
}

const char *fg_fault_public_reason(fg_code_t code) {
    const fg_fault_t *fault = fg_fault_get(code);
    if (fault->sentence == security_sentence)
        return "token_security";
    if (fault->sentence == certificate_sentence)
        return "certificate_refused";
    return fault->sentence == auth_sentence ? fg_fault_get(FG_E_AUTH_FAILED)->reason : fault->reason;
}

/* DSP0226 §14.6.  What has no line of its own is refused access, a body that does not fit, or a failure of the gateway,
 * as its HTTP status says. */
static const fg_fault_wsman_t wsman_table[FG_CODE_COUNT] = {
    [FG_E_UNAVAILABLE] = {"a", "EndpointUnavailable", NULL, true, NULL},
    [FG_E_DIRECTORY] = {"a", "EndpointUnavailable", NULL, true, NULL},
    [FG_E_BUSY] = {"a", "EndpointUnavailable", NULL, true, NULL},
    [FG_E_HTTP_NOT_FOUND] = {"a", "DestinationUnreachable", NULL, false, NULL},
    [FG_E_HTTP_METHOD] = {"a", "ActionNotSupported", NULL, false, NULL},
    [FG_E_HTTP_TOO_LARGE] = {"w", "EncodingLimit", "ServiceEnvelopeLimit", false, NULL},
    [FG_E_HTTP_NEEDS_TLS] = {"w", "AccessDenied", NULL, false, NULL},
    [FG_E_XML_LIMIT] = {"w", "EncodingLimit", "ServiceEnvelopeLimit", false, NULL},
    [FG_E_XML_ENCODING] = {"w", "EncodingLimit", "CharacterSet", false, NULL},
    [FG_E_DENIED] = {"w", "AccessDenied", NULL, false, "Access is denied: the policy does not permit this operation."},
    [FG_E_DELEGATION_UNREACHABLE] = {"a", "EndpointUnavailable", NULL, true, NULL},
    [FG_E_SOAP_VERSION] = {"s", "VersionMismatch", NULL, false, NULL},
    [FG_E_SOAP_MUST_UNDERSTAND] = {"s", "MustUnderstand", NULL, false, NULL},
    [FG_E_WSA_HEADER] = {"a", "InvalidMessageInformationHeader", NULL, false, NULL},
    [FG_E_WSA_ACTION] = {"a", "ActionNotSupported", NULL, false, NULL},
    [FG_E_WSMAN_ENCRYPTED] = {"w", "EncodingLimit", "EncodingType", false, NULL},
    [FG_E_WSMAN_ENCODING] = {"w", "EncodingLimit", "CharacterSet", false, NULL},
    [FG_E_WSMAN_HEADER] = {"a", "MessageInformationHeaderRequired", NULL, false, NULL},
    [FG_E_WSMAN_RESOURCE] = {"a", "DestinationUnreachable", "InvalidResourceURI", false, NULL},
    [FG_E_WSMAN_SELECTOR] = {"w", "InvalidSelectors", NULL, false, NULL},
    [FG_E_WSMAN_OPTION] = {"w", "InvalidOptions", NULL, false, NULL},
    [FG_E_WSMAN_FILTER] = {"n", "CannotProcessFilter", NULL, false, NULL},
    [FG_E_WSMAN_LIMIT] = {"w", "EncodingLimit", "MaxEnvelopeSize", false, NULL},
    [FG_E_WSMAN_REPLY_TO] = {"w", "UnsupportedFeature", "AddressingMode", false, NULL},
    [FG_E_WSMAN_CONTEXT] = {"n", "InvalidEnumerationContext", NULL, true, NULL},
};

fg_fault_wsman_t fg_fault_wsman(fg_code_t code) {
    const fg_fault_t *fault = fg_fault_get(code);
    if (wsman_table[fault->code].subcode != NULL)
        return wsman_table[fault->code];
    if (fault->receiver)
        return (fg_fault_wsman_t){"w", "InternalError", NULL, true, NULL};
    bool denied = fault->http_status == 401 || fault->http_status == 403;
    return (fg_fault_wsman_t){"w", denied ? "AccessDenied" : "SchemaValidationError", NULL, false, NULL};
}

bool fg_fault_is_temporary(fg_code_t code) { return fg_fault_get(code)->http_status == 503; }
