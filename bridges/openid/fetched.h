/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Documents that others publish (metadata, JWK sets): fetched when they are needed, kept as long as HTTP says, and
 * longer where they cannot be had again.  Each is kept in memory and in a file of the gateway's state, by which workers
 * tell each other and which outlives reloads and restarts. */
#ifndef FG_OPENID_FETCHED_H
#define FG_OPENID_FETCHED_H

#include "hub/exchange.h"

#define FG_FETCHED_RETRY (30 * INT64_C(1000)) /* between two tries that fail, or that unknown keys ask for (JW-12) */

/* One document in memory; thread-safe. */
typedef struct fg_fetched fg_fetched_t;
fg_fetched_t *fg_fetched_new(void) FG_MUST_CHECK; /* NULL: memory */
void fg_fetched_free(fg_fetched_t *fetched);      /* NULL is taken */

typedef struct fg_fetched_query {
    fg_str_t url;             /* where the fetch section lets the gateway go */
    const char *file;         /* its name in the state's folder; NULL: memory alone */
    const char *whose, *what; /* for the log: identity provider "x", keys */
    /* Whether a text is one; what is not is neither kept nor served. */
    bool (*is_good)(fg_exchange_t *ex, const void *context, fg_str_t text, fg_err_t *err);
    const void *context;
    bool strange; /* asked for at a stranger's wish: that it failed is remembered also where nothing was ever had */
    bool again;   /* asked for anew, unless that was done within FG_FETCHED_RETRY */
} fg_fetched_query_t;

/* The text in the arena.  May wait for the other server; *asked: it was asked.  memory NULL: the file alone.  Where it
 * cannot be had, the last good copy serves; else FG_E_FETCH_…, or what is_good says. */
bool fg_fetched_get(fg_exchange_t *ex, fg_fetched_t *memory, const fg_fetched_query_t *query, fg_str_t *text,
                    bool *asked, fg_err_t *err) FG_MUST_CHECK;
/* "PREFIX-DIGEST.json", of an address; in the arena.  NULL: memory. */
const char *fg_fetched_file(fg_exchange_t *ex, const char *prefix, fg_str_t url);
void fg_fetched_forget(fg_exchange_t *ex, const char *file);

#endif
