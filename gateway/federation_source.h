/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Where a federation's metadata comes from: a file, a folder of files, or an address.  What is good is kept until
 * something better is there; that of an address also on disk, so that a restart needs no network. */
#ifndef FG_GATEWAY_FEDERATION_SOURCE_H
#define FG_GATEWAY_FEDERATION_SOURCE_H

#include "bridges/saml/aggregate.h"
#include "gateway/config.h"

typedef struct fg_federation_source fg_federation_source_t;

/* All documents that there are at one time; immutable and counted. */
typedef struct fg_federation_documents {
    unsigned references; /* under the source's lock */
    fg_saml_aggregate_t **items;
    size_t count;
} fg_federation_documents_t;

/* Reads what is on disk.  state: the folder of the gateway's state.  NULL: the configuration is refused: a file that is
 * wrong, certificates that cannot be read.  What is wrong in a folder, or with what was fetched before, is logged. */
fg_federation_source_t *fg_federation_source_new(const fg_config_federation_t *section, const char *state,
                                                 const fg_env_t *env, fg_err_t *err) FG_MUST_CHECK;
/* Waits for what runs in the background. */
void fg_federation_source_free(fg_federation_source_t *source);

/* Begins a thread if a file has changed or it is time to ask the address again, and never waits.  env must live as long
 * as the source. */
void fg_federation_source_refresh(fg_federation_source_t *source, const fg_env_t *env);

const fg_federation_documents_t *fg_federation_source_acquire(fg_federation_source_t *source);
void fg_federation_source_release(fg_federation_source_t *source, const fg_federation_documents_t *documents);

#endif
