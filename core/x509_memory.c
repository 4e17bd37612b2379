/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Revocation lists and answers that were fetched, checked and still hold.  CRLs can be large, so there are few of them.
 */
#include <pthread.h>
#include <stdlib.h>

#include "core/x509_parts.h"

#define CRLS 32u
#define ANSWERS 1024u

typedef struct slot {
    unsigned char key[FG_SHA256_SIZE];
    fg_x509_memo_t memo; /* until_ms 0: free */
    uint64_t used;
} slot_t;

struct fg_x509_memory {
    pthread_mutex_t lock;
    uint64_t clock;
    slot_t slots[CRLS + ANSWERS]; /* CRLs first */
};

fg_x509_memory_t *fg_x509_memory_new(void) {
    fg_x509_memory_t *memory = calloc(1, sizeof *memory);
    if (memory != NULL)
        pthread_mutex_init(&memory->lock, NULL);
    return memory;
}

void fg_x509_memory_free(fg_x509_memory_t *memory) {
    if (memory == NULL)
        return;
    for (size_t i = 0; i < CRLS; i++)
        X509_CRL_free(memory->slots[i].memo.crl);
    pthread_mutex_destroy(&memory->lock);
    free(memory);
}

static slot_t *look(fg_x509_memory_t *memory, const unsigned char *key) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(memory->slots); i++)
        if (memory->slots[i].memo.until_ms != 0 && memcmp(memory->slots[i].key, key, FG_SHA256_SIZE) == 0)
            return &memory->slots[i];
    return NULL;
}

bool fg_x509_memory_find(fg_x509_memory_t *memory, const unsigned char key[FG_SHA256_SIZE], int64_t now_ms,
                         fg_x509_memo_t *memo) {
    pthread_mutex_lock(&memory->lock);
    slot_t *slot = look(memory, key);
    bool found = slot != NULL && now_ms < slot->memo.until_ms;
    if (found) {
        slot->used = ++memory->clock;
        *memo = slot->memo;
        if (memo->crl != NULL)
            X509_CRL_up_ref(memo->crl);
    }
    pthread_mutex_unlock(&memory->lock);
    return found;
}

/* A free one of the kind, else one that has run out, else the one that was not used for longest. */
static slot_t *pick(slot_t *slots, size_t count, int64_t now_ms) {
    slot_t *oldest = &slots[0];
    for (size_t i = 0; i < count; i++) {
        if (slots[i].memo.until_ms <= now_ms)
            return &slots[i];
        if (slots[i].used < oldest->used)
            oldest = &slots[i];
    }
    return oldest;
}

void fg_x509_memory_put(fg_x509_memory_t *memory, const unsigned char key[FG_SHA256_SIZE], int64_t now_ms,
                        const fg_x509_memo_t *memo) {
    bool crl = memo->crl != NULL;
    if (memo->until_ms <= now_ms)
        return;
    pthread_mutex_lock(&memory->lock);
    slot_t *slot = look(memory, key);
    if (slot == NULL)
        slot = pick(crl ? memory->slots : memory->slots + CRLS, crl ? CRLS : ANSWERS, now_ms);
    X509_CRL_free(slot->memo.crl);
    memcpy(slot->key, key, FG_SHA256_SIZE);
    slot->memo = *memo;
    slot->used = ++memory->clock;
    if (crl)
        X509_CRL_up_ref(memo->crl);
    pthread_mutex_unlock(&memory->lock);
}
