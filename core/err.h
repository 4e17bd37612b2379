/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * An error is a value that the caller owns.  Its code selects one row of the fault table (fault.h), which knows each
 * protocol's face of it; the detail is for log and command line only and never holds a secret or a token. */
#ifndef FG_CORE_ERR_H
#define FG_CORE_ERR_H

#include <stdbool.h>
#include <stddef.h>

/* Every code has exactly one row in fault.c; the order of the two is the same. */
typedef enum fg_code {
    FG_OK = 0,
    /* the house itself */
    FG_E_INTERNAL,
    FG_E_MEMORY,
    FG_E_UNAVAILABLE, /* a one-time check could not be answered: fails closed */
    FG_E_DIRECTORY, /* no server of a directory answers, or not as it should */
    FG_E_BUSY,        /* a queue is full */
    FG_E_FILE,        /* a file cannot be read or written */
    FG_E_CONFIG,
    FG_E_FETCH_REFUSED, /* the gateway may not ask there */
    FG_E_FETCH_FAILED,  /* another server did not answer as it should */
    /* HTTP */
    FG_E_HTTP_REQUEST,
    FG_E_HTTP_NOT_FOUND,
    FG_E_HTTP_METHOD,
    FG_E_HTTP_MEDIA_TYPE,
    FG_E_HTTP_TOO_LARGE,
    FG_E_HTTP_NEEDS_TLS,
    FG_E_HTTP_HOST,
    FG_E_HTTP_PATH, /* could mean something else to the server behind */
    FG_E_CSRF,
    FG_E_HTTP_FORM, /* cannot be kept while somebody signs in */
    FG_E_SESSION_SIZE,
    /* XML */
    FG_E_XML_MALFORMED,
    FG_E_XML_DTD,
    FG_E_XML_ENCODING,
    FG_E_XML_LIMIT,
    FG_E_XML_STRUCTURE,
    /* signature and encryption: one public face */
    FG_E_SIG_MISSING,
    FG_E_SIG_STRUCTURE,
    FG_E_SIG_ALGORITHM,
    FG_E_SIG_KEY,
    FG_E_SIG_INVALID,
    FG_E_DECRYPT,
    /* a token's content */
    FG_E_TOKEN_MALFORMED,
    FG_E_TOKEN_EXPIRED,
    FG_E_TOKEN_NOT_YET_VALID,
    FG_E_TOKEN_ISSUER,
    FG_E_TOKEN_AUDIENCE,
    FG_E_TOKEN_RECIPIENT,
    FG_E_TOKEN_CONDITION,
    FG_E_TOKEN_CONFIRMATION,
    FG_E_TOKEN_REPLAY,
    FG_E_TOKEN_LIFETIME,
    FG_E_TOKEN_CANCELLED,
    /* certificates: one public face */
    FG_E_CERTIFICATE_UNTRUSTED, /* no way to a CA that is trusted */
    FG_E_CERTIFICATE_EXPIRED,
    FG_E_CERTIFICATE_NOT_YET_VALID,
    FG_E_CERTIFICATE_PURPOSE,
    FG_E_CERTIFICATE_WEAK,
    FG_E_CERTIFICATE_REVOKED,
    FG_E_CERTIFICATE_UNCHECKED, /* whether it was revoked cannot be told */
    FG_E_CERTIFICATE_NAMES,     /* the names in it could be read in two ways */
    FG_E_CERTIFICATE_ACCOUNT,   /* no account that may be used is its owner's */
    FG_E_CERTIFICATE_SID,       /* it was issued for another account */
    /* who is it */
    FG_E_AUTH_MISSING,
    FG_E_AUTH_FAILED, /* unknown user and wrong password alike */
    /* a directory's word on whoever sent the right password */
    FG_E_AUTH_DISABLED,
    FG_E_AUTH_EXPIRED,
    FG_E_AUTH_RESTRICTED, /* not at this hour, not from here */
    FG_E_AUTH_MUST_CHANGE,
    FG_E_PASSWORD_ENTRY,   /* the new one was left out, was typed in two ways, or is the old one */
    FG_E_PASSWORD_POLICY,  /* the directory's rules do not take the new one */
    FG_E_PASSWORD_NOT_DUE, /* the account need not change it */
    FG_E_PASSWORD_REFUSED, /* the directory does not let it be changed */
    FG_E_AUTH_ACCOUNT_LOCKED, /* in the directory; looks like a wrong password */
    FG_E_AUTH_KERBEROS, /* a ticket, or what came in place of one */
    FG_E_AUTH_LOCKED,
    FG_E_AUTH_DIGEST, /* the account's password cannot be checked by its digest; looks like a wrong one */
    FG_E_DENIED,
    /* acting for somebody towards a server that wants Kerberos */
    FG_E_DELEGATION_CLAIM,   /* nobody that may be delegated */
    FG_E_DELEGATION_PERSON,  /* unknown to the KDC */
    FG_E_DELEGATION_ACCOUNT, /* disabled or expired */
    FG_E_DELEGATION_SENSITIVE,
    FG_E_DELEGATION_NOT_ALLOWED, /* to the gateway's own account */
    FG_E_DELEGATION_BACKEND,     /* the server behind is unknown to the KDC */
    FG_E_DELEGATION_SERVICE,     /* the gateway's own account, its keytab */
    FG_E_DELEGATION_UNREACHABLE,
    /* SOAP, WS-Addressing, WS-Security */
    FG_E_SOAP_VERSION,
    FG_E_SOAP_STRUCTURE,
    FG_E_SOAP_MUST_UNDERSTAND,
    FG_E_WSA_HEADER,
    FG_E_WSA_ACTION,
    FG_E_WSS_STRUCTURE,
    FG_E_WSS_TIMESTAMP,
    FG_E_WSS_EXPIRED,
    FG_E_WSS_UNSUPPORTED,
    FG_E_WSS_REPLAY,
    /* WS-Trust */
    FG_E_WST_REQUEST,
    FG_E_WST_REQUEST_TYPE,
    FG_E_WST_SCOPE,
    FG_E_WST_TOKEN_TYPE,
    FG_E_WST_KEY_TYPE,
    FG_E_WST_TIME_RANGE,
    FG_E_WST_CLAIMS, /* a dialect that is not served, or a required claim that is not issued */
    FG_E_WST_KEY,    /* size, entropy or form of a requested key */
    FG_E_WST_PROOF,  /* UseKey names a key that the requestor does not show to have */
    FG_E_WST_RENEW,
    FG_E_WST_OWNER, /* Renew or Cancel of somebody else's token */
    /* WS-Federation */
    FG_E_WSFED_REQUEST,
    FG_E_WSFED_ACTION,
    FG_E_WSFED_REALM,
    FG_E_WSFED_REPLY,
    FG_E_WSFED_POINTER,
    FG_E_WSFED_AUTH,
    FG_E_WSFED_HOME_REALM,
    FG_E_WSFED_LOOP,
    FG_E_WSFED_RESULT,
    /* SAML 2.0 protocol */
    FG_E_SAML_MESSAGE,
    FG_E_SAML_VERSION,
    FG_E_SAML_PARTNER,
    FG_E_SAML_DESTINATION,
    FG_E_SAML_CONSUMER, /* assertion consumer service */
    FG_E_SAML_BINDING,
    FG_E_SAML_NAME_ID,
    FG_E_SAML_PASSIVE,
    FG_E_SAML_CONTEXT, /* authentication context */
    FG_E_SAML_PROXY,
    FG_E_SAML_LOOP,
    FG_E_SAML_PROVIDER, /* none of those that were asked for */
    FG_E_SAML_ANSWER,   /* to no request of ours */
    FG_E_SAML_STATUS,   /* the partner refused */
    FG_E_SAML_UNSUPPORTED,
    FG_E_SAML_PRINCIPAL, /* nobody whom the partner knows */
    /* OAuth 2.0 and OpenID Connect */
    FG_E_OPENID_REQUEST,
    FG_E_OPENID_CLIENT, /* client_id */
    FG_E_OPENID_REDIRECT,
    FG_E_OPENID_PKCE,
    FG_E_OPENID_RESPONSE_TYPE,
    FG_E_OPENID_SCOPE,
    FG_E_OPENID_TARGET, /* resource */
    FG_E_OPENID_OBJECT, /* request */
    FG_E_OPENID_OBJECT_URI,
    FG_E_OPENID_LOGIN, /* somebody else than was asked for, or nobody */
    FG_E_OPENID_CONSENT,
    FG_E_OPENID_REFUSED, /* by the person */
    FG_E_OPENID_ACR,
    FG_E_OPENID_CLIENT_AUTH,
    FG_E_OPENID_GRANT,
    FG_E_OPENID_GRANT_TYPE,
    FG_E_OPENID_GRANT_FORBIDDEN,
    FG_E_OPENID_TOKEN, /* a bearer token */
    FG_E_OPENID_TOKEN_SCOPE,
    FG_E_OPENID_OBJECT_INVALID,
    FG_E_OPENID_PUSHED,      /* request_uri of no request that was pushed, or a request that had to be */
    FG_E_OPENID_SUBJECT,     /* subject_token, actor_token */
    FG_E_OPENID_ISSUED_TYPE, /* requested_token_type */
    FG_E_OPENID_DPOP,
    FG_E_OPENID_DPOP_NONCE,
    FG_E_OPENID_PENDING, /* device flow: nobody has answered yet */
    FG_E_OPENID_SLOW_DOWN,
    FG_E_OPENID_DEVICE,       /* device_code */
    FG_E_OPENID_METADATA,     /* of a client that registers itself */
    FG_E_OPENID_METADATA_URI, /* one of its redirect URIs */
    FG_E_OPENID_LOGOUT,
    FG_E_OPENID_ANSWER,   /* an identity provider's, as relying party */
    FG_E_OPENID_PROVIDER, /* it refused */
    FG_E_OPENID_MIX_UP,   /* another one answered */
    FG_E_OPENID_ID_TOKEN,
    FG_E_OPENID_LOGOUT_TOKEN,
    /* OpenID 2.0 */
    FG_E_OPENID2_REQUEST,
    FG_E_OPENID2_TYPE,      /* of an association or its session */
    FG_E_OPENID2_REALM,     /* not a partner's, or return_to is not in it */
    FG_E_OPENID2_IDENTITY,  /* not that of who is signed in */
    FG_E_OPENID2_DISCOVERY, /* what an identifier or a realm says of itself */
    FG_E_OPENID2_ANSWER,    /* a provider's */
    FG_E_OPENID2_CANCELLED, /* there, by the person */
    /* WS-Management */
    FG_E_WSMAN_ENCRYPTED,
    FG_E_WSMAN_ENCODING,
    FG_E_WSMAN_HEADER,   /* a header that must be there is not */
    FG_E_WSMAN_RESOURCE, /* ResourceURI */
    FG_E_WSMAN_SELECTOR,
    FG_E_WSMAN_OPTION,
    FG_E_WSMAN_BODY, /* the Body does not fit the Action */
    FG_E_WSMAN_FILTER,
    FG_E_WSMAN_LIMIT,    /* a wish beyond what passes: MaxEnvelopeSize, MaxElements */
    FG_E_WSMAN_REPLY_TO, /* answers or events are to go elsewhere */
    FG_E_WSMAN_CONTEXT,  /* an enumeration, shell or subscription that is not the sender's */
    FG_E_WSMAN_SCRIPT,   /* an encoded command that cannot be read */
    FG_CODE_COUNT
} fg_code_t;

/* Why, in one word of the table in reason.c; the order of the two is the same. */
typedef enum fg_reason {
    FG_R_NONE = 0, /* the fault's code says it */
    FG_R_INPUT_UNRECOGNISED,
    FG_R_INPUT_TRUNCATED,
    FG_R_INPUT_TOO_LARGE,
    FG_R_XML_NOT_WELL_FORMED,
    FG_R_XML_DOCTYPE,
    FG_R_XML_LIMIT,
    FG_R_XML_ENCODING,
    FG_R_STRUCTURE_INVALID,
    FG_R_STRUCTURE_AMBIGUOUS,
    FG_R_SIGNATURE_MISSING,
    FG_R_SIGNATURE_MALFORMED,
    FG_R_SIGNATURE_NOT_COVERING,
    FG_R_SIGNATURE_WRAPPED,
    FG_R_SIGNATURE_UNKNOWN_KEY,
    FG_R_SIGNATURE_WRONG_KEY,
    FG_R_SIGNATURE_DIGEST_MISMATCH,
    FG_R_SIGNATURE_VALUE_MISMATCH,
    FG_R_SIGNATURE_WEAK_ALGORITHM,
    FG_R_SIGNATURE_FORBIDDEN_TRANSFORM,
    FG_R_SIGNATURE_FORBIDDEN_REFERENCE,
    FG_R_CERTIFICATE_EXPIRED,
    FG_R_CERTIFICATE_NOT_YET_VALID,
    FG_R_CERTIFICATE_UNTRUSTED,
    FG_R_CERTIFICATE_REVOKED,
    FG_R_CERTIFICATE_PURPOSE,
    FG_R_CERTIFICATE_WEAK,
    FG_R_CERTIFICATE_UNCHECKED,
    FG_R_CERTIFICATE_NAMES,
    FG_R_CERTIFICATE_NO_ACCOUNT,
    FG_R_CERTIFICATE_OTHER_ACCOUNT,
    FG_R_ENCRYPTION_NO_KEY,
    FG_R_ENCRYPTION_FAILED,
    FG_R_ENCRYPTION_WEAK_ALGORITHM,
    FG_R_TIME_EXPIRED,
    FG_R_TIME_NOT_YET_VALID,
    FG_R_TIME_MISSING,
    FG_R_TIME_TOO_LONG,
    FG_R_ISSUER_UNKNOWN,
    FG_R_ISSUER_MISMATCH,
    FG_R_AUDIENCE_MISMATCH,
    FG_R_AUDIENCE_MISSING,
    FG_R_RECIPIENT_MISMATCH,
    FG_R_DESTINATION_MISMATCH,
    FG_R_CONFIRMATION_MISSING,
    FG_R_CONFIRMATION_UNSUPPORTED,
    FG_R_CONFIRMATION_NO_PROOF,
    FG_R_CONDITION_UNKNOWN,
    FG_R_REQUEST_MISMATCH,
    FG_R_REPLAY_SEEN,
    FG_R_TOKEN_CANCELLED,
    FG_R_JWT_MALFORMED,
    FG_R_JWT_ALG_NONE,
    FG_R_JWT_ALG_MISMATCH,
    FG_R_JWT_CRIT,
    FG_R_OPENID_RETURN_TO_MISMATCH,
    FG_R_OPENID_UNSIGNED_FIELD,
    FG_R_OPENID_NONCE,
    FG_R_PASSWORD_WRONG,
    FG_R_PASSWORD_MISSING,
    FG_R_ACCOUNT_LOCKED,
    FG_R_KERBEROS_TOKEN,
    FG_R_KERBEROS_NTLM,
    FG_R_KERBEROS_ROUNDS,
    FG_R_KERBEROS_EXPIRED,
    FG_R_KERBEROS_CLOCK,
    FG_R_KERBEROS_KEY,
    FG_R_KERBEROS_KEYTAB,
    FG_R_KERBEROS_SERVICE,
    FG_R_KERBEROS_REPLAY,
    FG_R_KERBEROS_BINDING,
    FG_R_KERBEROS_REALM,
    FG_R_KERBEROS_PRINCIPAL,
    FG_R_POLICY_DENIED,
    FG_R_PARTNER_UNKNOWN,
    FG_R_PARTNER_REPLY_URL,
    FG_R_DELEGATION_DENIED,
    FG_R_DELEGATION_NO_PRINCIPAL,
    FG_R_DELEGATION_UNKNOWN_PERSON,
    FG_R_DELEGATION_ACCOUNT,
    FG_R_DELEGATION_SENSITIVE,
    FG_R_DELEGATION_NOT_ALLOWED,
    FG_R_DELEGATION_BACKEND,
    FG_R_DELEGATION_SERVICE,
    FG_R_DELEGATION_UNREACHABLE,
    FG_REASON_COUNT
} fg_reason_t;

typedef struct fg_err {
    fg_code_t code;
    fg_reason_t reason; /* finer than the code; FG_R_NONE: what that one stands for (reason.h) */
    char detail[512];   /* private: log and command line */
    const char *file;   /* where it happened, in our source */
    int line;
} fg_err_t;

#define FG_ERR_INIT \
    { FG_OK, FG_R_NONE, {0}, NULL, 0 }
#define FG_MUST_CHECK __attribute__((warn_unused_result))
#define FG_PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))
#define FG_ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Sets *err (which may be NULL) and returns false, so that a refusal is one statement:
 *     return FG_FAIL(err, FG_E_TOKEN_EXPIRED, "NotOnOrAfter %s", text); */
#define FG_FAIL(err, code, ...) fg_err_set((err), (code), __FILE__, __LINE__, __VA_ARGS__)
bool fg_err_set(fg_err_t *err, fg_code_t code, const char *file, int line, const char *format, ...) FG_PRINTF(5, 6);
/* The same with a reason of its own. */
#define FG_FAIL_FOR(err, code, reason, ...) fg_err_set_for((err), (code), (reason), __FILE__, __LINE__, __VA_ARGS__)
bool fg_err_set_for(fg_err_t *err, fg_code_t code, fg_reason_t reason, const char *file, int line, const char *format,
                    ...) FG_PRINTF(6, 7);

/* Puts "prefix: " before the detail of an error on its way up. Returns false. */
bool fg_err_prefix(fg_err_t *err, const char *format, ...) FG_PRINTF(2, 3);

#endif
