/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a piece says, before anything in it is believed: a list of names and values for people, JSON and comparisons,
 * its claims, and what should make one wonder. */
#ifndef FG_CLI_FACTS_H
#define FG_CLI_FACTS_H

#include "cli/piece.h"

#define FG_FACTS_MAX 120u
#define FG_WARNINGS_MAX 12u

typedef struct fg_fact {
    const char *name; /* "audience": words joined by '_'; several facts may share it */
    fg_str_t value;
    bool is_time;   /* value is an instant: how long ago is told beside it */
    bool is_secret; /* shortened unless it is asked for */
} fg_fact_t;

typedef struct fg_facts {
    fg_arena_t *arena;
    int64_t now_ms;
    fg_fact_t items[FG_FACTS_MAX];
    size_t count;
    fg_claims_t claims;
    const char *warnings[FG_WARNINGS_MAX];
    size_t warning_count;
} fg_facts_t;

/* now_ms: for warnings about times. */
void fg_facts_read(fg_arena_t *arena, const fg_piece_t *piece, int64_t now_ms, fg_facts_t *facts);
/* The first value of a name; .p NULL: none. */
fg_str_t fg_facts_get(const fg_facts_t *facts, const char *name);
/* All values of a name, joined by ", "; .p NULL: none. */
fg_str_t fg_facts_join(const fg_facts_t *facts, const char *name);
/* "12 minutes ago", "in 3 hours"; out holds the NUL. */
#define FG_FACTS_AGE_SIZE 48
void fg_facts_age(int64_t ms, int64_t now_ms, char out[FG_FACTS_AGE_SIZE]);
/* What is shown of a secret: its first characters and its length. */
const char *fg_facts_shorten(fg_arena_t *arena, fg_str_t value);

/* ---- between facts.c, facts_xml.c and facts_json.c */

void fg_facts_add(fg_facts_t *facts, const char *name, fg_str_t value);
void fg_facts_add_time(fg_facts_t *facts, const char *name, fg_str_t value);
void fg_facts_add_secret(fg_facts_t *facts, const char *name, fg_str_t value);
void fg_facts_warn(fg_facts_t *facts, const char *format, ...) FG_PRINTF(2, 3);
/* Subject, names, thumbprint, beginning and end of a certificate. */
void fg_facts_add_certificate(fg_facts_t *facts, const char *prefix, fg_str_t der);
void fg_facts_read_xml(fg_facts_t *facts, const fg_piece_t *piece);
void fg_facts_read_metadata(fg_facts_t *facts, const fg_piece_t *piece);
void fg_facts_read_json(fg_facts_t *facts, const fg_piece_t *piece);

#endif
