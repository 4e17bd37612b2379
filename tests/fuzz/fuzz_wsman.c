/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A body from the network as a request of WS-Management, as an answer, and the fault for it.  A request that is read
 * must have what every one has, and its claims must say it. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "core/crypto.h"
#include "policy/wsman.h"
#include "tests/unit/xml_same.h"

static int64_t get_now(const fg_env_t *env) { return (void)env, 0; }
static bool get_random(const fg_env_t *env, unsigned char *out, size_t n) { return (void)env, memset(out, 7, n), true; }

static void check_claims(const fg_wsman_message_t *message, const fg_claims_t *claims) {
    const fg_claim_t *operation = fg_claims_get(claims, FG_REQUEST_CLAIMS "operation");
    const fg_claim_t *resource = fg_claims_get(claims, FG_REQUEST_CLAIMS "resource");
    if (message->operation == NULL || operation == NULL || !fg_str_is(operation->value, message->operation))
        abort();
    bool identify = strcmp(message->operation, "Identify") == 0;
    if (identify != (message->action.n == 0) || identify != (resource == NULL))
        abort();
    if (resource != NULL && !fg_str_eq(resource->value, message->resource_uri))
        abort();
    if ((message->uses.kind != FG_WSMAN_NONE) != (message->uses.id.n > 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const fg_env_t env = {.now_ms = get_now, .random = get_random};
    fg_err_t err = FG_ERR_INIT;
    if (!fg_crypto_start() || !fg_xml_start(&err))
        abort();
    fg_arena_t *arena = fg_arena_new(0);
    fg_str_t body = {(const char *)data, size};
    fg_wsman_http_t http = {.content_type = FG_STR(FG_WSMAN_MEDIA_TYPE), .content_type_count = 1, .body = body};
    fg_wsman_message_t message;
    fg_claims_t claims = {NULL};
    if (!reads_the_same(arena, body, NULL))
        abort();
    if (fg_wsman_read(arena, &http, NULL, &message, &err) && fg_wsman_claims(arena, &message, &claims, &err))
        check_claims(&message, &claims);
    fg_wsman_context_t opened[FG_WSMAN_OPENED_MAX];
    size_t count = 0;
    if (fg_wsman_read_answer(arena, body, NULL, opened, &count, NULL) && count > FG_WSMAN_OPENED_MAX)
        abort();
    fg_buf_t out = FG_BUF_INIT(64u << 10);
    int status;
    if (!fg_wsman_fault(&env, &message, &err, &out, &status))
        abort();
    fg_buf_free(&out);
    fg_arena_free(arena);
    return 0;
}
