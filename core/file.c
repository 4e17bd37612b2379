/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_TRIES 100
#define LOCK_PAUSE_NS 50000000 /* 100 times 50 ms: five seconds */

/* of an error's text, without strerror's shared buffer */
static const char *reason(void) { return strerrordesc_np(errno); }

static void fill_stamp(const struct stat *status, fg_file_stamp_t *stamp) {
    stamp->mtime_ns = (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec;
    stamp->size = status->st_size;
    stamp->inode = status->st_ino;
}

/* Reads to the end of the file, straight into the buffer: the content may be a key. */
static bool read_all(int fd, fg_buf_t *out) {
    for (;;) {
        size_t before = out->length, room = out->maximum - before;
        room = room > 65536 ? 65536 : room;
        char beyond, *place = room > 0 ? fg_buf_reserve(out, room) : &beyond;
        if (place == NULL)
            return false;
        ssize_t n = read(fd, place, room > 0 ? room : 1);
        if (room > 0) {
            out->length = before + (n > 0 ? (size_t)n : 0);
            out->data[out->length] = '\0';
        } else if (n > 0) {
            errno = EFBIG;
            return false;
        }
        if (n == 0)
            return true;
        if (n < 0 && errno != EINTR)
            return false;
    }
}

bool fg_file_read(const char *path, fg_buf_t *out, fg_file_stamp_t *stamp, fg_err_t *err) {
    struct stat status;
    /* O_NONBLOCK: a FIFO in the file's place must not hold us */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return FG_FAIL(err, FG_E_FILE, "%s: %s", path, reason());
    bool ok = false;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        FG_FAIL(err, FG_E_FILE, "%s: not a regular file", path);
    else if (!read_all(fd, out))
        FG_FAIL(err, FG_E_FILE, "%s: %s", path, errno == EFBIG ? "larger than is accepted" : reason());
    else
        ok = true;
    if (ok && stamp != NULL)
        fill_stamp(&status, stamp);
    close(fd);
    return ok;
}

bool fg_file_stamp(const char *path, fg_file_stamp_t *stamp) {
    struct stat status;
    *stamp = (fg_file_stamp_t){0};
    if (stat(path, &status) != 0)
        return false;
    fill_stamp(&status, stamp);
    return true;
}

bool fg_file_stamp_eq(const fg_file_stamp_t *a, const fg_file_stamp_t *b) {
    return a->mtime_ns == b->mtime_ns && a->size == b->size && a->inode == b->inode;
}

#define GROUPS_MAX 256

typedef struct reader {
    uid_t uid;
    gid_t groups[GROUPS_MAX];
    int group_count;
} reader_t;

static bool is_in_group(const reader_t *reader, gid_t gid) {
    for (int i = 0; i < reader->group_count; i++)
        if (reader->groups[i] == gid)
            return true;
    return false;
}

/* may: 4 to read, 1 to pass through */
static bool mode_lets(const reader_t *reader, const char *path, mode_t may) {
    struct stat status;
    if (stat(path, &status) != 0)
        return true;
    unsigned shift = status.st_uid == reader->uid ? 6 : is_in_group(reader, status.st_gid) ? 3 : 0;
    return (status.st_mode & (may << shift)) != 0;
}

bool fg_file_readable_by(const char *path, uid_t uid, gid_t gid) {
    reader_t reader = {.uid = uid, .groups = {gid}, .group_count = 1};
    char *real = uid != 0 ? realpath(path, NULL) : NULL;
    if (real == NULL)
        return true;
    const struct passwd *account = getpwuid(uid);
    int count = GROUPS_MAX;
    if (account != NULL && getgrouplist(account->pw_name, gid, reader.groups, &count) >= 0)
        reader.group_count = count;
    bool ok = mode_lets(&reader, real, 4);
    for (char *slash = strrchr(real, '/'); ok && slash != NULL && slash > real; slash = strrchr(real, '/')) {
        *slash = '\0';
        ok = mode_lets(&reader, real, 1);
    }
    free(real);
    return ok;
}

static bool folder_of(const char *path, char folder[PATH_MAX]) {
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    if (length >= PATH_MAX)
        return false;
    memcpy(folder, path, length);
    memcpy(folder + length, length == 0 ? "." : "", length == 0 ? 2 : 1);
    return true;
}

/* What root makes belongs to the folder's owner, so that the worker that owns the folder can read it. */
static bool give_to_owner_of(const char *folder, int fd) {
    struct stat status;
    return geteuid() != 0 || (stat(folder, &status) == 0 && fchown(fd, status.st_uid, status.st_gid) == 0);
}

static bool write_all(int fd, fg_str_t content) {
    while (content.n > 0) {
        ssize_t n = write(fd, content.p, content.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        content = (fg_str_t){content.p + n, content.n - (size_t)n};
    }
    return true;
}

/* The rename is on the disk only when the folder is. */
static bool sync_folder(const char *folder) {
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = fsync(fd) == 0;
    close(fd);
    return ok;
}

bool fg_file_replace(const char *path, fg_str_t content, mode_t mode, fg_err_t *err) {
    char folder[PATH_MAX], beside[PATH_MAX];
    if (!folder_of(path, folder) || snprintf(beside, sizeof beside, "%s.XXXXXX", path) >= (int)sizeof beside)
        return FG_FAIL(err, FG_E_FILE, "path too long");
    int fd = mkostemp(beside, O_CLOEXEC);
    if (fd < 0)
        return FG_FAIL(err, FG_E_FILE, "%s: %s", path, reason());
    bool ok = write_all(fd, content) && give_to_owner_of(folder, fd) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    int saved = errno;
    if (close(fd) != 0 && ok) {
        ok = false;
        saved = errno;
    }
    if (ok && rename(beside, path) == 0 && sync_folder(folder))
        return true;
    errno = ok ? errno : saved;
    FG_FAIL(err, FG_E_FILE, "%s: %s", path, reason());
    unlink(beside);
    return false;
}

static bool lock_in_time(int fd) {
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return true;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return false;
        nanosleep(&(struct timespec){0, LOCK_PAUSE_NS}, NULL);
    }
    return false;
}

int fg_file_lock(const char *path, fg_err_t *err) {
    char folder[PATH_MAX];
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        FG_FAIL(err, FG_E_FILE, "%s: %s", path, reason());
        return -1;
    }
    if (folder_of(path, folder) && give_to_owner_of(folder, fd) && lock_in_time(fd))
        return fd;
    FG_FAIL(err, FG_E_FILE, "%s: cannot be locked: %s", path, reason());
    close(fd);
    return -1;
}

void fg_file_unlock(int lock) {
    if (lock >= 0)
        close(lock); /* gives the lock back */
}
