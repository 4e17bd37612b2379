/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Which rules can fire at all.  A rule that selects [Type == "t", Value == "v"] fires only when there is such a claim:
 * it is found by that pair, its pivot, and costs nothing in a run without one.  The pivot of a rule is the one of its
 * conditions' types or pairs that the fewest conditions share. */
#include <stdlib.h>

#include "policy/rule_parts.h"

#define NO_KEY UINT32_MAX

/* ---- keys */

static uint64_t hash_str(uint64_t hash, fg_str_t s) {
    static const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
    for (size_t at = 0; at < s.n; at += sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, s.p + at, s.n - at < sizeof word ? s.n - at : sizeof word);
        hash = (hash ^ word) * factor;
        hash ^= hash >> 32;
    }
    return (hash ^ s.n) * factor;
}

static bool is_key(const fg_rule_key_t *key, uint64_t hash, fg_str_t type, const fg_str_t *value) {
    return key->hash == hash && key->paired == (value != NULL) && fg_str_eq(key->type, type) &&
           (value == NULL || fg_str_eq(key->value, *value));
}

static uint64_t hash_key(fg_str_t type, const fg_str_t *value) {
    uint64_t hash = hash_str(value != NULL, type);
    return value ? hash_str(hash, *value) : hash;
}

/* The slot of a key, or the empty one where it belongs. */
static uint32_t *find_slot(const fg_rule_index_t *index, uint64_t hash, fg_str_t type, const fg_str_t *value) {
    size_t mask = index->slot_count - 1, at = (size_t)(hash >> 32) & mask;
    while (index->slots[at] != 0 && !is_key(&index->keys[index->slots[at] - 1], hash, type, value))
        at = (at + 1) & mask;
    return &index->slots[at];
}

static const fg_rule_key_t *find_key(const fg_rule_index_t *index, fg_str_t type, const fg_str_t *value) {
    uint32_t slot = *find_slot(index, hash_key(type, value), type, value);
    return slot != 0 ? &index->keys[slot - 1] : NULL;
}

/* Twice the room; at most half of the slots are taken. */
static bool grow(fg_arena_t *arena, fg_rule_index_t *index) {
    size_t room = index->key_room ? index->key_room * 2 : 16;
    fg_rule_key_t *keys = fg_arena_alloc(arena, room * sizeof *keys);
    uint32_t *slots = fg_arena_alloc(arena, 2 * room * sizeof *slots);
    if (keys == NULL || slots == NULL)
        return false;
    if (index->key_count > 0)
        memcpy(keys, index->keys, index->key_count * sizeof *keys);
    index->keys = keys;
    index->key_room = room;
    index->slots = slots;
    index->slot_count = 2 * room;
    for (uint32_t i = 0; i < index->key_count; i++) {
        const fg_rule_key_t *key = &keys[i];
        *find_slot(index, key->hash, key->type, key->paired ? &key->value : NULL) = i + 1;
    }
    return true;
}

/* The number of a key, which is made if need be; NO_KEY: memory. */
static uint32_t intern(fg_arena_t *arena, fg_rule_index_t *index, fg_str_t type, const fg_str_t *value) {
    if (index->key_count == index->key_room && !grow(arena, index))
        return NO_KEY;
    uint64_t hash = hash_key(type, value);
    uint32_t *slot = find_slot(index, hash, type, value);
    if (*slot == 0) {
        index->keys[index->key_count++] = (fg_rule_key_t){.type = type,
                                                          .value = value ? *value : FG_STR_NONE,
                                                          .paired = value != NULL,
                                                          .hash = hash,
                                                          .longest = SIZE_MAX};
        *slot = (uint32_t)index->key_count;
    }
    return *slot - 1;
}

/* ---- conditions */

fg_str_t fg_rule_condition_literal(const fg_rule_condition_t *condition, fg_rule_property_t property) {
    for (const fg_rule_test_t *test = condition->tests; test != NULL; test = test->next)
        if (test->property == property && test->op == FG_RULE_EQ && !test->other)
            return test->text;
    return FG_STR_NONE;
}

/* Of each condition the type, and the pair if there is one. */
static bool note_condition(fg_arena_t *arena, fg_rule_index_t *index, const fg_rule_condition_t *condition) {
    fg_str_t type = fg_rule_condition_literal(condition, FG_RULE_TYPE);
    fg_str_t value = fg_rule_condition_literal(condition, FG_RULE_VALUE);
    if (type.p == NULL)
        return true;
    uint32_t alone = intern(arena, index, type, NULL);
    if (alone == NO_KEY)
        return false;
    if (condition->kind != FG_RULE_SELECT && condition->kind != FG_RULE_EXISTS)
        return true;
    if (value.p == NULL) {
        index->keys[alone].wanted++;
        return true;
    }
    uint32_t pair = intern(arena, index, type, &value);
    if (pair == NO_KEY)
        return false;
    index->keys[pair].wanted++;
    fg_rule_key_t *key = &index->keys[alone];
    if (key->longest == SIZE_MAX || key->longest < value.n)
        key->longest = value.n;
    return true;
}

static void choose_pivot(fg_rule_index_t *index, fg_rule_t *rule) {
    const fg_rule_key_t *best = NULL;
    for (unsigned i = 0; i < rule->condition_count; i++) {
        const fg_rule_condition_t *condition = &rule->conditions[i];
        fg_str_t type = fg_rule_condition_literal(condition, FG_RULE_TYPE);
        fg_str_t value = fg_rule_condition_literal(condition, FG_RULE_VALUE);
        if (type.p == NULL || (condition->kind != FG_RULE_SELECT && condition->kind != FG_RULE_EXISTS))
            continue;
        const fg_rule_key_t *key = find_key(index, type, value.p ? &value : NULL);
        if (best == NULL || key->wanted < best->wanted)
            best = key;
    }
    rule->pivot = best ? (uint32_t)(best - index->keys) : FG_RULE_ALWAYS;
    if (best != NULL)
        index->keys[rule->pivot].count++;
}

/* ---- building */

/* Numbers of rules behind each other, those of one key together. */
static bool list_rules(fg_ruleset_t *set) {
    fg_rule_index_t *index = &set->index;
    index->words = set->count / 64 + 1;
    index->numbers = fg_arena_alloc(set->arena, (set->count + 1) * sizeof *index->numbers);
    index->always = fg_arena_alloc(set->arena, index->words * sizeof *index->always);
    if (index->numbers == NULL || index->always == NULL)
        return false;
    uint32_t first = 0;
    for (size_t i = 0; i < index->key_count; i++) {
        index->keys[i].first = first;
        first += index->keys[i].count;
        index->keys[i].count = 0;
    }
    for (uint32_t i = 0; i < set->count; i++) {
        uint32_t pivot = set->rules[i]->pivot;
        if (pivot == FG_RULE_ALWAYS)
            index->always[i / 64] |= UINT64_C(1) << i % 64;
        else
            index->numbers[index->keys[pivot].first + index->keys[pivot].count++] = i;
    }
    return true;
}

static int compare_types(const void *a, const void *b) {
    const fg_str_t *x = a, *y = b;
    int order = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);
    return order != 0 ? order : (x->n > y->n) - (x->n < y->n);
}

static bool list_types(fg_ruleset_t *set) {
    fg_rule_index_t *index = &set->index;
    index->types = fg_arena_alloc(set->arena, (index->key_count + 1) * sizeof *index->types);
    if (index->types == NULL)
        return false;
    for (size_t i = 0; i < index->key_count; i++)
        if (!index->keys[i].paired)
            index->types[index->type_count++] = index->keys[i].type;
    qsort(index->types, index->type_count, sizeof *index->types, compare_types);
    return true;
}

bool fg_rule_index_build(fg_ruleset_t *set) {
    for (size_t i = 0; i < set->count; i++)
        for (unsigned k = 0; k < set->rules[i]->condition_count; k++)
            if (!note_condition(set->arena, &set->index, &set->rules[i]->conditions[k]))
                return false;
    for (size_t i = 0; i < set->count; i++)
        choose_pivot(&set->index, set->rules[i]);
    return list_rules(set) && list_types(set);
}

/* ---- looking up */

static void mark_key(const fg_rule_index_t *index, const fg_rule_key_t *key, size_t from, uint64_t *bits) {
    for (uint32_t i = 0; i < key->count; i++) {
        uint32_t number = index->numbers[key->first + i];
        if (number >= from)
            bits[number / 64] |= UINT64_C(1) << number % 64;
    }
}

void fg_rule_index_mark(const fg_rule_index_t *index, const fg_claim_t *claim, size_t from, uint64_t *bits) {
    const fg_rule_key_t *key = index->key_count > 0 ? find_key(index, claim->type, NULL) : NULL;
    if (key == NULL)
        return;
    mark_key(index, key, from, bits);
    if (key->longest == SIZE_MAX || claim->value.n > key->longest)
        return;
    const fg_rule_key_t *pair = find_key(index, claim->type, &claim->value);
    if (pair != NULL)
        mark_key(index, pair, from, bits);
}

static int compare_prefix(fg_str_t type, const char *prefix, size_t length) {
    int order = memcmp(type.p, prefix, type.n < length ? type.n : length);
    return order != 0 ? order : type.n < length ? -1 : 0;
}

size_t fg_ruleset_get_types(const fg_ruleset_t *set, const char *prefix, fg_str_t *types, size_t room) {
    const fg_rule_index_t *index = &set->index;
    size_t length = strlen(prefix), low = 0, high = index->type_count, count = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_prefix(index->types[middle], prefix, length) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < index->type_count && compare_prefix(index->types[low], prefix, length) == 0; low++, count++)
        if (count < room)
            types[count] = index->types[low];
    return count;
}
