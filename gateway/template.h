/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The language of the pages: HTML with tags, over a jansson model.
 *
 *   {{name}}                  the value, escaped for the place where it stands; nothing if there is none
 *   {{#name}} ... {{/name}}   for each element of a list; once if a value is there and neither false nor empty
 *   {{?name}} ... {{/name}}   once if a value is there and neither false nor empty, also for a list
 *   {{^name}} ... {{/name}}   once if it is absent, false or empty
 *   {{t.key}}                 a text of the language; {name} within it is the value, both escaped
 *   {{>file}}                 another file, put in when the page is loaded
 *   {{! ... }}                a comment
 *
 * Names are sought in the innermost list element first, then outwards.  There is no way to write a value unescaped, and
 * none to put one where escaping does not help (a script, an event handler, outside quotes): loading refuses that. */
#ifndef FG_GATEWAY_TEMPLATE_H
#define FG_GATEWAY_TEMPLATE_H

#include <jansson.h>

#include "core/buf.h"

#define FG_TEMPLATE_SECTIONS 8 /* nested sections */
#define FG_TEMPLATE_FILES 4    /* nested files */

typedef struct fg_template fg_template_t;

/* Where a template's parts come from.  What is handed out must live as long as the template. */
typedef struct fg_template_parts {
    /* A file by name; on failure err says why, without place. */
    bool (*file)(void *context, fg_str_t name, const char **path, fg_str_t *text, fg_err_t *err);
    /* A text by its key; .p NULL: none.  path is where it stands, for messages. */
    fg_str_t (*text)(void *context, fg_str_t key, const char **path);
    void *context;
} fg_template_parts_t;

/* Compiles file name and what it includes.  NULL: the error reads "FILE:LINE:COLUMN: found …, expected …". */
fg_template_t *fg_template_compile(const char *name, const fg_template_parts_t *parts, fg_err_t *err) FG_MUST_CHECK;
void fg_template_free(fg_template_t *template);

/* Appends the page; fg_buf_ok(out) tells whether it fitted.  Safe to call from many threads. */
void fg_template_render(const fg_template_t *template, const json_t *model, fg_buf_t *out);

#endif
