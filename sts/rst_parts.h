/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Between rst.c and the files that read a request's parts: nobody else includes this. */
#ifndef FG_STS_RST_PARTS_H
#define FG_STS_RST_PARTS_H

#include "sts/rst.h"

typedef struct fg_rst_reading {
    fg_arena_t *arena;
    fg_trust_version_t trust;
    int64_t now_ms;
    int64_t skew_ms;
    fg_rst_t *rst;
    bool request_type_seen;
} fg_rst_reading_t;

/* One parameter; what is wrong with it is *err. */
typedef bool (*fg_rst_reader_t)(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err);

static inline const char *fg_rst_ns(const fg_rst_reading_t *r) { return fg_trust_words(r->trust)->ns.uri; }
/* An element's trimmed text; code: of the refusal if it has none. */
bool fg_rst_text(fg_rst_reading_t *r, const xmlNode *element, fg_code_t code, fg_str_t *text,
                 fg_err_t *err) FG_MUST_CHECK;

/* ---- rst_key.c */
bool fg_rst_key_type(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err);
bool fg_rst_key_size(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err);
bool fg_rst_entropy(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err);
bool fg_rst_computed_key(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err);
bool fg_rst_use_key(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err);
/* Whether what is said about the key fits together, once all is read. */
bool fg_rst_check_key(const fg_rst_reading_t *r, fg_err_t *err) FG_MUST_CHECK;

/* ---- rst_scope.c */
bool fg_rst_applies_to(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err);
bool fg_rst_lifetime(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err);
bool fg_rst_claims(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err);

/* ---- rst_token.c */
bool fg_rst_on_behalf_of(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err);
bool fg_rst_act_as(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err);
bool fg_rst_renew_target(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err);
bool fg_rst_cancel_target(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err);
bool fg_rst_validate_target(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err);
bool fg_rst_delegatable(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err);
bool fg_rst_forwardable(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err);
bool fg_rst_renewing(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err);

#endif
