/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reading and replacing small files. */
#ifndef FG_CORE_FILE_H
#define FG_CORE_FILE_H

#include <stdint.h>
#include <sys/types.h>

#include "core/buf.h"

/* What tells a changed file from an unchanged one. */
typedef struct fg_file_stamp {
    int64_t mtime_ns;
    int64_t size;
    uint64_t inode;
} fg_file_stamp_t;

/* Reads a regular file of at most out->maximum bytes; stamp (may be NULL) is taken from the open file. */
bool fg_file_read(const char *path, fg_buf_t *out, fg_file_stamp_t *stamp, fg_err_t *err) FG_MUST_CHECK;
/* False with zeroed stamp if there is no such file. */
bool fg_file_stamp(const char *path, fg_file_stamp_t *stamp);
bool fg_file_stamp_eq(const fg_file_stamp_t *a, const fg_file_stamp_t *b);
/* Whether that user, with that group and those it is a member of besides, may read a file, judged by the modes of the
 * file and of all folders on its path (not by access control lists).  Root may; true if there is no such file. */
bool fg_file_readable_by(const char *path, uid_t uid, gid_t gid);
/* Writes a file beside it, syncs, renames: a reader sees the old or the new content, whole.  Owner and group are those
 * of the folder if the caller is root (what an administrator writes stays readable to the worker); mode as given. */
bool fg_file_replace(const char *path, fg_str_t content, mode_t mode, fg_err_t *err) FG_MUST_CHECK;
/* An exclusive lock on path (made if missing) until fg_file_unlock; waits at most five seconds.  -1: error. */
int fg_file_lock(const char *path, fg_err_t *err) FG_MUST_CHECK;
void fg_file_unlock(int lock);

#endif
