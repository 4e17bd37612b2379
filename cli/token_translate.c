/* SPDX-License-Identifier: GPL-2.0-or-later
 * fedgate token translate: what a partner would get to know of the person whom a token is about, in another format. */
#include <string.h>

#include "cli/input.h"
#include "cli/token.h"
#include "cli/trust.h"
#include "core/json.h"
#include "hub/issue.h"
#include "hub/signin.h"
#include "token/jwt.h"

typedef struct translation {
    const char *path, *partner, *config, *to;
    bool json;
    fg_arena_t *arena;
    fg_env_t env;
    fg_gateway_t *gateway;
    const fg_partner_t *to_partner;
    fg_identity_t identity; /* what the token says */
    fg_claims_t said;       /* the same, before any rule */
    fg_claims_t issued;
    fg_name_id_t name_id;
} translation_t;

/* ---- in */

static bool read_token(translation_t *t, fg_err_t *err) {
    fg_str_t bytes;
    fg_unwrap_t unwrap = {.arena = t->arena, .limits = &fg_token_show_limits};
    if (!fg_input_read(t->arena, t->path, FG_INPUT_MAX, &bytes, err))
        return false;
    const fg_piece_t *root = fg_piece_read(&unwrap, bytes);
    const fg_piece_t *token = root != NULL ? fg_token_innermost(root) : NULL;
    fg_facts_t *facts = fg_arena_alloc(t->arena, sizeof *facts);
    if (token == NULL || facts == NULL)
        return FG_FAIL(err, FG_E_FILE, "%s holds no token", t->path);
    fg_facts_read(t->arena, token, fg_now(&t->env), facts);
    t->identity.issuer = fg_facts_get(facts, "issuer");
    t->identity.name_id.value = fg_facts_get(facts, "subject");
    t->identity.name_id.format = fg_facts_get(facts, "subject_format");
    t->identity.auth_method = fg_facts_get(facts, "authentication_method");
    for (size_t i = 0; i < facts->claims.count; i++) {
        fg_claim_t claim = facts->claims.items[i];
        claim.issuer = t->identity.issuer;
        if (token->kind == FG_PIECE_JWT)
            claim.type = fg_jwt_claim_type(claim.type);
        if (!fg_claims_add(t->arena, &t->identity.claims, &claim) || !fg_claims_add(t->arena, &t->said, &claim))
            return FG_FAIL(err, FG_E_MEMORY, "claims");
    }
    return true;
}

/* ---- through the rules */

static bool find_partner(translation_t *t, fg_err_t *err) {
    t->to_partner = fg_trust_find_partner(fg_gateway_get_hub(t->gateway), t->partner, err);
    return t->to_partner != NULL;
}

static bool apply_rules(translation_t *t, fg_err_t *err) {
    const fg_hub_t *hub = fg_gateway_get_hub(t->gateway);
    const fg_home_realm_t *realm = fg_hub_find_issuer(hub, t->identity.issuer);
    fg_exchange_t *ex = fg_arena_alloc(t->arena, sizeof *ex);
    if (ex == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "translation");
    *ex = (fg_exchange_t){.env = &t->env, .hub = hub, .arena = t->arena, .now_ms = fg_now(&t->env)};
    if (realm == NULL)
        fg_cli_say("note: no identity_provider of the configuration is %.*s: no acceptance rules are applied",
                   FG_STR_ARG(t->identity.issuer));
    else if (!fg_signin_accept(ex, realm, &t->identity, err))
        return false;
    const fg_issue_request_t request = {
        .partner = t->to_partner, .audience = t->to_partner->realms[0], .identity = &t->identity};
    return fg_issue_claims(ex, &request, &t->issued, &t->name_id, err);
}

/* ---- out */

/* As the format calls it: JWTs have short names, SAML 1.1 a namespace and a name. */
static fg_str_t name_in(const translation_t *t, fg_str_t type) {
    if (strcmp(t->to, "jwt") == 0)
        return fg_jwt_claim_name(type);
    size_t at = type.n;
    while (at > 0 && type.p[at - 1] != '/')
        at--;
    if (strcmp(t->to, "saml20") == 0 || at == 0)
        return type;
    return fg_str(fg_arena_printf(t->arena, "%.*s in %.*s", (int)(type.n - at), type.p + at, (int)(at - 1), type.p));
}

static bool is_among(const fg_claims_t *claims, const fg_claim_t *claim) {
    for (size_t i = 0; i < claims->count; i++)
        if (fg_str_eq(claims->items[i].type, claim->type) && fg_str_eq(claims->items[i].value, claim->value))
            return true;
    return false;
}

static void print_claim(const translation_t *t, const char *sign, fg_shade_t shade, const fg_claim_t *claim) {
    printf("%s%s%s ", fg_shade(shade), sign, fg_shade(FG_SHADE_NONE));
    fg_print_safe(stdout, name_in(t, claim->type));
    fputs("  ", stdout);
    fg_print_safe(stdout, claim->value);
    putchar('\n');
}

static void print_text(const translation_t *t) {
    printf("%s gets, in %s:\n", t->to_partner->name, t->to);
    if (t->name_id.value.n > 0)
        printf("  subject  %.*s\n", FG_STR_ARG(t->name_id.value));
    for (size_t i = 0; i < t->issued.count; i++)
        print_claim(t, is_among(&t->said, &t->issued.items[i]) ? "  kept   " : "  made   ", FG_SHADE_GOOD,
                    &t->issued.items[i]);
    for (size_t i = 0; i < t->said.count; i++)
        if (!is_among(&t->issued, &t->said.items[i]))
            print_claim(t, "  dropped", FG_SHADE_WARN, &t->said.items[i]);
}

static json_t *json_of(const translation_t *t, const fg_claim_t *claim) {
    fg_str_t name = name_in(t, claim->type);
    return json_pack("{s:s%,s:s%,s:s%}", "type", claim->type.p, claim->type.n, "name", name.p, name.n, "value",
                     claim->value.p, claim->value.n);
}

static void print_json(const translation_t *t) {
    json_t *issued = json_array(), *dropped = json_array();
    for (size_t i = 0; i < t->issued.count; i++)
        json_array_append_new(issued, json_of(t, &t->issued.items[i]));
    for (size_t i = 0; i < t->said.count; i++)
        if (!is_among(&t->issued, &t->said.items[i]))
            json_array_append_new(dropped, json_of(t, &t->said.items[i]));
    json_t *all = json_pack("{s:s,s:s,s:o,s:o}", "partner", t->to_partner->name, "format", t->to, "claims", issued,
                            "dropped", dropped);
    if (t->name_id.value.n > 0)
        json_object_set_new(all, "subject", json_stringn(t->name_id.value.p, t->name_id.value.n));
    json_dumpf(all, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(all);
}

static int run(translation_t *t) {
    const fg_gateway_options_t how = {.check_only = true, .uid = (unsigned)-1, .gid = (unsigned)-1};
    fg_err_t err = FG_ERR_INIT;
    if (!fg_gateway_start(&err))
        return fg_cli_fail(&err);
    t->gateway = fg_gateway_load(t->config ? t->config : FG_CLI_CONFIG, &how, &t->env, &err);
    int code = FG_CLI_OK;
    if (t->gateway == NULL || !find_partner(t, &err) || !read_token(t, &err) || !apply_rules(t, &err))
        code = fg_cli_fail(&err);
    else if (t->json)
        print_json(t);
    else
        print_text(t);
    fg_gateway_free(t->gateway);
    fg_gateway_stop();
    return code;
}

int fg_cli_token_translate(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    translation_t t = {.env = *env};
    const fg_cli_option_t options[] = {{"--partner", .value = &t.partner},
                                       {"--config", .value = &t.config},
                                       {"--to", .value = &t.to},
                                       {"--json", .flag = &t.json}};
    if (!fg_cli_parse(command, argc, argv, options, FG_ARRAY_SIZE(options), &t.path, 1, 1))
        return FG_CLI_USAGE;
    if (t.partner == NULL)
        return fg_cli_usage(command, "--partner is needed: whose rules");
    t.to = t.to != NULL ? t.to : "saml20";
    if (strcmp(t.to, "saml11") != 0 && strcmp(t.to, "saml20") != 0 && strcmp(t.to, "jwt") != 0)
        return fg_cli_usage(command, "'--to %s': saml11, saml20 or jwt is expected", t.to);
    t.arena = fg_arena_new(FG_TOKEN_ARENA);
    int code = t.arena != NULL ? run(&t) : FG_CLI_FAILED;
    fg_arena_free(t.arena);
    return code;
}
