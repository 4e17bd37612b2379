/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The store over a plain block of memory that processes may share (an nginx shared zone, or malloc in tests and the
 * command): a hash table with chained fixed-size blocks, guarded by a robust process-shared mutex.
 *
 * Each kind of entry has a limit.  What is only kept to save work (caches) gives way when room is needed; what must be
 * remembered is never displaced: when there is no room for more, the store says FG_STORE_UNAVAILABLE. */
#ifndef FG_HUB_STORE_H
#define FG_HUB_STORE_H

#include "core/env.h"

/* Formats the block, or (attach) takes one formatted before as it is.  memory is page-aligned and stays the caller's.
 * The handle is per process: free it with fg_store_close.  NULL: too small or not ours. */
fg_store_t *fg_store_open(void *memory, size_t size, bool attach, fg_err_t *err) FG_MUST_CHECK;
void fg_store_close(fg_store_t *store);

/* A kind is what stands before the ':' of a key.  The last kind, "other", has what has no kind of its own. */
#define FG_STORE_KINDS 17u

typedef struct fg_store_kind_stats {
    const char *name;
    uint64_t entries; /* with those that expired and were not swept yet */
    uint64_t bytes;
    uint64_t refused;   /* for want of room, since the store was made */
    uint64_t displaced; /* entries of a cache that went before their time, to make room */
} fg_store_kind_stats_t;

typedef struct fg_store_stats {
    uint64_t bytes_total; /* for entries */
    uint64_t bytes_used;
    fg_store_kind_stats_t kinds[FG_STORE_KINDS];
} fg_store_stats_t;

/* Of a store that fg_store_open() made.  False: the store is unusable. */
bool fg_store_stats(fg_store_t *store, fg_store_stats_t *out) FG_MUST_CHECK;
/* Logs a warning for each kind of which entries were refused since the last one, at most one a minute and kind,
 * whatever the number of processes that call it. */
void fg_store_report(fg_store_t *store, const fg_env_t *env);

#endif
