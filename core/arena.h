/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One arena per exchange: allocations are freed together, foreign objects by the callbacks registered for them.
 * Not thread-safe: an arena belongs to one exchange, which is on one thread at a time. */
#ifndef FG_CORE_ARENA_H
#define FG_CORE_ARENA_H

#include "core/err.h"
#include "core/str.h"

typedef struct fg_arena fg_arena_t;

/* cap: bytes that may be allocated in all; 0: FG_ARENA_DEFAULT_CAP. NULL if memory is out. */
#define FG_ARENA_DEFAULT_CAP (16u << 20)
fg_arena_t *fg_arena_new(size_t cap) FG_MUST_CHECK;
/* The same, beginning in a block of the caller's (aligned as malloc's are), which must outlive it: as long as that is
 * enough, nothing is asked of malloc.  NULL: the block is smaller than the arena's own head. */
fg_arena_t *fg_arena_new_in(void *block, size_t size, size_t cap) FG_MUST_CHECK;
/* Runs the callbacks, last registered first, then frees everything. NULL is taken. */
void fg_arena_free(fg_arena_t *arena);

/* Zeroed memory, aligned for any type; NULL if the cap or memory is reached. */
void *fg_arena_alloc(fg_arena_t *arena, size_t size) FG_MUST_CHECK;
/* The same, not zeroed: for what is written at once. */
void *fg_arena_take(fg_arena_t *arena, size_t size) FG_MUST_CHECK;
char *fg_arena_strndup(fg_arena_t *arena, const char *text, size_t length) FG_MUST_CHECK;
char *fg_arena_strdup(fg_arena_t *arena, const char *text) FG_MUST_CHECK;
/* A copy with a NUL behind it (not counted). On failure .p is NULL. */
fg_str_t fg_arena_str(fg_arena_t *arena, fg_str_t s) FG_MUST_CHECK;
/* The parts one behind the other, with a NUL behind (not counted). On failure .p is NULL. */
fg_str_t fg_arena_join(fg_arena_t *arena, const fg_str_t *parts, size_t count) FG_MUST_CHECK;
char *fg_arena_printf(fg_arena_t *arena, const char *format, ...) FG_PRINTF(2, 3) FG_MUST_CHECK;

/* Has release(object) called when the arena is freed. If that cannot be noted, releases it at once and returns false.
 */
bool fg_arena_own(fg_arena_t *arena, void (*release)(void *), void *object) FG_MUST_CHECK;

#endif
