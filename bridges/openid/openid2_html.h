/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The link and meta elements in the head of an HTML document (OpenID Authentication 2.0 §7.3.3, Yadis 1.0 §6.2.5),
 * found without building a tree: one pass over the bytes. */
#ifndef FG_OPENID_OPENID2_HTML_H
#define FG_OPENID_OPENID2_HTML_H

#include "core/arena.h"
#include "core/str.h"

#define FG_HTML_ATTRIBUTES 16u

typedef struct fg_html_element {
    fg_str_t name; /* as written */
    struct {
        fg_str_t name;
        fg_str_t value; /* references decoded */
    } attributes[FG_HTML_ATTRIBUTES];
    size_t count; /* what does not fit is left out */
} fg_html_element_t;

typedef struct fg_html {
    fg_arena_t *arena;
    fg_str_t rest;
    bool in_html, in_head, over;
} fg_html_t;

static inline fg_html_t fg_html_begin(fg_arena_t *arena, fg_str_t bytes) {
    return (fg_html_t){arena, bytes, false, false, false};
}
/* The next link or meta element in the head; false: there is none any more.  in_html: there was an html element. */
bool fg_html_next(fg_html_t *in, fg_html_element_t *element);
/* An attribute, its name in any case, the last of several; .p NULL: it has none. */
fg_str_t fg_html_get(const fg_html_element_t *element, const char *name);

#endif
