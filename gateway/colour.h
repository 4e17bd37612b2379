/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The brand's colour, made readable: WCAG 2.1 §1.4.3 asks for a contrast of 4.5 to 1. */
#ifndef FG_GATEWAY_COLOUR_H
#define FG_GATEWAY_COLOUR_H

#include "core/err.h"

#define FG_COLOUR_SIZE 8 /* "#rrggbb" and NUL */

/* True if text is "#rrggbb". */
bool fg_colour_is_valid(const char *text);
/* colour mixed with as little black (on a light surface) or white (on a dark one) as gives the contrast.  Both are
 * valid. */
void fg_colour_readable(const char *colour, const char *surface, char out[FG_COLOUR_SIZE]);
/* Contrast of two valid colours, from 1 to 21. */
double fg_colour_contrast(const char *a, const char *b);

#endif
