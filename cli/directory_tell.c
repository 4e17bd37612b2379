/* SPDX-License-Identifier: GPL-2.0-or-later
 * What is shown of a directory's test: for people step by step, for programs at the end. */
#include "cli/directory.h"

#include <inttypes.h>
#include <string.h>

#include "cli/facts.h"
#include "cli/input.h"
#include "core/time.h"

static const char *const steps[] = {"connect", "starttls", "tls", "bind", "base", "search", "groups", "password"};
#define INDENT "             "

/* ---- claims */

/* The last part of a type, as the pages of the gateway name it. */
static const char *short_type(fg_str_t type) {
    const char *slash = type.n > 0 ? memrchr(type.p, '/', type.n) : NULL;
    return slash != NULL && slash[1] != '\0' ? slash + 1 : type.p;
}

void fg_cli_directory_print_claims(const fg_claims_t *claims) {
    for (size_t i = 0; i < claims->count; i++) {
        printf(INDENT "%-20s ", short_type(claims->items[i].type));
        fg_print_safe(stdout, claims->items[i].value);
        putchar('\n');
    }
}

json_t *fg_cli_directory_claims_json(const fg_claims_t *claims) {
    json_t *all = json_array();
    for (size_t i = 0; i < claims->count; i++) {
        const fg_claim_t *claim = &claims->items[i];
        json_array_append_new(
            all, json_pack("{ss% ss%}", "type", claim->type.p, claim->type.n, "value", claim->value.p, claim->value.n));
    }
    return all;
}

/* ---- groups */

static bool is_sid(const fg_claim_t *claim) { return strcmp(short_type(claim->type), "groupsid") == 0; }

static bool has(const fg_claims_t *claims, const fg_claim_t *claim) {
    for (size_t i = 0; claims != NULL && i < claims->count; i++)
        if (fg_str_eq(claims->items[i].type, claim->type) && fg_str_eq(claims->items[i].value, claim->value))
            return true;
    return false;
}

/* A group: its name, its SID, or both, which then stand side by side.  Moves *at behind it. */
typedef struct group {
    const fg_claim_t *name, *sid; /* NULL: not known */
    bool direct;
} group_t;

static group_t next_group(const fg_ldap_finding_t *finding, size_t *at) {
    const fg_claims_t *claims = finding->claims;
    group_t group = {NULL, NULL, false};
    group.direct = has(finding->direct, &claims->items[*at]);
    if (!is_sid(&claims->items[*at]))
        group.name = &claims->items[(*at)++];
    if (*at < claims->count && is_sid(&claims->items[*at]))
        group.sid = &claims->items[(*at)++];
    return group;
}

static void print_groups(const fg_ldap_finding_t *finding) {
    for (size_t at = 0; at < finding->claims->count;) {
        const group_t group = next_group(finding, &at);
        printf(INDENT);
        fg_print_safe(stdout, group.name != NULL ? group.name->value : FG_STR("(no name)"));
        if (group.sid != NULL)
            printf("  %s", group.sid->value.p);
        puts(finding->direct != NULL && !group.direct ? "  (by another group, or as the primary one)" : "");
    }
}

static json_t *groups_json(const fg_ldap_finding_t *finding) {
    json_t *all = json_array();
    for (size_t at = 0; at < finding->claims->count;) {
        const group_t group = next_group(finding, &at);
        json_t *one = json_object();
        if (group.name != NULL)
            json_object_set_new(one, "name", json_stringn(group.name->value.p, group.name->value.n));
        if (group.sid != NULL)
            json_object_set_new(one, "sid", json_stringn(group.sid->value.p, group.sid->value.n));
        if (finding->direct != NULL)
            json_object_set_new(one, "direct", json_boolean(group.direct));
        json_array_append_new(all, one);
    }
    return all;
}

/* ---- certificates */

static const struct {
    const char *fact, *word;
} told[] = {
    {"certificate", "certificate"},     {"certificate_issuer", "issued by"}, {"certificate_name", "for"},
    {"certificate_until", "not after"}, {"thumbprint", "thumbprint"},
};

static const fg_facts_t *read_certificate(const fg_cli_directory_view_t *view, fg_str_t der) {
    fg_facts_t *facts = fg_arena_alloc(view->arena, sizeof *facts);
    if (facts == NULL)
        return NULL;
    *facts = (fg_facts_t){.arena = view->arena, .now_ms = view->now_ms};
    fg_facts_add_certificate(facts, "", der);
    return facts;
}

static void print_certificate(const fg_cli_directory_view_t *view, fg_str_t der) {
    const fg_facts_t *facts = read_certificate(view, der);
    for (size_t i = 0; facts != NULL && i < FG_ARRAY_SIZE(told); i++) {
        fg_str_t text = fg_facts_join(facts, told[i].fact);
        char age[FG_FACTS_AGE_SIZE] = "";
        int64_t ms;
        if (text.p == NULL)
            continue;
        if (strcmp(told[i].fact, "certificate_until") == 0 && fg_time_parse(text, &ms))
            fg_facts_age(ms, view->now_ms, age);
        printf(INDENT "%-11s ", told[i].word);
        fg_print_safe(stdout, text);
        printf(*age != '\0' ? " (%s)\n" : "%s\n", age);
    }
}

static json_t *certificate_json(const fg_cli_directory_view_t *view, fg_str_t der) {
    static const char *const names[] = {"subject", "issuer", "names", "not_after", "thumbprint"};
    const fg_facts_t *facts = read_certificate(view, der);
    json_t *all = json_object();
    for (size_t i = 0; facts != NULL && i < FG_ARRAY_SIZE(told); i++) {
        fg_str_t text = fg_facts_join(facts, told[i].fact);
        if (text.p != NULL)
            json_object_set_new(all, names[i], json_stringn(text.p, text.n));
    }
    return all;
}

/* ---- a step */

static void print_step(const fg_cli_directory_view_t *view, const fg_ldap_finding_t *finding) {
    fg_shade_t shade = finding->good ? FG_SHADE_GOOD : FG_SHADE_BAD;
    printf("  %-10s %s%-4s%s %5" PRId64 " ms  ", steps[finding->step], fg_shade(shade), finding->good ? "good" : "BAD",
           fg_shade(FG_SHADE_NONE), finding->took_ms);
    fg_print_safe(stdout, fg_str(finding->text));
    putchar('\n');
    if (finding->certificate.n > 0)
        print_certificate(view, finding->certificate);
    if (finding->claims != NULL && finding->step == FG_LDAP_STEP_GROUPS)
        print_groups(finding);
    else if (finding->claims != NULL)
        fg_cli_directory_print_claims(finding->claims);
    if (finding->advice != NULL) {
        printf(INDENT "what to do: ");
        fg_print_safe(stdout, fg_str(finding->advice));
        putchar('\n');
    }
    fflush(stdout); /* whoever waits for a server that hangs wants to see what went before */
}

static json_t *step_json(const fg_cli_directory_view_t *view, const fg_ldap_finding_t *finding) {
    json_t *step = json_pack("{ss sb sI ss}", "step", steps[finding->step], "good", finding->good, "ms",
                             (json_int_t)finding->took_ms, "text", finding->text);
    if (step == NULL) /* what a server says need not be UTF-8 */
        step = json_pack("{ss sb}", "step", steps[finding->step], "good", finding->good);
    if (finding->advice != NULL)
        json_object_set_new(step, "advice", json_string(finding->advice));
    if (finding->certificate.n > 0)
        json_object_set_new(step, "certificate", certificate_json(view, finding->certificate));
    if (finding->claims != NULL && finding->step == FG_LDAP_STEP_GROUPS)
        json_object_set_new(step, "groups", groups_json(finding));
    else if (finding->claims != NULL)
        json_object_set_new(step, "claims", fg_cli_directory_claims_json(finding->claims));
    return step;
}

void fg_cli_directory_tell(void *context, const fg_ldap_finding_t *finding) {
    fg_cli_directory_view_t *view = context;
    bool is_new = view->server == NULL || strcmp(view->server, finding->server) != 0;
    if (is_new)
        view->server = fg_arena_strdup(view->arena, finding->server);
    if (view->json == NULL) {
        if (is_new)
            printf("\n%s%s%s\n", fg_shade(FG_SHADE_TITLE), finding->server, fg_shade(FG_SHADE_NONE));
        print_step(view, finding);
        return;
    }
    if (is_new)
        json_array_append_new(view->json, json_pack("{ss s[]}", "server", finding->server, "steps"));
    json_t *server = json_array_get(view->json, json_array_size(view->json) - 1);
    json_array_append_new(json_object_get(server, "steps"), step_json(view, finding));
}
