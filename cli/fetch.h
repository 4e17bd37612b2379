/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What commands ask of the network, by the gateway's own client: https with certificates verified, or http to where the
 * command line says so. */
#ifndef FG_CLI_FETCH_H
#define FG_CLI_FETCH_H

#include "core/env.h"
#include "core/http.h"

/* ca: a file with CAs to believe in place of the system's; NULL: those.  FG_E_FILE with what is wrong: no address, no
 * answer, a certificate that is not believed.  Any status is an answer. */
bool fg_fetch(const fg_env_t *env, fg_arena_t *arena, const char *ca, const fg_http_request_t *request,
              fg_http_response_t *response, fg_err_t *err) FG_MUST_CHECK;
/* Whom an https server's TLS shows, and whether it is believed.  FG_E_FILE: ca cannot be read;
 * FG_E_FETCH_FAILED: nothing answers there by TLS. */
bool fg_fetch_tls(fg_arena_t *arena, const char *ca, const char *url, fg_http_tls_t *tls, fg_err_t *err) FG_MUST_CHECK;

#endif
