/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Between assertion.c and the two formats, saml11.c and saml20.c: nobody else includes this. */
#ifndef FG_TOKEN_ASSERTION_PARTS_H
#define FG_TOKEN_ASSERTION_PARTS_H

#include "core/time.h"
#include "token/assertion.h"

#define FG_READING_CLAIMS_MAX 1000u
#define FG_READING_NO_TIME INT64_MIN
#define FG_READING_OPENED_MAX 32u /* encrypted parts of one assertion: each costs a private key's operation */

/* ---- writing ---- */

/* Write the assertion without its signature and tell where that belongs. */
bool fg_saml11_write(const fg_assertion_t *assertion, fg_xw_t *w, size_t *signature_at) FG_MUST_CHECK;
bool fg_saml20_write(const fg_assertion_t *assertion, fg_xw_t *w, size_t *signature_at) FG_MUST_CHECK;

/* text must live until the start tag is closed. */
void fg_assertion_write_time(fg_xw_t *w, const char *name, int64_t ms, char text[FG_TIME_SIZE]);
/* ds:KeyInfo of a holder-of-key confirmation. */
void fg_assertion_write_key_info(fg_xw_t *w, const fg_assertion_t *assertion);
/* How a format writes attributes: in which namespace, with which naming attributes. */
typedef struct fg_attribute_form {
    const fg_xns_t *ns;
    void (*write_name)(fg_xw_t *, const fg_claim_t *claim, fg_str_t format);
    fg_str_t name_format;                 /* of those whose claim has none of its own; .n 0: none */
    const struct fg_encryptor *encryptor; /* each is encrypted; NULL: none is */
} fg_attribute_form_t;
/* One Attribute per type with all its values, and one for the actor (NULL: none). */
void fg_assertion_write_attributes(fg_xw_t *w, const fg_claims_t *claims, const fg_identity_t *actor,
                                   const fg_attribute_form_t *form);
/* The Attribute that says who acts (actor.c). */
void fg_assertion_write_actor(fg_xw_t *w, const fg_identity_t *actor, const fg_attribute_form_t *form);

/* ---- reading ---- */

typedef struct fg_reading fg_reading_t;
struct fg_reading {
    const fg_env_t *env;
    fg_arena_t *arena;
    const fg_assertion_trust_t *trust;
    fg_assertion_read_t *result;
    xmlNode *assertion;  /* the signed element */
    xmlNode *conditions; /* its child */
    bool audience_seen;
    bool once;               /* a condition says that it may be used once */
    unsigned opened;         /* how many encrypted parts */
    bool authenticated;      /* an authentication statement was read */
    fg_identity_t *identity; /* whose attributes are read: the result's, or one of its actors' */
    unsigned actors;         /* so deep in the chain */
    bool (*read_attribute)(fg_reading_t *, const xmlNode *, fg_err_t *); /* the format's */
};

/* Conditions other than the times, confirmation, statements. */
bool fg_saml11_read_attribute(fg_reading_t *reading, const xmlNode *node, fg_err_t *err) FG_MUST_CHECK;
bool fg_saml20_read_attribute(fg_reading_t *reading, const xmlNode *node, fg_err_t *err) FG_MUST_CHECK;
bool fg_saml11_read(fg_reading_t *reading, fg_err_t *err) FG_MUST_CHECK;
bool fg_saml20_read(fg_reading_t *reading, fg_err_t *err) FG_MUST_CHECK;

/* Whether trust accepts such a confirmation (SA-09). */
bool fg_reading_accepts(const fg_reading_t *reading, fg_confirmation_t confirmation);
/* Reads a time if the attribute is there; *ms stays otherwise. */
bool fg_reading_time(fg_reading_t *reading, const xmlNode *node, const char *attribute, int64_t *ms,
                     fg_err_t *err) FG_MUST_CHECK;
/* Now lies in it, give or take the skew; FG_READING_NO_TIME: open on that side (SA-05). */
bool fg_reading_period(fg_reading_t *reading, int64_t not_before, int64_t not_on_or_after, const char *whose,
                       fg_err_t *err) FG_MUST_CHECK;
bool fg_reading_past(fg_reading_t *reading, int64_t instant, const char *what, fg_err_t *err) FG_MUST_CHECK;
/* One of a restriction's audiences is ours (SA-01); every restriction must be met. */
bool fg_reading_audiences(fg_reading_t *reading, const xmlNode *restriction, const char *ns,
                          fg_err_t *err) FG_MUST_CHECK;
/* The values of an attribute as claims; of FG_CLAIM_ACTOR as the actor of the identity that is read. */
bool fg_reading_values(fg_reading_t *reading, const xmlNode *attribute, const char *ns, fg_str_t type,
                       fg_err_t *err) FG_MUST_CHECK;
/* Who acts (actor.c): exactly one value with <Actor>, at most FG_ACTORS_MAX inside one another. */
bool fg_reading_actor(fg_reading_t *reading, const xmlNode *attribute, const char *ns, fg_err_t *err) FG_MUST_CHECK;
bool fg_reading_name_id(fg_reading_t *reading, const xmlNode *node, const char *qualifier, const char *sp_qualifier,
                        fg_name_id_t *name_id, fg_err_t *err) FG_MUST_CHECK;
/* The format's word for the authentication method, translated if it is known. */
void fg_reading_method(fg_reading_t *reading, fg_str_t word);

#endif
