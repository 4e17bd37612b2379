/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Writes XML directly in exclusive-canonical form (Exclusive XML Canonicalization 1.0): what is digested is what is
 * sent. A namespace is declared where it is first visibly used; attributes are sorted; text is escaped as Canonical XML
 * says. A prefix may get another meaning further down, not twice on one element.  What is signed must begin in a writer
 * of its own: its first element declares all it uses.  Failures are sticky, as in fg_buf_t: check fg_xw_ok() once. */
#ifndef FG_CORE_XMLWRITER_H
#define FG_CORE_XMLWRITER_H

#include "core/buf.h"

#define FG_XW_DEPTH 32
#define FG_XW_ATTRIBUTES 16

/* A namespace with the prefix under which it is written; declared once as a constant and used by address. */
typedef struct fg_xns {
    const char *prefix; /* "" for the default namespace */
    const char *uri;
} fg_xns_t;

typedef struct fg_xw {
    fg_buf_t *out; /* borrowed */
    struct {
        const fg_xns_t *ns;
        const char *name;
        unsigned declared; /* how many declarations were in scope before this element */
    } stack[FG_XW_DEPTH];
    unsigned depth;
    const fg_xns_t *declared[FG_XW_DEPTH * 2];
    unsigned declared_count;
    struct {
        const fg_xns_t *ns; /* NULL: no namespace */
        const char *name;
        fg_str_t value; /* borrowed until the start tag is closed */
    } attributes[FG_XW_ATTRIBUTES];
    unsigned attribute_count;
    const fg_xns_t *forced[4];
    unsigned forced_count;
    bool open; /* a start tag awaits its attributes */
    bool failed;
} fg_xw_t;

/* What canonical XML has in the place of a character that it escapes: & < > " and the control characters tab, line
 * feed, carriage return (Canonical XML 1.0 §2.3). */
const char *fg_xw_escape(char c);

void fg_xw_init(fg_xw_t *w, fg_buf_t *out);
/* ns NULL: an element in no namespace. */
void fg_xw_start(fg_xw_t *w, const fg_xns_t *ns, const char *name);
void fg_xw_attr(fg_xw_t *w, const char *name, fg_str_t value);
void fg_xw_attrz(fg_xw_t *w, const char *name, const char *value);
void fg_xw_attr_ns(fg_xw_t *w, const fg_xns_t *ns, const char *name, fg_str_t value);
/* Declares a namespace on the element whose start tag is open although nothing there uses it visibly (QNames in
 * content: SOAP fault values, WSDL).  Not canonical then: never inside signed parts. */
void fg_xw_declare(fg_xw_t *w, const fg_xns_t *ns);
/* Characters that XML does not allow make the writer fail (SA-13). */
void fg_xw_text(fg_xw_t *w, fg_str_t text);
void fg_xw_textz(fg_xw_t *w, const char *text);
void fg_xw_end(fg_xw_t *w);
/* Start, text, end. */
void fg_xw_leaf(fg_xw_t *w, const fg_xns_t *ns, const char *name, fg_str_t text);
void fg_xw_leafz(fg_xw_t *w, const fg_xns_t *ns, const char *name, const char *text);
/* Puts in ready-made canonical XML (an assertion) unchanged. */
void fg_xw_raw(fg_xw_t *w, fg_str_t xml);
/* Closes an open start tag, so that out->length is where the content begins. */
void fg_xw_flush(fg_xw_t *w);
/* True if nothing failed and every element is closed. */
bool fg_xw_ok(const fg_xw_t *w) FG_MUST_CHECK;

#endif
