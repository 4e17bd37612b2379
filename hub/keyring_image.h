/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What lies in a key ring's folder: ring.json names a file for every key; those files never change once written.
 * Replacing ring.json is the one step that makes a change: a crash before it leaves the old ring, and files nobody
 * names. */
#ifndef FG_HUB_KEYRING_IMAGE_H
#define FG_HUB_KEYRING_IMAGE_H

#include "core/file.h"
#include "hub/keyring.h"

#define FG_KEY_USES 2
#define FG_SEALING_MAX 3u
#define FG_KEYRING_NAME_SIZE 64

typedef struct fg_keyring_entry {
    fg_key_t *key; /* NULL: none */
    char file[FG_KEYRING_NAME_SIZE];
    int64_t made_ms;    /* made, and published from then on */
    int64_t retired_ms; /* ceased to be active; 0: has not */
    bool fresh;         /* its file is still to be written */
} fg_keyring_entry_t;

typedef struct fg_keyring_sealing {
    fg_sealing_key_t key;
    char file[FG_KEYRING_NAME_SIZE];
    int64_t made_ms;
    int64_t from_ms; /* seals from then on; opens at once */
    bool fresh;
} fg_keyring_sealing_t;

typedef struct fg_keyring_image {
    fg_keyring_entry_t keys[FG_KEY_USES][FG_KEY_STATES];
    fg_keyring_sealing_t sealing[FG_SEALING_MAX]; /* newest first */
    unsigned sealing_count;
    fg_file_stamp_t stamp; /* of ring.json */
} fg_keyring_image_t;

/* "signing", "encryption" */
const char *fg_key_use_name(fg_key_use_t use);

/* FOLDER/NAME; false: too long. */
bool fg_keyring_path(const char *folder, const char *name, char path[4096]) FG_MUST_CHECK;

/* image is empty before; on failure it is empty again. */
bool fg_keyring_image_load(const char *folder, fg_keyring_image_t *image, fg_err_t *err) FG_MUST_CHECK;
/* Writes fresh keys, then ring.json; then deletes the files that old names and image does not. Sets image->stamp. */
bool fg_keyring_image_save(const char *folder, fg_keyring_image_t *image, const fg_keyring_image_t *old,
                           fg_err_t *err) FG_MUST_CHECK;
/* A copy with references of its own. */
void fg_keyring_image_copy(fg_keyring_image_t *to, const fg_keyring_image_t *from);
void fg_keyring_image_clear(fg_keyring_image_t *image);

#endif
