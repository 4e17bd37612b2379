/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Response (SAML 2.0 core §3.3.3): written as identity provider, read as service provider. */
#ifndef FG_BRIDGES_SAML_RESPONSE_H
#define FG_BRIDGES_SAML_RESPONSE_H

#include "bridges/saml/message.h"

typedef struct fg_saml_response {
    const char *name; /* of what goes around the next: "ArtifactResponse"; NULL: Response */
    fg_str_t issuer;
    fg_str_t destination;
    fg_str_t in_response_to; /* .n 0: nobody asked */
    fg_str_t assertion;      /* ready-made, or the message; .n 0: none, and err says why */
    const fg_err_t *err;     /* whose row gives the status; NULL: success */
    bool is_signed;
} fg_saml_response_t;

/* Writes it into an empty buffer. */
bool fg_saml_response_write(fg_exchange_t *ex, const fg_saml_response_t *response, fg_buf_t *out,
                            fg_err_t *err) FG_MUST_CHECK;

/* The one assertion (or EncryptedAssertion) of a Response that says that all went well; else NULL: FG_E_SAML_STATUS
 * with what the partner says, or FG_E_SAML_MESSAGE. */
xmlNode *fg_saml_response_read(fg_exchange_t *ex, const xmlNode *root, fg_err_t *err) FG_MUST_CHECK;

#endif
