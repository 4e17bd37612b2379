/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The key ring: active, next and previous keys for signing and for encryption, and the keys that seal cookies.  It
 * lives in a folder, is made at first start, rolled by a command or automatically before expiry, and re-read when
 * another process changed it. */
#ifndef FG_HUB_KEYRING_H
#define FG_HUB_KEYRING_H

#include "core/crypto.h"
#include "core/key.h"

typedef enum fg_key_use { FG_KEY_SIGNING, FG_KEY_ENCRYPTION } fg_key_use_t;
typedef enum fg_key_state { FG_KEY_ACTIVE, FG_KEY_NEXT, FG_KEY_PREVIOUS, FG_KEY_STATES } fg_key_state_t;

typedef struct fg_sealing_key {
    unsigned char id[4];
    unsigned char key[FG_SEAL_KEY_SIZE];
} fg_sealing_key_t;

/* One state of the ring; immutable and counted. */
typedef struct fg_keys {
    fg_key_t *signing[FG_KEY_STATES]; /* NULL where there is none; ACTIVE is always there */
    fg_key_t *encryption[FG_KEY_STATES];
    fg_sealing_key_t sealing[3]; /* [0] seals, all open */
    unsigned sealing_count;
    unsigned char
        pairwise[FG_SHA256_SIZE]; /* from which pairwise names are made: never rolled, as they must not change */
    unsigned references;          /* the ring's own business */
} fg_keys_t;

typedef struct fg_keyring_rules {
    fg_key_type_t signing_type;    /* of keys made from now on; default RSA-2048 */
    fg_key_type_t encryption_type; /* RSA only: RSA-OAEP */
    int64_t lifetime_ms;           /* of a key's certificate; default 365 days */
    int64_t publish_ms; /* how long next is published before it becomes active, and by how much before expiry the
                           roll begins; default 20 days */
    int64_t sealing_lifetime_ms; /* default 7 days */
    const char *common_name;     /* "fedgate signing - HOST" and so on are made from it */
} fg_keyring_rules_t;

typedef struct fg_keyring fg_keyring_t;

/* Opens the folder's ring; with create makes folder (0700) and keys if they are not there (files 0600, owner uid/gid if
 * not (uid_t)-1 and the caller is root). */
fg_keyring_t *fg_keyring_open(const char *folder, const fg_keyring_rules_t *rules, bool create, unsigned uid,
                              unsigned gid, const fg_env_t *env, fg_err_t *err) FG_MUST_CHECK;
void fg_keyring_free(fg_keyring_t *ring);

/* The present state; give it back with fg_keys_release.  Thread-safe. */
fg_keys_t *fg_keyring_acquire(fg_keyring_t *ring);
void fg_keys_release(fg_keyring_t *ring, fg_keys_t *keys);
/* How often there was another one. */
uint64_t fg_keyring_changes(const fg_keyring_t *ring);

/* Re-reads if the folder changed; rolls what is due (one process does, under a lock in the folder).  Errors are logged
 * and the present state stays. */
void fg_keyring_refresh(fg_keyring_t *ring, const fg_env_t *env);
/* now: next becomes active at once (made first if there is none), active becomes previous; otherwise: makes next and
 * publishes it. */
bool fg_keyring_roll(fg_keyring_t *ring, fg_key_use_t use, bool now, const fg_env_t *env, fg_err_t *err) FG_MUST_CHECK;
/* Forgets the previous key (after a compromise); sealing keys are replaced, which ends all sessions. */
bool fg_keyring_drop_previous(fg_keyring_t *ring, const fg_env_t *env, fg_err_t *err) FG_MUST_CHECK;

#endif
