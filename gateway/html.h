/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Writing values into HTML so that they stay values, wherever a template puts them (SA-12). */
#ifndef FG_GATEWAY_HTML_H
#define FG_GATEWAY_HTML_H

#include "core/buf.h"

/* What the place where a value stands asks of it. */
typedef enum fg_html_place {
    FG_HTML_TEXT,    /* between tags or inside a quoted attribute: escaped */
    FG_HTML_URL,     /* at the beginning of an attribute that holds an address: its scheme is checked too */
    FG_HTML_WORD,    /* in a style sheet: letters, digits and "#.-_%" only */
    FG_HTML_REFUSED, /* in a script, an event handler, a comment or outside quotes: no value may stand here */
} fg_html_place_t;

/* Appends value as its place asks.  An address that is not http, https, mailto, data:image/ or relative becomes
 * about:blank; what is no word in a style sheet is left out. */
void fg_html_put(fg_buf_t *out, fg_str_t value, fg_html_place_t place);

typedef enum fg_html_state {
    FG_HTML_IN_DATA,
    FG_HTML_IN_TAG_NAME,
    FG_HTML_IN_TAG,
    FG_HTML_IN_NAME,
    FG_HTML_AFTER_EQUALS,
    FG_HTML_IN_DOUBLE_QUOTES,
    FG_HTML_IN_SINGLE_QUOTES,
    FG_HTML_IN_UNQUOTED,
    FG_HTML_IN_COMMENT,
    FG_HTML_IN_RAW,
} fg_html_state_t;

/* Where in a document we are after the literal text read so far.  Zeroed: at its beginning. */
typedef struct fg_html_scan {
    fg_html_state_t state;
    char tag[16];       /* lower case, cut; "/p" for an end tag */
    char attribute[16]; /* likewise */
    unsigned matched;   /* bytes of "-->" or of a raw element's end tag seen */
    bool fresh;         /* nothing literal stands yet in the value of an attribute that holds an address */
} fg_html_scan_t;

void fg_html_scan_add(fg_html_scan_t *scan, fg_str_t literal);
bool fg_html_scan_eq(const fg_html_scan_t *a, const fg_html_scan_t *b);
fg_html_place_t fg_html_scan_place(const fg_html_scan_t *scan);

#endif
