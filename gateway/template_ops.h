/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the two halves of the template language share: what compiling makes and rendering runs. */
#ifndef FG_GATEWAY_TEMPLATE_OPS_H
#define FG_GATEWAY_TEMPLATE_OPS_H

#include "gateway/html.h"
#include "gateway/template.h"

typedef enum fg_op_kind {
    FG_OP_LITERAL, /* text as it stands in the template */
    FG_OP_TEXT,    /* a text's words, escaped */
    FG_OP_VALUE,   /* text is the name */
    FG_OP_EACH,    /* sections: text is the name, jump the op that closes it */
    FG_OP_IF,
    FG_OP_UNLESS,
    FG_OP_END, /* jump is the op that opened it */
} fg_op_kind_t;

typedef struct fg_op {
    fg_op_kind_t kind;
    fg_html_place_t place;
    fg_str_t text; /* not terminated */
    size_t jump;
} fg_op_t;

struct fg_template {
    fg_op_t *ops;
    size_t count;
    size_t capacity;
};

#endif
