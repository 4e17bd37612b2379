/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK_SIZE 8192u

typedef struct block {
    struct block *next;
    size_t size;
    size_t used;
    bool is_lent; /* the caller's: not zeroed, not ours to free */
    alignas(max_align_t) unsigned char data[];
} block_t;

typedef struct cleanup {
    struct cleanup *next;
    void (*release)(void *);
    void *object;
} cleanup_t;

struct fg_arena {
    block_t *blocks;
    block_t *last; /* that of the latest piece */
    cleanup_t *cleanups;
    size_t allocated;
    size_t cap;
    bool is_lent; /* stands itself in the caller's block */
};

fg_arena_t *fg_arena_new(size_t cap) {
    fg_arena_t *arena = calloc(1, sizeof *arena);
    if (arena != NULL)
        arena->cap = cap ? cap : FG_ARENA_DEFAULT_CAP;
    return arena;
}

/* The arena's head and its first block stand at the beginning of the caller's block. */
fg_arena_t *fg_arena_new_in(void *memory, size_t size, size_t cap) {
    const size_t align = alignof(max_align_t), head = (sizeof(fg_arena_t) + align - 1) & ~(align - 1);
    if (size < head + sizeof(block_t))
        return NULL;
    fg_arena_t *arena = memory;
    block_t *block = (block_t *)((char *)memory + head);
    *arena = (fg_arena_t){.blocks = block, .cap = cap ? cap : FG_ARENA_DEFAULT_CAP, .is_lent = true};
    *block = (block_t){.size = size - head - sizeof *block, .is_lent = true};
    if (block->size > arena->cap)
        block->size = arena->cap;
    arena->allocated = block->size;
    return arena;
}

void fg_arena_free(fg_arena_t *arena) {
    if (arena == NULL)
        return;
    for (cleanup_t *c = arena->cleanups; c != NULL; c = c->next)
        c->release(c->object);
    for (block_t *block = arena->blocks, *next; block != NULL; block = next) {
        next = block->next;
        if (!block->is_lent)
            free(block);
    }
    if (!arena->is_lent)
        free(arena);
}

static block_t *block_add(fg_arena_t *arena, size_t size) {
    if (size < BLOCK_SIZE)
        size = BLOCK_SIZE;
    if (size > arena->cap - arena->allocated) {
        return NULL;
    }
    block_t *block = calloc(1, sizeof *block + size);
    if (block == NULL)
        return NULL;
    block->size = size;
    arena->allocated += size;
    /* a large block goes behind the current one, whose rest stays in use */
    if (arena->blocks != NULL && size > BLOCK_SIZE) {
        block->next = arena->blocks->next;
        arena->blocks->next = block;
    } else {
        block->next = arena->blocks;
        arena->blocks = block;
    }
    return block;
}

void *fg_arena_alloc(fg_arena_t *arena, size_t size) {
    void *memory = fg_arena_take(arena, size);
    if (memory != NULL && arena->last->is_lent)
        memset(memory, 0, size);
    return memory;
}

void *fg_arena_take(fg_arena_t *arena, size_t size) {
    if (size > arena->cap)
        return NULL;
    size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    block_t *block = arena->blocks;
    if (block == NULL || block->size - block->used < size)
        block = block_add(arena, size);
    if (block == NULL)
        return NULL;
    void *memory = block->data + block->used;
    block->used += size;
    arena->last = block;
    return memory;
}

char *fg_arena_strndup(fg_arena_t *arena, const char *text, size_t length) {
    char *copy = length < SIZE_MAX ? fg_arena_take(arena, length + 1) : NULL;
    if (copy == NULL)
        return NULL;
    if (length > 0)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *fg_arena_strdup(fg_arena_t *arena, const char *text) { return fg_arena_strndup(arena, text, strlen(text)); }

fg_str_t fg_arena_str(fg_arena_t *arena, fg_str_t s) {
    char *copy = fg_arena_strndup(arena, s.p, s.n);
    return (fg_str_t){copy, copy ? s.n : 0};
}

fg_str_t fg_arena_join(fg_arena_t *arena, const fg_str_t *parts, size_t count) {
    size_t length = 0;
    for (size_t i = 0; i < count; i++)
        if (__builtin_add_overflow(length, parts[i].n, &length))
            return FG_STR_NONE;
    char *text = length < SIZE_MAX ? fg_arena_take(arena, length + 1) : NULL, *end = text;
    if (text == NULL)
        return FG_STR_NONE;
    for (size_t i = 0; i < count; i++)
        if (parts[i].n > 0)
            end = mempcpy(end, parts[i].p, parts[i].n);
    *end = '\0';
    return (fg_str_t){text, length};
}

char *fg_arena_printf(fg_arena_t *arena, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = length < 0 ? NULL : fg_arena_take(arena, (size_t)length + 1);
    if (text == NULL)
        return NULL;
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

bool fg_arena_own(fg_arena_t *arena, void (*release)(void *), void *object) {
    cleanup_t *cleanup = fg_arena_alloc(arena, sizeof *cleanup);
    if (cleanup == NULL) {
        release(object);
        return false;
    }
    *cleanup = (cleanup_t){arena->cleanups, release, object};
    arena->cleanups = cleanup;
    return true;
}
