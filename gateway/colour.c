/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gateway/colour.h"

#include <stdio.h>
#include <string.h>

#define CONTRAST 4.6 /* 4.5 and some reserve for rounding */
#define STEPS 64

typedef struct rgb {
    double part[3]; /* sRGB, 0 to 1 */
} rgb_t;

static int hex(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    char small = (char)(c | 0x20);
    return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

bool fg_colour_is_valid(const char *text) {
    if (text == NULL || text[0] != '#' || strlen(text) != FG_COLOUR_SIZE - 1)
        return false;
    for (int i = 1; i < FG_COLOUR_SIZE - 1; i++)
        if (hex(text[i]) < 0)
            return false;
    return true;
}

static rgb_t parse(const char *text) {
    rgb_t colour;
    for (int i = 0; i < 3; i++)
        colour.part[i] = (hex(text[1 + 2 * i]) * 16 + hex(text[2 + 2 * i])) / 255.0;
    return colour;
}

/* WCAG 2.1's relative luminance; the sRGB curve as a polynomial that is off by less than 0.002. */
static double luminance(rgb_t colour) {
    static const double weight[3] = {0.2126, 0.7152, 0.0722};
    double sum = 0;
    for (int i = 0; i < 3; i++) {
        double c = colour.part[i];
        sum += weight[i] * c * (c * (c * 0.305306011 + 0.682171111) + 0.012522878);
    }
    return sum;
}

static double contrast(rgb_t a, rgb_t b) {
    double x = luminance(a), y = luminance(b);
    return x > y ? (x + 0.05) / (y + 0.05) : (y + 0.05) / (x + 0.05);
}

double fg_colour_contrast(const char *a, const char *b) { return contrast(parse(a), parse(b)); }

void fg_colour_readable(const char *colour, const char *surface, char out[FG_COLOUR_SIZE]) {
    rgb_t from = parse(colour), back = parse(surface), mixed = from;
    double end = luminance(back) > 0.18 ? 0 : 1;
    for (int step = 1; step <= STEPS && contrast(mixed, back) < CONTRAST; step++)
        for (int i = 0; i < 3; i++)
            mixed.part[i] = from.part[i] + (end - from.part[i]) * step / STEPS;
    snprintf(out, FG_COLOUR_SIZE, "#%02x%02x%02x", (unsigned)(mixed.part[0] * 255 + 0.5) & 0xff,
             (unsigned)(mixed.part[1] * 255 + 0.5) & 0xff, (unsigned)(mixed.part[2] * 255 + 0.5) & 0xff);
}
