/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * LogoutRequest and LogoutResponse (SAML 2.0 core §3.7), read and written. */
#ifndef FG_BRIDGES_SAML_LOGOUT_H
#define FG_BRIDGES_SAML_LOGOUT_H

#include "bridges/saml/message.h"
#include "token/encrypt.h"

#define FG_SAML_SESSIONS 16u

typedef struct fg_saml_logout {
    fg_name_id_t name_id;
    fg_str_t sessions[FG_SAML_SESSIONS]; /* SessionIndexes; none: all sessions of that person */
    size_t session_count;
    const fg_encryptor_t *encryptor; /* to write: of the name; NULL: it is not encrypted */
} fg_saml_logout_t;

/* Reads a request that was verified.  An EncryptedID is opened with our keys; NotOnOrAfter must be to come. */
bool fg_saml_logout_read(fg_exchange_t *ex, const xmlNode *root, fg_saml_logout_t *logout, fg_err_t *err) FG_MUST_CHECK;

/* Writes a request into an empty buffer. */
bool fg_saml_logout_write(fg_exchange_t *ex, const fg_saml_logout_t *logout, const char *id, fg_str_t issuer,
                          fg_str_t destination, bool signed_inside, fg_buf_t *out, fg_err_t *err) FG_MUST_CHECK;

/* How a logout ended for everybody who was to be told (core §3.7.3.1). */
typedef enum fg_saml_logout_end { FG_SAML_LOGGED_OUT, FG_SAML_PARTLY, FG_SAML_REFUSED } fg_saml_logout_end_t;

/* Writes a response into an empty buffer. */
bool fg_saml_logout_response_write(fg_exchange_t *ex, fg_saml_logout_end_t end, fg_str_t issuer, fg_str_t destination,
                                   fg_str_t in_response_to, bool signed_inside, fg_buf_t *out,
                                   fg_err_t *err) FG_MUST_CHECK;
/* What a verified response says. */
fg_saml_logout_end_t fg_saml_logout_response_read(fg_exchange_t *ex, const xmlNode *root);

#endif
