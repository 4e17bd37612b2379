/* SPDX-License-Identifier: GPL-2.0-or-later
 * fedgate token verify: the verdict, and each check. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/token.h"
#include "cli/verify.h"
#include "core/json.h"
#include "core/time.h"
#include "hub/store.h"
#include "token/replay.h"

#define STORE_SIZE (1u << 20)
#define BODY_MAX (256u << 10) /* the gateway's own default (limits.body) */
#define DEFAULT_SKEW (180 * FG_SECOND)
#define YEAR (365 * FG_DAY)

typedef fg_verify_options_t options_t;

/* ---- what is judged */

/* The outermost that can be. */
static fg_piece_t *choose(fg_piece_t *root) {
    static const fg_piece_kind_t kinds[] = {FG_PIECE_SOAP,    FG_PIECE_RSTR,       FG_PIECE_RSTRC,    FG_PIECE_SAML11,
                                            FG_PIECE_SAML20,  FG_PIECE_ENCRYPTED,  FG_PIECE_RESPONSE, FG_PIECE_MESSAGE,
                                            FG_PIECE_ENTITY,  FG_PIECE_ENTITIES,   FG_PIECE_JWT,      FG_PIECE_JWE,
                                            FG_PIECE_OPENID2, FG_PIECE_CERTIFICATE};
    for (fg_piece_t *piece = root; piece != NULL; piece = fg_piece_next(piece))
        for (size_t i = 0; i < FG_ARRAY_SIZE(kinds); i++)
            if (piece->kind == kinds[i])
                return piece;
    return NULL;
}

/* ---- what it is judged by */

static fg_str_t text_of(const char *option) { return option != NULL ? fg_str(option) : FG_STR_NONE; }

static bool read_keys(fg_verify_t *v, const options_t *options, fg_err_t *err) {
    for (size_t i = 0; i < options->keys.count; i++) {
        if (v->decryption.key_count == FG_DECRYPTION_KEYS)
            return FG_FAIL(err, FG_E_FILE, "'--decrypt-key' is given more than %u times", FG_DECRYPTION_KEYS);
        const fg_key_t *key = fg_input_read_key(v->arena, options->keys.values[i], err);
        if (key == NULL)
            return false;
        v->decryption.keys[v->decryption.key_count++] = key;
    }
    return true;
}

/* An association's secret, in base64 as associations tell it. */
static bool read_secret(fg_verify_t *v, const options_t *options, fg_err_t *err) {
    fg_str_t text;
    fg_buf_t bytes = FG_BUF_INIT(64);
    if (options->secret == NULL)
        return true;
    if (!fg_input_read(v->arena, options->secret, 4096, &text, err))
        return false;
    bool good = fg_base64_decode(&bytes, fg_str_trim(text));
    v->secret = good ? fg_arena_str(v->arena, fg_buf_str(&bytes)) : FG_STR_NONE;
    fg_buf_free(&bytes);
    return v->secret.n > 0 || FG_FAIL(err, FG_E_FILE, "%s: a secret in base64 is expected", options->secret);
}

static void release_ca(void *ca) { fg_x509_trust_free(ca); }

static bool read_cas(fg_verify_t *v, const options_t *options, fg_err_t *err) {
    static const fg_x509_source_t sources[] = {FG_X509_CRL_FILES};
    if (options->cas.count == 0)
        return true;
    fg_x509_options_t *how = fg_arena_alloc(v->arena, sizeof *how);
    if (how == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "CAs");
    *how = (fg_x509_options_t){.name = "--ca",
                               .ca_files = options->cas.values,
                               .ca_count = options->cas.count,
                               .crl_files = options->crls.values,
                               .crl_count = options->crls.count,
                               .sources = sources,
                               .source_count = options->crls.count > 0,
                               .depth = 5};
    v->ca = fg_x509_trust_new(how, &v->env, err);
    return v->ca != NULL && fg_arena_own(v->arena, release_ca, v->ca);
}

static void release_store(void *store) { fg_store_close(store); }

/* What was used before, so that a copy is told. */
static bool fill_store(fg_verify_t *v, const options_t *options, fg_err_t *err) {
    void *memory = aligned_alloc(4096, STORE_SIZE);
    if (memory == NULL || !fg_arena_own(v->arena, free, memory))
        return FG_FAIL(err, FG_E_MEMORY, "store");
    v->env.store = fg_store_open(memory, STORE_SIZE, false, err);
    if (v->env.store == NULL || !fg_arena_own(v->arena, release_store, v->env.store))
        return false;
    fg_str_t issuer = fg_facts_get(v->facts, "issuer");
    for (size_t i = 0; i < options->seen.count; i++)
        if (!fg_replay_check(&v->env, "assertion", issuer, fg_str(options->seen.values[i]), fg_now(&v->env) + YEAR,
                             FG_E_TOKEN_REPLAY, err))
            return false;
    return true;
}

/* The facts of the token itself, and of the message around it. */
static bool read_facts(fg_verify_t *v) {
    const fg_piece_t *token = fg_token_innermost(v->subject);
    bool message = v->subject->kind == FG_PIECE_RESPONSE || v->subject->kind == FG_PIECE_MESSAGE;
    v->facts = fg_arena_alloc(v->arena, sizeof *v->facts);
    v->message = message ? fg_arena_alloc(v->arena, sizeof *v->message) : NULL;
    if (v->facts == NULL || (message && v->message == NULL))
        return false;
    fg_facts_read(v->arena, token != NULL ? token : v->subject, fg_now(&v->env), v->facts);
    if (message)
        fg_facts_read(v->arena, v->subject, fg_now(&v->env), v->message);
    return true;
}

static bool make_exchange(fg_verify_t *v, fg_err_t *err) {
    fg_hub_t *hub = fg_arena_alloc(v->arena, sizeof *hub);
    v->ex = fg_arena_alloc(v->arena, sizeof *v->ex);
    if (hub == NULL || v->ex == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "exchange");
    hub->skew_ms = v->skew_ms;
    hub->xml = v->decryption.limits != NULL ? *v->decryption.limits : fg_xml_default_limits;
    hub->base_url = FG_STR("");
    if (v->trust.gateway != NULL)
        hub->entity_id = fg_gateway_get_hub(v->trust.gateway)->entity_id;
    *v->ex = (fg_exchange_t){.env = &v->env, .hub = hub, .arena = v->arena, .now_ms = fg_now(&v->env)};
    return true;
}

static bool prepare(fg_verify_t *v, const options_t *options, fg_err_t *err) {
    fg_str_t issuer = fg_facts_get(v->message != NULL ? v->message : v->facts, "issuer");
    if (issuer.p == NULL)
        issuer = fg_facts_get(v->facts, "issuer");
    const fg_trust_sender_t sender = {issuer, v->subject->xml != NULL &&
                                                  fg_xml_is(v->subject->xml, FG_NS_SAML2P, "AuthnRequest")};
    bool needs_trust =
        v->subject->kind != FG_PIECE_CERTIFICATE && v->subject->kind != FG_PIECE_OPENID2 && options->cas.count == 0;
    v->trust.skew_ms = -1;
    if ((needs_trust || options->trust.names.count > 0 || options->trust.for_partner != NULL) &&
        !fg_trust_read(&v->trust, &options->trust, &v->env, v->arena, &sender, err))
        return false;
    v->allow_sha1 = options->allow_sha1 || v->trust.allow_sha1;
    if (options->skew == NULL && v->trust.skew_ms >= 0)
        v->skew_ms = v->trust.skew_ms;
    if (v->audience_count == 0 && v->trust.audience.n > 0) {
        v->audiences = &v->trust.audience;
        v->audience_count = 1;
    }
    return read_secret(v, options, err) && read_cas(v, options, err) && fill_store(v, options, err) &&
           make_exchange(v, err);
}

/* ---- the answer */

static const char *const outcomes[] = {
    [FG_OUTCOME_NOT_CHECKED] = "not checked", [FG_OUTCOME_PASSED] = "passed", [FG_OUTCOME_FAILED] = "failed"};

static void print_check(const fg_check_result_t *result, fg_check_t check) {
    static const fg_shade_t shades[] = {FG_SHADE_DIM, FG_SHADE_GOOD, FG_SHADE_BAD};
    printf("  %s%-11s%s  %-12s  %s", fg_shade(shades[result->outcome]), outcomes[result->outcome],
           fg_shade(FG_SHADE_NONE), fg_check_name(check), fg_check_title(check));
    if (result->outcome == FG_OUTCOME_NOT_CHECKED && result->note != NULL)
        printf(": %s", result->note);
    putchar('\n');
    if (result->outcome != FG_OUTCOME_FAILED)
        return;
    printf("%28s%s: ", "", fg_reason_get(result->reason)->code);
    fg_print_safe(stdout, fg_str(result->note ? result->note : ""));
    putchar('\n');
    if (result->expected.p != NULL || result->actual.p != NULL) {
        printf("%28sexpected: ", "");
        fg_print_safe(stdout, result->expected.p ? result->expected : FG_STR("(nothing)"));
        printf("\n%28sactual:   ", "");
        fg_print_safe(stdout, result->actual.p ? result->actual : FG_STR("(nothing)"));
        putchar('\n');
    }
}

static void print_text(const fg_verify_t *v) {
    const fg_reason_row_t *row = fg_reason_get(v->err.reason);
    if (v->err.code == FG_OK)
        printf("%svalid%s\n", fg_shade(FG_SHADE_GOOD), fg_shade(FG_SHADE_NONE));
    else
        printf("%sinvalid: %s: %s%s\n", fg_shade(FG_SHADE_BAD), row->code, row->cause, fg_shade(FG_SHADE_NONE));
    if (v->err.code != FG_OK) {
        fputs("  found: ", stdout);
        fg_print_safe(stdout, fg_str(v->err.detail));
        printf("\n  what to do: %s\n", row->remedy);
    }
    for (unsigned i = 0; i < FG_CHECKS && v->subject != NULL; i++)
        print_check(&v->checks[i], (fg_check_t)i);
}

static void put_text(json_t *object, const char *name, fg_str_t text) {
    if (text.p != NULL)
        json_object_set_new(object, name, json_stringn(text.p, text.n));
}

static json_t *json_of_checks(const fg_verify_t *v) {
    json_t *list = json_array();
    for (unsigned i = 0; i < FG_CHECKS && v->subject != NULL; i++) {
        const fg_check_result_t *result = &v->checks[i];
        json_t *one = json_pack("{s:s,s:s,s:s}", "name", fg_check_name((fg_check_t)i), "title",
                                fg_check_title((fg_check_t)i), "outcome", outcomes[result->outcome]);
        if (result->outcome == FG_OUTCOME_FAILED)
            put_text(one, "reason", fg_str(fg_reason_get(result->reason)->code));
        put_text(one, "expected", result->expected);
        put_text(one, "actual", result->actual);
        put_text(one, "note", fg_str(result->note));
        json_array_append_new(list, one);
    }
    return list;
}

static void print_json(const fg_verify_t *v) {
    const fg_reason_row_t *row = fg_reason_get(v->err.reason);
    json_t *object = json_pack("{s:s}", "verdict", v->err.code == FG_OK ? "valid" : "invalid");
    if (v->err.code != FG_OK) {
        put_text(object, "reason", fg_str(row->code));
        put_text(object, "sentence", fg_str(row->cause));
        put_text(object, "detail", fg_str(v->err.detail));
        put_text(object, "remedy", fg_str(row->remedy));
    }
    if (v->subject != NULL)
        put_text(object, "kind", fg_str(fg_piece_word(v->subject->kind)));
    json_object_set_new(object, "checks", json_of_checks(v));
    json_dumpf(object, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(object);
}

static int answer(fg_verify_t *v, const options_t *options) {
    const char *code = fg_reason_get(v->err.reason)->code;
    if (options->explain != NULL)
        options->explain(v, options);
    else if (options->json)
        print_json(v);
    else
        print_text(v);
    if (v->err.code == FG_OK)
        return FG_CLI_OK;
    return strncmp(code, "input.", 6) == 0 ? FG_CLI_UNREADABLE : FG_CLI_FAILED;
}

/* ---- the command */

/* Nothing that can be judged: because something looks like it and is broken, or because it is nothing known. */
static int refuse_input(fg_verify_t *v, const options_t *options) {
    const fg_err_t *why = v->root != NULL ? fg_piece_failure(v->root) : NULL;
    if (why != NULL)
        v->err = *why;
    else
        FG_FAIL_FOR(&v->err, FG_E_TOKEN_MALFORMED, FG_R_INPUT_UNRECOGNISED, "%s holds %s", options->path,
                    fg_piece_title(v->root != NULL ? v->root->kind : FG_PIECE_UNKNOWN));
    v->err.reason = fg_reason_of(&v->err)->reason;
    return answer(v, options);
}

static int judge(fg_verify_t *v, const options_t *options) {
    fg_err_t err = FG_ERR_INIT;
    fg_unwrap_t unwrap = {.arena = v->arena,
                          .limits = &fg_xml_default_limits,
                          .decryption = v->decryption.key_count > 0 ? &v->decryption : NULL};
    v->root = fg_piece_read(&unwrap, v->input);
    v->subject = v->root != NULL ? choose(v->root) : NULL;
    if (v->subject == NULL || !read_facts(v))
        return refuse_input(v, options);
    if (prepare(v, options, &err)) {
        if (v->subject->err.code != FG_OK && v->subject->kind != FG_PIECE_ENCRYPTED && v->subject->kind != FG_PIECE_JWT)
            fg_verify_fail(v, &v->subject->err);
        else
            fg_verify_run(v);
        return answer(v, options);
    }
    if (err.code != FG_E_TOKEN_ISSUER && err.code != FG_E_TOKEN_EXPIRED && err.code != FG_E_SAML_PARTNER)
        return fg_cli_fail(&err);
    fg_verify_fail(v, &err); /* whom it is from is nobody who is trusted */
    return answer(v, options);
}

/* Told at once, and not only when it would be needed. */
static bool can_read_original(const fg_verify_t *v, const options_t *options, fg_err_t *err) {
    fg_str_t bytes;
    fg_unwrap_t unwrap = {.arena = v->arena, .limits = &fg_token_show_limits};
    if (options->original == NULL)
        return true;
    if (!fg_input_read(v->arena, options->original, FG_INPUT_MAX, &bytes, err))
        return fg_err_prefix(err, "--original");
    const fg_piece_t *root = fg_piece_read(&unwrap, bytes);
    return (root != NULL && root->kind != FG_PIECE_UNKNOWN) ||
           FG_FAIL(err, FG_E_FILE, "--original: %s holds nothing that is known here", options->original);
}

static int run(fg_verify_t *v, const options_t *options) {
    fg_err_t err = FG_ERR_INIT;
    v->decryption.limits = &fg_xml_default_limits;
    if (!read_keys(v, options, &err) || !can_read_original(v, options, &err))
        return fg_cli_fail(&err);
    if (!fg_input_read(v->arena, options->path, BODY_MAX, &v->input, &err)) {
        if (err.reason == FG_R_NONE) /* it is not there, or may not be read */
            return fg_cli_fail(&err);
        v->err = err;
        return answer(v, options);
    }
    int code = judge(v, options);
    fg_trust_end(&v->trust);
    return code;
}

static bool read_times(const fg_cli_command_t *command, const options_t *options, fg_verify_t *v) {
    int64_t now;
    char *end;
    v->skew_ms = DEFAULT_SKEW;
    if (options->at != NULL && !fg_input_time(options->at, &now))
        return fg_cli_usage(command, "'--at %s': a time as 2026-01-31T12:00:00Z, or @SECONDS, is expected",
                            options->at),
               false;
    if (options->at != NULL)
        fg_input_set_clock(&v->env, now);
    if (options->skew == NULL)
        return true;
    v->skew_ms = strtoll(options->skew, &end, 10) * FG_SECOND;
    return (*end == '\0' && end != options->skew && v->skew_ms >= 0 && v->skew_ms <= FG_DAY) ||
           (fg_cli_usage(command, "'--skew %s': seconds are expected, at most a day", options->skew), false);
}

/* An option that would change nothing: whoever gave it thinks that it does. */
static const char *in_vain(const options_t *o) {
    if (o->crls.count > 0 && o->cas.count == 0)
        return "'--crl' says what a CA has revoked: name the CA by --ca";
    if (o->trust.tls_ca != NULL && !o->trust.network)
        return "'--tls-ca' is about what is fetched, and nothing is without --network";
    if (o->canonical && o->json)
        return "'--canonical' and '--json' exclude each other";
    return NULL;
}

int fg_token_judge(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv, options_t *o) {
    const fg_cli_option_t list[] = {{"--trust", .repeated = &o->trust.names},
                                    {"--issuer", .value = &o->issuer},
                                    {"--audience", .repeated = &o->audiences},
                                    {"--recipient", .value = &o->recipient},
                                    {"--destination", .value = &o->destination},
                                    {"--in-response-to", .value = &o->in_response_to},
                                    {"--nonce", .value = &o->nonce},
                                    {"--at", .value = &o->at},
                                    {"--skew", .value = &o->skew},
                                    {"--decrypt-key", .repeated = &o->keys},
                                    {"--allow-sha1", .flag = &o->allow_sha1},
                                    {"--ca", .repeated = &o->cas},
                                    {"--crl", .repeated = &o->crls},
                                    {"--seen", .repeated = &o->seen},
                                    {"--config", .value = &o->trust.config},
                                    {"--for", .value = &o->trust.for_partner},
                                    {"--network", .flag = &o->trust.network},
                                    {"--tls-ca", .value = &o->trust.tls_ca},
                                    {"--secret", .value = &o->secret},
                                    {"--json", .flag = &o->json},
                                    {"--original", .value = &o->original},
                                    {"--canonical", .flag = &o->canonical}};
    size_t count = FG_ARRAY_SIZE(list) - (o->explain != NULL ? 0 : 2); /* the last two are of explain */
    fg_verify_t v = {.env = *env};
    fg_err_t err = FG_ERR_INIT;
    fg_str_t audiences[FG_CLI_REPEATED_MAX];
    if (!fg_cli_parse(command, argc, argv, list, count, &o->path, 1, 1) || !read_times(command, o, &v))
        return FG_CLI_USAGE;
    const char *lost = in_vain(o);
    if (lost != NULL)
        return fg_cli_usage(command, "%s", lost);
    if (!fg_xml_start(&err))
        return fg_cli_fail(&err);
    for (size_t i = 0; i < o->audiences.count; i++)
        audiences[i] = fg_str(o->audiences.values[i]);
    v.audiences = audiences;
    v.audience_count = o->audiences.count;
    v.issuer = text_of(o->issuer);
    v.recipient = text_of(o->recipient);
    v.destination = text_of(o->destination);
    v.in_response_to = text_of(o->in_response_to);
    v.nonce = text_of(o->nonce);
    v.arena = fg_arena_new(FG_TOKEN_ARENA);
    int code = v.arena != NULL ? run(&v, o) : FG_CLI_FAILED;
    fg_arena_free(v.arena);
    return code;
}

int fg_cli_token_verify(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    options_t options = {.path = NULL};
    return fg_token_judge(command, env, argc, argv, &options);
}
