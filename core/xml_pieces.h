/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A document too large for one tree, cut into pieces that make small ones: some elements are containers, which are
 * opened, and each of their children is a piece.  With the containers' tags around it a piece is a document. */
#ifndef FG_CORE_XML_PIECES_H
#define FG_CORE_XML_PIECES_H

#include "core/xml.h"

#define FG_XML_PIECES_DEPTH 8u

typedef enum fg_xml_cut {
    FG_XML_CUT_OPEN,  /* the start tag of a container */
    FG_XML_CUT_PIECE, /* what is between two cuts: text and comments, and behind them at most one element */
    FG_XML_CUT_CLOSE, /* the end tag of a container */
    FG_XML_CUT_END,
} fg_xml_cut_t;

typedef struct fg_xml_pieces {
    fg_str_t document;
    const char *container; /* its local name, whatever the namespace: the caller's tree tells that */
    size_t at;
    struct {
        fg_str_t tag, name;
    } open[FG_XML_PIECES_DEPTH];
    unsigned depth;
    /* of the last cut */
    fg_str_t bytes;
    size_t element; /* of a piece: where in bytes its element begins; bytes.n: it has none */
} fg_xml_pieces_t;

/* The local name of the root; .n 0: there is none. */
fg_str_t fg_xml_pieces_root(fg_str_t document);

/* document: scanned before (fg_xml_scan), which the cutting relies on. */
void fg_xml_pieces_begin(fg_xml_pieces_t *pieces, fg_str_t document, const char *container);
/* The next cut.  The root must be a container. */
bool fg_xml_pieces_next(fg_xml_pieces_t *pieces, fg_xml_cut_t *cut, fg_err_t *err) FG_MUST_CHECK;
/* Appends content with the tags of the open containers around it. */
void fg_xml_pieces_wrap(const fg_xml_pieces_t *pieces, fg_str_t content, fg_buf_t *out);

#endif
