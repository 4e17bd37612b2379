/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/keyring.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "core/time.h"
#include "hub/keyring_image.h"

#define PATH_SIZE 4096
#define KEEP_PREVIOUS (7 * FG_DAY) /* at the least, after it ceased to be active */
#define BACKDATED FG_HOUR          /* a new certificate is valid from before now: partners' clocks go behind */
#define SEALING_DELAY FG_MINUTE    /* a new sealing key opens at once and seals later, when every process has read it */
#define RETRY_AFTER FG_MINUTE      /* after a roll that failed */

struct fg_keyring {
    char folder[PATH_SIZE];
    char common_name[256];
    fg_keyring_rules_t rules;
    pthread_mutex_t swap; /* guards current and the counts of references */
    fg_keys_t *current;
    uint64_t changes;       /* of current */
    pthread_mutex_t change; /* guards what follows: one thread at a time re-reads or rolls */
    fg_keyring_image_t image;
    fg_file_stamp_t broken; /* of a ring.json that could not be read: told once, not tried again */
    bool is_broken;
    int64_t reorder_ms; /* when another sealing key begins to seal */
    int64_t retry_ms;
    unsigned char pairwise[FG_SHA256_SIZE];
};

/* ---- states */

/* The newest key whose time has come; with a clock that was put back, the oldest. */
static unsigned sealing_choice(const fg_keyring_image_t *image, int64_t now) {
    for (unsigned i = 0; i < image->sealing_count; i++)
        if (image->sealing[i].from_ms <= now)
            return i;
    return image->sealing_count - 1;
}

static fg_keys_t *make_keys(const fg_keyring_image_t *image, int64_t now) {
    fg_keys_t *keys = calloc(1, sizeof *keys);
    if (keys == NULL)
        return NULL;
    keys->references = 1;
    for (int state = 0; state < FG_KEY_STATES; state++) {
        fg_key_t *signing = image->keys[FG_KEY_SIGNING][state].key,
                 *encryption = image->keys[FG_KEY_ENCRYPTION][state].key;
        keys->signing[state] = signing ? fg_key_ref(signing) : NULL;
        keys->encryption[state] = encryption ? fg_key_ref(encryption) : NULL;
    }
    unsigned first = sealing_choice(image, now);
    keys->sealing[keys->sealing_count++] = image->sealing[first].key;
    for (unsigned i = 0; i < image->sealing_count; i++)
        if (i != first)
            keys->sealing[keys->sealing_count++] = image->sealing[i].key;
    return keys;
}

static void free_keys(fg_keys_t *keys) {
    for (int state = 0; state < FG_KEY_STATES; state++) {
        fg_key_unref(keys->signing[state]);
        fg_key_unref(keys->encryption[state]);
    }
    OPENSSL_cleanse(keys, sizeof *keys);
    free(keys);
}

uint64_t fg_keyring_changes(const fg_keyring_t *ring) { return __atomic_load_n(&ring->changes, __ATOMIC_ACQUIRE); }

fg_keys_t *fg_keyring_acquire(fg_keyring_t *ring) {
    pthread_mutex_lock(&ring->swap);
    fg_keys_t *keys = ring->current;
    keys->references++;
    pthread_mutex_unlock(&ring->swap);
    return keys;
}

void fg_keys_release(fg_keyring_t *ring, fg_keys_t *keys) {
    if (keys == NULL)
        return;
    pthread_mutex_lock(&ring->swap);
    bool last = --keys->references == 0;
    pthread_mutex_unlock(&ring->swap);
    if (last)
        free_keys(keys);
}

/* Makes image (taken) the ring's state. */
static bool install(fg_keyring_t *ring, fg_keyring_image_t *image, int64_t now, fg_err_t *err) {
    fg_keys_t *keys = make_keys(image, now);
    if (keys == NULL) {
        fg_keyring_image_clear(image);
        return FG_FAIL(err, FG_E_MEMORY, "key ring");
    }
    fg_keyring_image_clear(&ring->image);
    ring->image = *image;
    memcpy(keys->pairwise, ring->pairwise, sizeof keys->pairwise);
    OPENSSL_cleanse(image, sizeof *image);
    ring->is_broken = false;
    ring->reorder_ms = INT64_MAX;
    for (unsigned i = 0; i < ring->image.sealing_count; i++)
        if (ring->image.sealing[i].from_ms > now && ring->image.sealing[i].from_ms < ring->reorder_ms)
            ring->reorder_ms = ring->image.sealing[i].from_ms;
    pthread_mutex_lock(&ring->swap);
    fg_keys_t *old = ring->current;
    ring->current = keys;
    pthread_mutex_unlock(&ring->swap);
    __atomic_add_fetch(&ring->changes, 1, __ATOMIC_RELEASE);
    fg_keys_release(ring, old);
    return true;
}

/* ---- changes of an image */

static bool make_entry(const fg_keyring_t *ring, fg_key_use_t use, int64_t now, fg_keyring_entry_t *entry,
                       fg_err_t *err) {
    char name[sizeof ring->common_name + 32];
    snprintf(name, sizeof name, "fedgate %s - %s", fg_key_use_name(use), ring->common_name);
    fg_key_type_t type = use == FG_KEY_SIGNING ? ring->rules.signing_type : ring->rules.encryption_type;
    *entry = (fg_keyring_entry_t){.made_ms = now, .fresh = true};
    entry->key = fg_key_generate(type, name, now - BACKDATED, now + ring->rules.lifetime_ms, err);
    if (entry->key == NULL)
        return false;
    snprintf(entry->file, sizeof entry->file, "%s-%s.pem", fg_key_use_name(use), fg_key_get_id(entry->key));
    return true;
}

static bool make_sealing(fg_keyring_image_t *image, int64_t now, int64_t from, const fg_env_t *env, fg_err_t *err) {
    fg_keyring_sealing_t sealing = {.made_ms = now, .from_ms = from, .fresh = true};
    if (!env->random(env, sealing.key.id, sizeof sealing.key.id) ||
        !env->random(env, sealing.key.key, sizeof sealing.key.key))
        return FG_FAIL(err, FG_E_INTERNAL, "no randomness for a sealing key");
    char id[9];
    fg_hex_encode(sealing.key.id, 4, id);
    snprintf(sealing.file, sizeof sealing.file, "sealing-%s.key", id);
    memmove(&image->sealing[1], &image->sealing[0], (FG_SEALING_MAX - 1) * sizeof sealing);
    image->sealing[0] = sealing;
    if (image->sealing_count < FG_SEALING_MAX)
        image->sealing_count++;
    OPENSSL_cleanse(&sealing, sizeof sealing);
    return true;
}

static void drop(fg_keyring_entry_t *entry) {
    fg_key_unref(entry->key);
    *entry = (fg_keyring_entry_t){0};
}

static void promote(fg_keyring_image_t *image, fg_key_use_t use, int64_t now) {
    fg_keyring_entry_t *entries = image->keys[use];
    drop(&entries[FG_KEY_PREVIOUS]);
    entries[FG_KEY_PREVIOUS] = entries[FG_KEY_ACTIVE];
    entries[FG_KEY_PREVIOUS].retired_ms = now;
    entries[FG_KEY_ACTIVE] = entries[FG_KEY_NEXT];
    entries[FG_KEY_NEXT] = (fg_keyring_entry_t){0};
}

/* ---- what is due */

typedef enum due { DUE_NOTHING, DUE_NEXT, DUE_PROMOTION, DUE_DROP } due_t;

static due_t due_of(const fg_keyring_t *ring, const fg_keyring_image_t *image, fg_key_use_t use, int64_t now) {
    const fg_keyring_entry_t *active = &image->keys[use][FG_KEY_ACTIVE], *next = &image->keys[use][FG_KEY_NEXT],
                             *previous = &image->keys[use][FG_KEY_PREVIOUS];
    int64_t left = fg_key_get_not_after(active->key) - now, publish = ring->rules.publish_ms;
    if (next->key == NULL && left <= publish)
        return DUE_NEXT;
    if (next->key != NULL && (now - next->made_ms >= publish || left <= publish / 10))
        return DUE_PROMOTION;
    if (previous->key != NULL && now > fg_key_get_not_after(previous->key) &&
        now > previous->retired_ms + KEEP_PREVIOUS)
        return DUE_DROP;
    return DUE_NOTHING;
}

static bool is_sealing_due(const fg_keyring_t *ring, const fg_keyring_image_t *image, int64_t now) {
    return now - image->sealing[0].made_ms >= ring->rules.sealing_lifetime_ms;
}

static bool is_due(const fg_keyring_t *ring, const fg_keyring_image_t *image, int64_t now) {
    return due_of(ring, image, FG_KEY_SIGNING, now) != DUE_NOTHING ||
           due_of(ring, image, FG_KEY_ENCRYPTION, now) != DUE_NOTHING || is_sealing_due(ring, image, now);
}

/* ---- changing under the lock */

typedef struct change {
    bool (*apply)(const fg_keyring_t *ring, fg_keyring_image_t *image, const struct change *change, const fg_env_t *env,
                  fg_err_t *err);
    fg_key_use_t use;
    bool now;
} change_t;

/* Next made, promoted, previous dropped: each step at most once for a key, whatever the clock says. */
static bool apply_due(const fg_keyring_t *ring, fg_keyring_image_t *image, const change_t *change, const fg_env_t *env,
                      fg_err_t *err) {
    (void)change;
    int64_t now = fg_now(env);
    for (int i = 0; i < FG_KEY_USES * 3; i++) {
        fg_key_use_t use = i < 3 ? FG_KEY_SIGNING : FG_KEY_ENCRYPTION;
        due_t due = due_of(ring, image, use, now);
        if (due == DUE_NEXT && !make_entry(ring, use, now, &image->keys[use][FG_KEY_NEXT], err))
            return false;
        if (due == DUE_PROMOTION)
            promote(image, use, now);
        if (due == DUE_DROP)
            drop(&image->keys[use][FG_KEY_PREVIOUS]);
    }
    return !is_sealing_due(ring, image, now) || make_sealing(image, now, now + SEALING_DELAY, env, err);
}

static bool apply_roll(const fg_keyring_t *ring, fg_keyring_image_t *image, const change_t *change, const fg_env_t *env,
                       fg_err_t *err) {
    fg_keyring_entry_t *next = &image->keys[change->use][FG_KEY_NEXT];
    if (next->key == NULL && !make_entry(ring, change->use, fg_now(env), next, err))
        return false;
    if (change->now)
        promote(image, change->use, fg_now(env));
    return true;
}

static bool apply_drop_previous(const fg_keyring_t *ring, fg_keyring_image_t *image, const change_t *change,
                                const fg_env_t *env, fg_err_t *err) {
    (void)ring, (void)change;
    drop(&image->keys[FG_KEY_SIGNING][FG_KEY_PREVIOUS]);
    drop(&image->keys[FG_KEY_ENCRYPTION][FG_KEY_PREVIOUS]);
    OPENSSL_cleanse(image->sealing, sizeof image->sealing);
    image->sealing_count = 0;
    return make_sealing(image, fg_now(env), fg_now(env), env, err);
}

static bool apply_first(const fg_keyring_t *ring, fg_keyring_image_t *image, const change_t *change,
                        const fg_env_t *env, fg_err_t *err) {
    (void)change;
    int64_t now = fg_now(env);
    return make_entry(ring, FG_KEY_SIGNING, now, &image->keys[FG_KEY_SIGNING][FG_KEY_ACTIVE], err) &&
           make_entry(ring, FG_KEY_ENCRYPTION, now, &image->keys[FG_KEY_ENCRYPTION][FG_KEY_ACTIVE], err) &&
           make_sealing(image, now, now, env, err);
}

/* Tells which keys have become next or active. */
static void log_changes(const fg_keyring_t *ring, const fg_keyring_image_t *old, const fg_keyring_image_t *image,
                        const fg_env_t *env) {
    static const char *const news[FG_KEY_STATES] = {"is active", "is published as the next one", NULL};
    for (int i = 0; i < FG_KEY_USES * FG_KEY_STATES; i++) {
        int use = i / FG_KEY_STATES, state = i % FG_KEY_STATES;
        const fg_key_t *key = image->keys[use][state].key;
        if (key != NULL && key != old->keys[use][state].key && news[state] != NULL)
            fg_log(env, FG_LOG_NOTICE, "key ring %s: %s key %s %s", ring->folder, fg_key_use_name((fg_key_use_t)use),
                   fg_key_get_id(key), news[state]);
    }
}

static bool apply_and_save(fg_keyring_t *ring, const fg_keyring_image_t *old, const change_t *change,
                           const fg_env_t *env, fg_err_t *err) {
    fg_keyring_image_t image;
    fg_keyring_image_copy(&image, old);
    /* what was due may have been done by another process since we looked: then there is nothing to write */
    bool ok = change->apply == apply_due && !is_due(ring, old, fg_now(env));
    if (!ok && change->apply(ring, &image, change, env, err) && fg_keyring_image_save(ring->folder, &image, old, err)) {
        log_changes(ring, old, &image, env);
        ok = true;
    }
    if (ok)
        return install(ring, &image, fg_now(env), err);
    fg_keyring_image_clear(&image);
    return false;
}

static bool ring_exists(const fg_keyring_t *ring, fg_file_stamp_t *stamp) {
    char path[PATH_SIZE];
    *stamp = (fg_file_stamp_t){0};
    return fg_keyring_path(ring->folder, "ring.json", path) && fg_file_stamp(path, stamp);
}

/* What lies in the folder now, and the change applied to it; ring->change is held. */
static bool change_locked(fg_keyring_t *ring, const change_t *change, const fg_env_t *env, fg_err_t *err) {
    fg_keyring_image_t old = {0};
    fg_file_stamp_t stamp;
    bool first = change->apply == apply_first, exists = ring_exists(ring, &stamp);
    if (first && exists) /* another process was faster */
        return fg_keyring_image_load(ring->folder, &old, err) && install(ring, &old, fg_now(env), err);
    if (!first && !fg_keyring_image_load(ring->folder, &old, err))
        return false;
    bool ok = apply_and_save(ring, &old, change, env, err);
    fg_keyring_image_clear(&old);
    return ok;
}

static bool change_ring(fg_keyring_t *ring, const change_t *change, const fg_env_t *env, fg_err_t *err) {
    char path[PATH_SIZE];
    if (!fg_keyring_path(ring->folder, "lock", path))
        return FG_FAIL(err, FG_E_FILE, "path too long");
    int lock = fg_file_lock(path, err);
    if (lock < 0)
        return false;
    bool ok = change_locked(ring, change, env, err);
    fg_file_unlock(lock);
    return ok;
}

static bool change_alone(fg_keyring_t *ring, const change_t *change, const fg_env_t *env, fg_err_t *err) {
    pthread_mutex_lock(&ring->change);
    bool ok = change_ring(ring, change, env, err);
    pthread_mutex_unlock(&ring->change);
    return ok;
}

bool fg_keyring_roll(fg_keyring_t *ring, fg_key_use_t use, bool now, const fg_env_t *env, fg_err_t *err) {
    return change_alone(ring, &(change_t){apply_roll, use, now}, env, err);
}

bool fg_keyring_drop_previous(fg_keyring_t *ring, const fg_env_t *env, fg_err_t *err) {
    return change_alone(ring, &(change_t){apply_drop_previous, FG_KEY_SIGNING, false}, env, err);
}

/* ---- keeping fresh */

static void reread(fg_keyring_t *ring, const fg_file_stamp_t *stamp, const fg_env_t *env) {
    fg_err_t err = FG_ERR_INIT;
    fg_keyring_image_t image = {0};
    if (fg_keyring_image_load(ring->folder, &image, &err) && install(ring, &image, fg_now(env), &err)) {
        fg_log(env, FG_LOG_INFO, "key ring %s: re-read", ring->folder);
        return;
    }
    ring->broken = *stamp;
    ring->is_broken = true;
    fg_log(env, FG_LOG_ERROR, "key ring %s: the keys in use stay: %s", ring->folder, err.detail);
}

static void reorder(fg_keyring_t *ring, int64_t now) {
    fg_keyring_image_t image;
    fg_keyring_image_copy(&image, &ring->image);
    if (!install(ring, &image, now, NULL))
        ring->reorder_ms = now + RETRY_AFTER;
}

static void refresh(fg_keyring_t *ring, const fg_env_t *env) {
    fg_file_stamp_t stamp;
    int64_t now = fg_now(env);
    ring_exists(ring, &stamp);
    if (!fg_file_stamp_eq(&stamp, &ring->image.stamp) && !(ring->is_broken && fg_file_stamp_eq(&stamp, &ring->broken)))
        reread(ring, &stamp, env);
    if (now >= ring->reorder_ms)
        reorder(ring, now);
    if (!is_due(ring, &ring->image, now) || now < ring->retry_ms)
        return;
    fg_err_t err = FG_ERR_INIT;
    if (!change_ring(ring, &(change_t){apply_due, FG_KEY_SIGNING, false}, env, &err)) {
        ring->retry_ms = now + RETRY_AFTER;
        fg_log(env, FG_LOG_ERROR, "key ring %s: keys that are due are not rolled: %s", ring->folder, err.detail);
    }
}

void fg_keyring_refresh(fg_keyring_t *ring, const fg_env_t *env) {
    if (pthread_mutex_trylock(&ring->change) != 0)
        return; /* another thread is at it */
    refresh(ring, env);
    pthread_mutex_unlock(&ring->change);
}

/* ---- opening */

/* A file beside ring.json, made once. */
static bool load_pairwise(fg_keyring_t *ring, bool create, const fg_env_t *env, fg_err_t *err) {
    char path[4096];
    fg_file_stamp_t stamp;
    fg_buf_t text = FG_BUF_INIT(128), bytes = FG_BUF_INIT(128);
    if (!fg_keyring_path(ring->folder, "pairwise.key", path))
        return FG_FAIL(err, FG_E_CONFIG, "key folder: path too long");
    bool ok = true;
    if (create && !fg_file_stamp(path, &stamp)) {
        ok = env->random(env, ring->pairwise, sizeof ring->pairwise) ||
             FG_FAIL(err, FG_E_INTERNAL, "no randomness for the key of pairwise names");
        fg_base64_encode(&text, ring->pairwise, sizeof ring->pairwise);
        fg_buf_putc(&text, '\n');
        ok = ok && fg_file_replace(path, fg_buf_str(&text), 0600, err);
    } else if (fg_file_stamp(path, &stamp)) {
        ok = fg_file_read(path, &text, NULL, err);
        if (ok && (!fg_base64_decode(&bytes, fg_str_trim(fg_buf_str(&text))) || bytes.length != sizeof ring->pairwise))
            ok = FG_FAIL(err, FG_E_CONFIG, "%s: not a key of pairwise names", path);
        if (ok)
            memcpy(ring->pairwise, bytes.data, sizeof ring->pairwise);
    }
    fg_buf_free(&text);
    fg_buf_free(&bytes);
    memcpy(ring->current->pairwise, ring->pairwise, sizeof ring->pairwise);
    return ok;
}

static bool take_rules(fg_keyring_t *ring, const char *folder, const fg_keyring_rules_t *rules, fg_err_t *err) {
    ring->rules = *rules;
    if (snprintf(ring->folder, sizeof ring->folder, "%s", folder) >= (int)sizeof ring->folder)
        return FG_FAIL(err, FG_E_CONFIG, "key folder: path too long");
    snprintf(ring->common_name, sizeof ring->common_name, "%s", rules->common_name ? rules->common_name : "fedgate");
    ring->rules.common_name = ring->common_name;
    if (rules->encryption_type == FG_KEY_EC_P256 || rules->encryption_type == FG_KEY_EC_P384)
        return FG_FAIL(err, FG_E_CONFIG, "encryption keys must be RSA, not %s",
                       fg_key_type_name(rules->encryption_type));
    if (ring->rules.lifetime_ms <= 0)
        ring->rules.lifetime_ms = 365 * FG_DAY;
    if (ring->rules.publish_ms <= 0)
        ring->rules.publish_ms = 20 * FG_DAY;
    if (ring->rules.publish_ms > ring->rules.lifetime_ms / 2) /* a key would be replaced as soon as it is active */
        ring->rules.publish_ms = ring->rules.lifetime_ms / 2;
    if (ring->rules.sealing_lifetime_ms <= 0)
        ring->rules.sealing_lifetime_ms = 7 * FG_DAY;
    return true;
}

static bool make_folder(const char *folder, unsigned uid, unsigned gid, fg_err_t *err) {
    if (mkdir(folder, 0700) != 0)
        return errno == EEXIST || FG_FAIL(err, FG_E_FILE, "%s: %s", folder, strerrordesc_np(errno));
    if (geteuid() != 0 || (uid == (unsigned)-1 && gid == (unsigned)-1) || chown(folder, uid, gid) == 0)
        return true;
    return FG_FAIL(err, FG_E_FILE, "%s: cannot be given to user %u: %s", folder, uid, strerrordesc_np(errno));
}

static bool open_folder(fg_keyring_t *ring, bool create, unsigned uid, unsigned gid, const fg_env_t *env,
                        fg_err_t *err) {
    fg_file_stamp_t stamp;
    if (ring_exists(ring, &stamp)) {
        fg_keyring_image_t image = {0};
        return fg_keyring_image_load(ring->folder, &image, err) && install(ring, &image, fg_now(env), err);
    }
    if (!create)
        return FG_FAIL(err, FG_E_FILE, "%s: no key ring there (ring.json is missing)", ring->folder);
    return make_folder(ring->folder, uid, gid, err) &&
           change_ring(ring, &(change_t){apply_first, FG_KEY_SIGNING, false}, env, err);
}

fg_keyring_t *fg_keyring_open(const char *folder, const fg_keyring_rules_t *rules, bool create, unsigned uid,
                              unsigned gid, const fg_env_t *env, fg_err_t *err) {
    fg_keyring_t *ring = calloc(1, sizeof *ring);
    if (ring == NULL) {
        FG_FAIL(err, FG_E_MEMORY, "key ring");
        return NULL;
    }
    pthread_mutex_init(&ring->swap, NULL);
    pthread_mutex_init(&ring->change, NULL);
    if (take_rules(ring, folder, rules, err) && open_folder(ring, create, uid, gid, env, err) &&
        load_pairwise(ring, create, env, err))
        return ring;
    fg_keyring_free(ring);
    return NULL;
}

void fg_keyring_free(fg_keyring_t *ring) {
    if (ring == NULL)
        return;
    fg_keys_release(ring, ring->current);
    fg_keyring_image_clear(&ring->image);
    pthread_mutex_destroy(&ring->swap);
    pthread_mutex_destroy(&ring->change);
    OPENSSL_cleanse(ring->pairwise, sizeof ring->pairwise);
    free(ring);
}
