/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The store over a plain block of memory that processes may share (an nginx shared zone, or malloc in tests and the
 * command): a hash table with chained fixed-size blocks, guarded by a robust process-shared mutex. */
#ifndef FG_HUB_STORE_H
#define FG_HUB_STORE_H

#include "core/env.h"

/* Formats the block, or (attach) takes one formatted before as it is.  memory is page-aligned and stays the caller's.
 * The handle is per process: free it with fg_store_close.  NULL: too small or not ours. */
fg_store_t *fg_store_open(void *memory, size_t size, bool attach, fg_err_t *err) FG_MUST_CHECK;
void fg_store_close(fg_store_t *store);

#endif
