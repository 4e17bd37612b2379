/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The text of a configuration file: where everything stands.  libConfuse, which reads the values, knows lines only and
 * stops at the first thing it dislikes without saying what it expected; so the grammar is walked here first, which
 * yields a position for every section, option and value and the nearest right spelling of what is unknown. */
#ifndef FG_GATEWAY_CONFIG_TEXT_H
#define FG_GATEWAY_CONFIG_TEXT_H

#include "core/arena.h"
#include "gateway/config_value.h"

typedef struct fg_config_option {
    const char *name;
    const fg_config_kind_t *kind;
    size_t offset;        /* of the field in the section's struct */
    bool list;            /* the field is an fg_config_list_t */
    const char *required; /* an example for the message; NULL: may be left out */
    const char *fallback; /* NULL: the field stays zero */
} fg_config_option_t;

typedef struct fg_config_section {
    const char *name;
    bool titled; /* may then be given more than once, each time with another title */
    const fg_config_option_t *options;
    size_t option_count;
    size_t size;   /* of the struct that it fills */
    size_t offset; /* in the configuration: of the struct, or of the fg_config_list_t if titled */
} fg_config_section_t;

typedef struct fg_config_grammar {
    const fg_config_option_t *options; /* outside sections */
    size_t option_count;
    const fg_config_section_t *sections;
    size_t section_count;
    const char *whole; /* "a configuration", for messages */
} fg_config_grammar_t;

typedef enum fg_config_mark_kind { FG_MARK_SECTION, FG_MARK_OPTION, FG_MARK_VALUE } fg_config_mark_kind_t;

typedef struct fg_config_mark {
    fg_config_mark_kind_t kind;
    const fg_config_section_t *section; /* NULL: outside */
    unsigned section_index;             /* among the file's sections of that name */
    fg_str_t name;                      /* of the option; title of the section */
    unsigned value_index;
    fg_str_t found;        /* as it is written */
    unsigned line, column; /* from 1; columns are characters */
} fg_config_mark_t;

typedef struct fg_config_text {
    const char *path;
    fg_str_t bytes; /* NUL behind */
    fg_config_mark_t *marks;
    size_t mark_count;
    size_t mark_room;
} fg_config_text_t;

/* Walks the whole text; the grammar's names, duplicates and punctuation are right afterwards. */
bool fg_config_text_read(fg_arena_t *arena, const char *path, fg_str_t bytes, const fg_config_grammar_t *grammar,
                         fg_config_text_t *text, fg_err_t *err) FG_MUST_CHECK;

/* Where a value of an option stands; falls back to the option, the section, the file's beginning.  option NULL: the
 * section itself; section NULL: outside sections. */
const fg_config_mark_t *fg_config_text_find(const fg_config_text_t *text, const fg_config_section_t *section,
                                            unsigned section_index, const char *option, unsigned value_index);

/* "FILE:LINE:COLUMN: found FOUND, expected …[; did you mean "NEAREST"?]"; found NULL: what stands there.  Returns
 * false. */
bool fg_config_fail(fg_err_t *err, const fg_config_text_t *text, const fg_config_mark_t *at, const char *found,
                    const char *nearest, const char *expected, ...) FG_PRINTF(6, 7);

#endif
