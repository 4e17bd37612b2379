/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A compiled rule set, between the parser that makes it and those that read it; nobody else includes this.
 * Everything lives in the rule set's arena; lists are linked in the order of the text. */
#ifndef FG_POLICY_RULE_PARTS_H
#define FG_POLICY_RULE_PARTS_H

#include "policy/rule_include.h"
#include "policy/rule_regex.h"
#include "policy/rules.h"

#define FG_RULE_CONDITIONS_MAX 16u
#define FG_RULE_PARAMS_MAX 32u
#define FG_RULE_TYPES_MAX 64u

typedef enum fg_rule_property {
    FG_RULE_TYPE,
    FG_RULE_VALUE,
    FG_RULE_VALUE_TYPE,
    FG_RULE_ISSUER,
    FG_RULE_ORIGINAL_ISSUER,
    FG_RULE_PROPERTIES,
    FG_RULE_PROPERTY_COUNT
} fg_rule_property_t;

/* c.Value, c.Properties["…"] */
typedef struct fg_rule_field {
    unsigned condition; /* index of the condition that binds the claim */
    fg_rule_property_t property;
    fg_str_t key; /* of Properties */
} fg_rule_field_t;

/* A sum of terms. */
typedef struct fg_rule_expr fg_rule_expr_t;
struct fg_rule_expr {
    enum { FG_RULE_TERM_TEXT, FG_RULE_TERM_FIELD, FG_RULE_TERM_REPLACE } kind;
    fg_str_t text;
    fg_rule_field_t field;
    fg_rule_expr_t *value, *replacement; /* RegexReplace(value, regex, replacement) */
    fg_rule_regex_t *regex;
    fg_rule_expr_t *next;
};

typedef enum fg_rule_op {
    FG_RULE_EQ,
    FG_RULE_NE,
    FG_RULE_MATCH,
    FG_RULE_NO_MATCH, /* of texts: the first four */
    FG_RULE_LT,
    FG_RULE_LE,
    FG_RULE_GT,
    FG_RULE_GE,
} fg_rule_op_t;

/* Value =~ "…" */
typedef struct fg_rule_test fg_rule_test_t;
struct fg_rule_test {
    fg_rule_property_t property;
    fg_str_t key;
    fg_rule_op_t op;
    bool other; /* compared with a claim of an earlier condition, not with text */
    fg_rule_field_t field;
    fg_str_t text;
    fg_rule_regex_t *regex;
    fg_rule_test_t *next;
};

typedef struct fg_rule_condition {
    enum { FG_RULE_SELECT, FG_RULE_EXISTS, FG_RULE_NOT_EXISTS, FG_RULE_COUNT } kind;
    fg_str_t alias;        /* .n 0: none */
    fg_rule_test_t *tests; /* all must hold */
    fg_rule_op_t op;       /* of count */
    size_t number;
    fg_str_t source; /* as it stands in the file */
} fg_rule_condition_t;

typedef struct fg_rule_property_set fg_rule_property_set_t;
struct fg_rule_property_set { /* Properties["key"] = value */
    fg_str_t key;
    fg_rule_expr_t *value;
    fg_rule_property_set_t *next;
};

/* store = …, types = (…), query = …, param = … */
typedef struct fg_rule_question {
    fg_str_t store, query;
    fg_str_t *types;
    size_t type_count;
    fg_rule_expr_t *params[FG_RULE_PARAMS_MAX];
    size_t param_count;
} fg_rule_question_t;

typedef struct fg_rule_action {
    enum { FG_RULE_COPY, FG_RULE_CREATE, FG_RULE_STORE } kind;
    bool issues;                               /* issue, permit and deny, else add */
    unsigned copied;                           /* COPY: the condition */
    fg_rule_expr_t *parts[FG_RULE_PROPERTIES]; /* CREATE; NULL: not given */
    fg_rule_property_set_t *properties;
    fg_rule_question_t *question; /* STORE */
    fg_str_t reason;              /* of deny */
} fg_rule_action_t;

#define FG_RULE_ALWAYS UINT32_MAX
typedef struct fg_rule {
    fg_rule_place_t place;
    fg_rule_condition_t *conditions;
    unsigned condition_count;
    uint32_t pivot; /* the key of the index without which the rule cannot fire; FG_RULE_ALWAYS: there is none */
    fg_rule_action_t *action;
} fg_rule_t;

/* @alias name = "type" */
typedef struct fg_rule_alias {
    const char *name;
    fg_str_t type;
} fg_rule_alias_t;

/* A claim type, or a type and a value, that conditions test for literally. */
typedef struct fg_rule_key {
    fg_str_t type, value;
    bool paired; /* with a value */
    uint64_t hash;
    uint32_t wanted;       /* while the index is made: how many conditions have it */
    uint32_t first, count; /* the rules whose pivot it is: numbers[first …] of the index, ascending */
    size_t longest;        /* of a type alone: of the values that it is paired with; SIZE_MAX: with none */
} fg_rule_key_t;

typedef struct fg_rule_index {
    fg_rule_key_t *keys;
    size_t key_count, key_room;
    uint32_t *slots; /* a hash table of 1 + number of the key */
    size_t slot_count;
    uint32_t *numbers;
    uint64_t *always; /* a bit per rule: those without pivot */
    size_t words;
    fg_str_t *types; /* of all keys, each once, sorted by bytes */
    size_t type_count;
} fg_rule_index_t;

struct fg_ruleset {
    fg_arena_t *arena;
    fg_rule_t **rules;
    size_t count, room;
    fg_rule_alias_t *aliases;
    size_t alias_count, alias_room;
    fg_rule_index_t index;
    fg_rule_seen_t *seen; /* files and folders of which it was made */
    size_t seen_count, seen_room;
};

/* Notes one of them; the path is copied.  False: memory. */
bool fg_rule_see(fg_ruleset_t *set, const char *path, const fg_file_stamp_t *stamp) FG_MUST_CHECK;

/* Appends the rules of text.  path: the file that it is from, whose includes are followed; NULL: there must be none. */
bool fg_rule_parse(fg_ruleset_t *set, const char *name, const char *path, fg_str_t text, const fg_rule_stores_t *stores,
                   fg_err_t *err) FG_MUST_CHECK;

/* Once, when all rules are there.  False: memory. */
bool fg_rule_index_build(fg_ruleset_t *set) FG_MUST_CHECK;
/* Sets the bits of the rules from number on that a claim may let fire. */
void fg_rule_index_mark(const fg_rule_index_t *index, const fg_claim_t *claim, size_t from, uint64_t *bits);
/* The literal that a condition wants of a property (Type == "…"), or .p NULL. */
fg_str_t fg_rule_condition_literal(const fg_rule_condition_t *condition, fg_rule_property_t property);

#endif
