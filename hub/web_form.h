/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The fields of a form that a browser sent (HTML, form submission), so that it can be sent again by a page of ours. */
#ifndef FG_HUB_WEB_FORM_H
#define FG_HUB_WEB_FORM_H

#include "hub/exchange.h"

#define FG_WEB_FORM_MAX (64u << 10)

typedef struct fg_web_form {
    const char *enctype; /* the media type, as a form element says it */
    fg_param_t *items;
    size_t count;
} fg_web_form_t;

/* content_type: the header's value.  FG_E_HTTP_FORM: another media type, files, more than 64 fields, or no UTF-8.
 * Strings are in the arena or point into body. */
bool fg_web_form_read(fg_arena_t *arena, fg_str_t content_type, fg_str_t body, fg_web_form_t *form,
                      fg_err_t *err) FG_MUST_CHECK;

#endif
