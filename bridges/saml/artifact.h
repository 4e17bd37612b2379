/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The HTTP Artifact binding (bindings §3.6): the browser carries a word that stands for a message, and who gets the
 * word asks for the message by SOAP. */
#ifndef FG_BRIDGES_SAML_ARTIFACT_H
#define FG_BRIDGES_SAML_ARTIFACT_H

#include "bridges/saml/message.h"

#define FG_SAML_ARTIFACT_PARAM "SAMLart"

typedef struct fg_saml_artifact {
    unsigned endpoint; /* index of the ArtifactResolutionService */
    unsigned char source_id[FG_SAML_SOURCE_ID];
    fg_str_t handle; /* in hexadecimal digits */
} fg_saml_artifact_t;

/* Type 0x0004 (§3.6.4): base64 of type, endpoint index, SourceID, 20 bytes of MessageHandle. */
bool fg_saml_artifact_parse(fg_exchange_t *ex, fg_str_t text, fg_saml_artifact_t *artifact,
                            fg_err_t *err) FG_MUST_CHECK;

/* Keeps the message for a minute and sends the browser to out->to with an artifact for it; realm: of the only partner
 * that may ask for it. */
bool fg_saml_artifact_send(fg_exchange_t *ex, const fg_saml_outbound_t *out, fg_str_t realm,
                           fg_err_t *err) FG_MUST_CHECK;
/* A partner asks for a message (SA-19). */
fg_step_t fg_saml_artifact_resolve(fg_exchange_t *ex);

/* A browser brings an identity provider's artifact: *in is the Response for which it stands. */
bool fg_saml_artifact_receive(fg_exchange_t *ex, fg_saml_inbound_t *in, fg_err_t *err) FG_MUST_CHECK;

#endif
