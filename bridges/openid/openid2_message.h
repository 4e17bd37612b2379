/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Messages (OpenID Authentication 2.0 §4.1, §5): fields with their "openid." taken off, their Key-Value Form, their
 * signatures. */
#ifndef FG_OPENID_OPENID2_MESSAGE_H
#define FG_OPENID_OPENID2_MESSAGE_H

#include "bridges/openid/openid2.h"

#define FG_OPENID2_FIELDS 200u
#define FG_OPENID2_MESSAGE_MAX (16u << 10)

typedef struct fg_openid2_message {
    fg_param_t *items; /* names without "openid." */
    size_t count;
    bool v2; /* false: OpenID 1.1 */
} fg_openid2_message_t;

/* An empty one with room for FG_OPENID2_FIELDS fields. */
bool fg_openid2_message_new(fg_exchange_t *ex, bool v2, fg_openid2_message_t *message, fg_err_t *err) FG_MUST_CHECK;
/* The fields among a request's parameters (§4.1.2).  code: of refusals: a field twice, an unknown namespace. */
bool fg_openid2_message_read(fg_exchange_t *ex, const fg_params_t *params, fg_code_t code,
                             fg_openid2_message_t *message, fg_err_t *err) FG_MUST_CHECK;
/* Key-Value Form (§4.1.1); names have no "openid." there. */
bool fg_openid2_message_parse(fg_exchange_t *ex, fg_str_t text, fg_code_t code, fg_openid2_message_t *message,
                              fg_err_t *err) FG_MUST_CHECK;

/* .p NULL: absent. */
fg_str_t fg_openid2_get(const fg_openid2_message_t *message, const char *name);
/* The field of an extension: "ALIAS.NAME". */
fg_str_t fg_openid2_get_in(const fg_openid2_message_t *message, fg_str_t alias, const char *name);
/* Under which alias an extension's fields stand (§12); .p NULL: it is not used. */
fg_str_t fg_openid2_alias(const fg_openid2_message_t *message, const char *ns);
/* Adds or replaces; strings are borrowed.  Beyond the room it is dropped: the caller's fields are few. */
void fg_openid2_put(fg_openid2_message_t *message, const char *name, fg_str_t value);
/* "ALIAS.NAME", made in the arena. */
void fg_openid2_put_in(fg_exchange_t *ex, fg_openid2_message_t *message, const char *alias, const char *name,
                       fg_str_t value);

/* Key-Value Form.  False: a value with a line break. */
bool fg_openid2_write(fg_buf_t *out, const fg_openid2_message_t *message) FG_MUST_CHECK;
/* The fields that "signed" lists, in its order (§6.1).  False: one is not there or has a line break. */
bool fg_openid2_write_signed(fg_buf_t *out, const fg_openid2_message_t *message, fg_str_t signed_list) FG_MUST_CHECK;
/* Whether a list of names divided by commas has one. */
bool fg_openid2_list_has(fg_str_t list, const char *name);
/* The next of such a list, cut off; .n 0: its end. */
fg_str_t fg_openid2_list_next(fg_str_t *list);

/* Takes a browser along: a redirect, or a form where that would be too long (§5.2).  to: return_to, an endpoint;
 * application: for people. */
bool fg_openid2_send(fg_exchange_t *ex, const fg_openid2_message_t *message, fg_str_t to, const char *application,
                     fg_err_t *err) FG_MUST_CHECK;
/* to with the message as its query; false: too long. */
bool fg_openid2_write_url(fg_buf_t *out, const fg_openid2_message_t *message, fg_str_t to) FG_MUST_CHECK;

#endif
