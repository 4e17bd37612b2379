/* SPDX-License-Identifier: GPL-2.0-or-later
 * fedgate policy explain: a person's claims and a request from the command line, decided as the gateway does. */
#include "cli/policy.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "core/json.h"
#include "core/spell.h"
#include "core/time.h"
#include "core/uri.h"
#include "core/xml.h"
#include "policy/wsman.h"

#define FILE_MAX (1u << 20)
#define EXPLANATION_MAX (1u << 20)

typedef struct question {
    const char *policy, *claims, *method, *path, *query, *host, *address, *time, *json_body, *wsman;
    fg_cli_repeated_t claim;
    bool json;
    fg_arena_t *arena;
    fg_ruleset_t *set;
    fg_claims_t input;
} question_t;

/* ---- claims of the person */

static bool refuse_type(const question_t *q, fg_str_t type, fg_err_t *err) {
    const char *names[1024], *word = fg_arena_strndup(q->arena, type.p, type.n);
    size_t count = fg_ruleset_get_aliases(q->set, names, FG_ARRAY_SIZE(names));
    const char *nearest = word ? fg_spell_nearest(word, names, count) : NULL;
    return FG_FAIL(err, FG_E_CONFIG, "found \"%.*s\", expected an alias or the URI of a claim type%s%s%s",
                   FG_STR_ARG(type), nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
}

/* Claims of whom somebody acts for are their issuers' words. */
static bool is_said_by_request(fg_str_t type) {
    return fg_str_starts(type, FG_REQUEST_CLAIMS) && !fg_str_starts(type, FG_REQUEST_SUBJECT) &&
           !fg_str_starts(type, FG_REQUEST_SUBJECT_ACTOR) && !fg_str_starts(type, FG_REQUEST_ACTOR);
}

/* type is an alias of the policy, a built-in one, or an absolute URI. */
static bool add_claim(question_t *q, fg_str_t type, fg_str_t value, fg_str_t issuer, fg_err_t *err) {
    fg_uri_t uri;
    fg_claim_t claim = {.type = fg_ruleset_find_alias(q->set, type),
                        .value = fg_arena_str(q->arena, value),
                        .issuer = fg_arena_str(q->arena, issuer)};
    if (claim.type.p == NULL && !fg_uri_parse(type, &uri))
        return refuse_type(q, type, err);
    claim.type = fg_arena_str(q->arena, claim.type.p ? claim.type : type);
    if (is_said_by_request(claim.type))
        claim.issuer = FG_STR(FG_REQUEST_ISSUER);
    if (claim.type.p == NULL || claim.value.p == NULL || !fg_claims_add(q->arena, &q->input, &claim))
        return FG_FAIL(err, FG_E_MEMORY, "reading claims");
    return true;
}

static bool add_words(question_t *q, fg_err_t *err) {
    for (size_t i = 0; i < q->claim.count; i++) {
        const char *text = q->claim.values[i], *equals = strchr(text, '=');
        if (equals == NULL)
            return FG_FAIL(err, FG_E_CONFIG, "--claim: found \"%s\", expected TYPE=VALUE", text);
        if (!fg_str_is_utf8(fg_str(text)))
            return FG_FAIL(err, FG_E_CONFIG, "--claim: expected UTF-8");
        if (!add_claim(q, (fg_str_t){text, (size_t)(equals - text)}, fg_str(equals + 1), FG_STR_NONE, err))
            return fg_err_prefix(err, "--claim");
    }
    return true;
}

/* {"type":…, "value":…, "issuer":…} */
static bool add_object(question_t *q, const json_t *object, fg_err_t *err) {
    fg_str_t type = fg_json_string(object, "type"), value = fg_json_string(object, "value");
    if (type.p == NULL || value.p == NULL)
        return FG_FAIL(err, FG_E_CONFIG, "expected claims as {\"type\":…,\"value\":…}");
    return add_claim(q, type, value, fg_json_string(object, "issuer"), err);
}

/* "role": "a" or ["a", "b"] */
static bool add_member(question_t *q, const char *type, const json_t *values, fg_err_t *err) {
    size_t count = json_is_array(values) ? json_array_size(values) : 1;
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_is_array(values) ? json_array_get(values, i) : values;
        if (!json_is_string(value))
            return FG_FAIL(err, FG_E_CONFIG, "%s: expected a text or a list of texts", type);
        fg_str_t text = {json_string_value(value), json_string_length(value)};
        if (!add_claim(q, fg_str(type), text, FG_STR_NONE, err))
            return false;
    }
    return true;
}

static bool add_all(question_t *q, json_t *root, fg_err_t *err) {
    const char *type;
    json_t *values;
    if (!json_is_array(root) && !json_is_object(root))
        return FG_FAIL(err, FG_E_CONFIG, "expected a list or an object with claims");
    for (size_t i = 0; i < json_array_size(root); i++)
        if (!add_object(q, json_array_get(root, i), err))
            return false;
    json_object_foreach(root, type, values) {
        if (!add_member(q, type, values, err))
            return false;
    }
    return true;
}

static bool add_file(question_t *q, fg_err_t *err) {
    fg_buf_t text = FG_BUF_INIT(FILE_MAX);
    if (q->claims == NULL)
        return true;
    bool ok = fg_file_read(q->claims, &text, NULL, err);
    json_t *root = ok ? fg_json_parse(fg_buf_str(&text), err) : NULL;
    if (ok)
        ok = (root != NULL && add_all(q, root, err)) || fg_err_prefix(err, "%s", q->claims);
    json_decref(root);
    fg_buf_free(&text);
    return ok;
}

/* ---- the request */

static bool add_request(question_t *q, const fg_env_t *env, fg_err_t *err) {
    fg_request_facts_t facts = {.method = fg_str(q->method),
                                .path = fg_str(q->path),
                                .query = fg_str(q->query),
                                .host = fg_str(q->host),
                                .client_address = fg_str(q->address),
                                .now_ms = fg_now(env)};
    if (q->time != NULL && !fg_time_parse(fg_str(q->time), &facts.now_ms))
        return FG_FAIL(err, FG_E_CONFIG, "--time: found \"%s\", expected a time as 2026-01-31T12:00:00Z", q->time);
    unsigned char address[16];
    if (q->address != NULL && inet_pton(AF_INET, q->address, address) != 1 &&
        inet_pton(AF_INET6, q->address, address) != 1)
        return FG_FAIL(err, FG_E_CONFIG, "--address: found \"%s\", expected an address as 192.0.2.1 or 2001:db8::1",
                       q->address);
    return fg_request_claims(q->arena, &facts, &q->input) || FG_FAIL(err, FG_E_MEMORY, "reading the request");
}

static bool read_wsman(question_t *q, fg_str_t body, fg_err_t *err) {
    const fg_wsman_http_t http = {.content_type = FG_STR(FG_WSMAN_MEDIA_TYPE), .content_type_count = 1, .body = body};
    fg_wsman_message_t message;
    return fg_xml_start(err) && fg_wsman_read(q->arena, &http, NULL, &message, err) &&
           fg_wsman_claims(q->arena, &message, &q->input, err);
}

static bool read_json(question_t *q, fg_str_t body, fg_err_t *err) {
    return fg_request_json_claims(q->arena, q->set, body, &q->input, err);
}

static bool add_body(question_t *q, const char *path, bool (*read)(question_t *, fg_str_t, fg_err_t *), fg_err_t *err) {
    fg_buf_t text = FG_BUF_INIT(FILE_MAX);
    if (path == NULL)
        return true;
    bool ok = fg_file_read(path, &text, NULL, err);
    if (ok) {
        fg_str_t body = fg_arena_str(q->arena, fg_buf_str(&text)); /* claims point into it */
        ok = body.p != NULL ? read(q, body, err) || fg_err_prefix(err, "%s", path)
                            : FG_FAIL(err, FG_E_MEMORY, "reading %s", path);
    }
    fg_buf_free(&text);
    return ok;
}

/* ---- the answer */

static void print_json(const fg_decision_t *decision, fg_str_t explanation) {
    fg_buf_t out = FG_BUF_INIT(4 * EXPLANATION_MAX);
    fg_buf_printf(&out, "{\"permitted\":%s", decision->permitted ? "true" : "false");
    if (decision->place != NULL) {
        fg_buf_puts(&out, ",\"file\":");
        fg_json_quote(&out, fg_str(decision->place->file));
        fg_buf_printf(&out, ",\"line\":%u,\"rule\":", decision->place->line);
        fg_json_quote(&out, fg_str(decision->place->name));
        fg_buf_puts(&out, ",\"reason\":");
        fg_json_quote(&out, decision->reason);
    }
    fg_buf_puts(&out, ",\"explanation\":");
    fg_json_quote(&out, explanation);
    fg_buf_puts(&out, "}\n");
    fg_str_t text = fg_buf_str(&out);
    fwrite(text.p, 1, text.n, stdout);
    fg_buf_free(&out);
}

static int answer(question_t *q) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t out = FG_BUF_INIT(EXPLANATION_MAX);
    fg_decision_t decision;
    if (!fg_policy_decide(q->set, q->arena, &fg_cli_policy_stores, &q->input, &decision, &err) ||
        !fg_policy_explain(q->set, q->arena, &fg_cli_policy_stores, &q->input, &out, &err)) {
        fg_buf_free(&out);
        return fg_cli_fail(&err);
    }
    if (q->json)
        print_json(&decision, fg_buf_str(&out));
    else
        fwrite(out.data, 1, out.length, stdout);
    fg_buf_free(&out);
    return decision.permitted ? FG_CLI_OK : FG_CLI_FAILED;
}

static const char *member(const json_t *request, const char *name) {
    return json_string_value(json_object_get(request, name));
}

bool fg_cli_policy_ask(fg_ruleset_t *set, fg_arena_t *arena, const fg_env_t *env, const json_t *request,
                       fg_decision_t *decision, fg_buf_t *explanation, fg_err_t *err) {
    question_t q = {.set = set,
                    .arena = arena,
                    .method = member(request, "method"),
                    .path = member(request, "path"),
                    .query = member(request, "query"),
                    .host = member(request, "host"),
                    .address = member(request, "address"),
                    .time = member(request, "time"),
                    .json_body = member(request, "json_body"),
                    .wsman = member(request, "wsman")};
    json_t *claims = json_object_get(request, "claims");
    return (claims == NULL || add_all(&q, claims, err)) && add_request(&q, env, err) &&
           add_body(&q, q.json_body, read_json, err) && add_body(&q, q.wsman, read_wsman, err) &&
           fg_policy_decide(set, arena, &fg_cli_policy_stores, &q.input, decision, err) &&
           (explanation == NULL || fg_policy_explain(set, arena, &fg_cli_policy_stores, &q.input, explanation, err));
}

static int explain(question_t *q, const fg_cli_command_t *command, const fg_env_t *env) {
    fg_err_t err = FG_ERR_INIT;
    q->arena = fg_arena_new(0);
    if (q->arena == NULL)
        FG_FAIL(&err, FG_E_MEMORY, "explaining");
    else
        q->set = fg_ruleset_load(q->policy, &fg_cli_policy_stores, &err);
    if (q->set != NULL && (!add_words(q, &err) || !add_request(q, env, &err)))
        return fg_cli_usage(command, "%s", err.detail);
    if (q->set != NULL && add_file(q, &err) && add_body(q, q->json_body, read_json, &err) &&
        add_body(q, q->wsman, read_wsman, &err))
        return answer(q);
    fg_cli_say("%s", err.detail);
    return FG_CLI_UNREADABLE;
}

int fg_cli_policy_explain(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    question_t q = {0};
    const fg_cli_option_t options[] = {
        {"--claim", .repeated = &q.claim},  {"--claims", .value = &q.claims}, {"--method", .value = &q.method},
        {"--path", .value = &q.path},       {"--query", .value = &q.query},   {"--host", .value = &q.host},
        {"--address", .value = &q.address}, {"--time", .value = &q.time},     {"--json-body", .value = &q.json_body},
        {"--wsman", .value = &q.wsman},     {"--json", .flag = &q.json},
    };
    if (!fg_cli_parse(command, argc, argv, options, FG_ARRAY_SIZE(options), &q.policy, 1, 1))
        return FG_CLI_USAGE;
    int code = explain(&q, command, env);
    fg_arena_free(q.arena);
    fg_ruleset_free(q.set);
    return code;
}
