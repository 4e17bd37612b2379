/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fedgate policy check|explain: claim rules. */
#ifndef FG_CLI_POLICY_H
#define FG_CLI_POLICY_H

#include "cli/cli.h"
#include "core/json.h"
#include "policy/rules.h"

/* Of files that are read without their configuration. */
extern const fg_rule_stores_t fg_cli_policy_stores;

int fg_cli_policy_check(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);
int fg_cli_policy_explain(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);
int fg_cli_policy_test(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);

/* What a policy decides of a request in JSON: members claims, method, path, query, host, address, time, json_body,
 * wsman (the last two name files).  explanation (may be NULL) gets the reasons. */
bool fg_cli_policy_ask(fg_ruleset_t *set, fg_arena_t *arena, const fg_env_t *env, const json_t *request,
                       fg_decision_t *decision, fg_buf_t *explanation, fg_err_t *err) FG_MUST_CHECK;

#define FG_CLI_POLICY_CHECK_HELP                                                                                  \
    "  FILE   claim rules, as acceptance_rules, authorization_rules, issuance_rules and delegation_rules of the " \
    "configuration name them\n"                                                                                   \
    "Reads each file as the gateway does and tells the first mistake in each.\n"
#define FG_CLI_POLICY_EXPLAIN_HELP                                                                                    \
    "  POLICY               the access policy, or authorization or delegation rules\n"                                \
    "  --claim TYPE=VALUE   a claim of the person; TYPE is an alias (role, upn, …) or a URI; may be given several " \
    "times\n"                                                                                                         \
    "  --claims FILE        more of them, in JSON: [{\"type\":…,\"value\":…,\"issuer\":…}] or "                 \
    "{\"role\":[\"a\",\"b\"]}\n"                                                                                      \
    "  --method M, --path P, --query Q, --host H, --address A\n"                                                      \
    "                       the request; the path decoded, as it is forwarded\n"                                      \
    "  --time T             when, as 2026-01-31T12:00:00Z (default: now)\n"                                           \
    "  --json-body FILE     the request's body, of which the policy may name members\n"                               \
    "  --wsman FILE         a WS-Management request's body\n"                                                         \
    "  --json               answer with one line of JSON\n"                                                           \
    "Exit code 0: permitted, 1: denied, 2: usage, 3: a file that cannot be read or is wrong.\n"

#define FG_CLI_POLICY_TEST_HELP                                                                                               \
    "  FILE   a table of requests and expected decisions, in JSON:\n"                                                         \
    "         {\"policy\":\"access.rules\",\"cases\":[{\"name\":…,\"claims\":{\"role\":[…]},\"method\":…,\"path\":…," \
    "\"expect\":\"permit\"}]}\n"                                                                                              \
    "A case may have query, host, address, time, json_body and wsman as well. Exit code 1: a decision is another.\n"

#endif
