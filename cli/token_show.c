/* SPDX-License-Identifier: GPL-2.0-or-later
 * fedgate token show: what an input is, and what it says. */
#include <stdlib.h>
#include <string.h>

#include "cli/input.h"
#include "cli/token.h"
#include "core/crypto.h"
#include "core/json.h"
#include "core/reason.h"
#include "core/time.h"

const fg_xml_limits_t fg_token_show_limits = {
    .bytes = FG_INPUT_MAX, .depth = 128, .elements = 400000, .attributes = 256, .namespaces = 256};

typedef struct show {
    const char *path, *at;
    bool json, raw, claims, reveal;
    fg_cli_repeated_t keys;
    fg_arena_t *arena;
    fg_env_t env;
    fg_decryption_t decryption;
} show_t;

/* ---- which piece is meant */

bool fg_token_is_token(const fg_piece_t *piece) {
    static const fg_piece_kind_t kinds[] = {FG_PIECE_SAML11, FG_PIECE_SAML20, FG_PIECE_JWT, FG_PIECE_JWE,
                                            FG_PIECE_ENCRYPTED};
    for (size_t i = 0; i < FG_ARRAY_SIZE(kinds); i++)
        if (piece->kind == kinds[i])
            return true;
    return false;
}

/* The first that is a token; of an encrypted one that was opened, what came out. */
const fg_piece_t *fg_token_innermost(const fg_piece_t *root) {
    const fg_piece_t *piece = root;
    while (piece != NULL && !fg_token_is_token(piece))
        piece = fg_piece_next(piece);
    while (piece != NULL && (piece->kind == FG_PIECE_ENCRYPTED || piece->kind == FG_PIECE_JWE) && piece->first != NULL)
        piece = piece->first;
    return piece;
}

/* ---- for people */

static void indent(unsigned depth) { printf("%*s", (int)(2 * depth), ""); }

static void print_fact(const show_t *show, const fg_fact_t *fact, unsigned depth) {
    char age[FG_FACTS_AGE_SIZE];
    int64_t ms;
    indent(depth + 1);
    printf("%-26s ", fact->name);
    if (fact->is_secret && !show->reveal)
        fg_print_safe(stdout, fg_str(fg_facts_shorten(show->arena, fact->value)));
    else
        fg_print_safe(stdout, fg_str_trim(fact->value));
    if (fact->is_time && fg_time_parse(fg_str_trim(fact->value), &ms)) {
        fg_facts_age(ms, fg_now(&show->env), age);
        printf("  %s(%s)%s", fg_shade(FG_SHADE_DIM), age, fg_shade(FG_SHADE_NONE));
    }
    putchar('\n');
}

static void print_claims(const fg_facts_t *facts, unsigned depth) {
    size_t width = 0;
    for (size_t i = 0; i < facts->claims.count; i++)
        width = facts->claims.items[i].type.n > width ? facts->claims.items[i].type.n : width;
    width = width > 72 ? 72 : width;
    if (facts->claims.count > 0) {
        indent(depth + 1);
        puts("claims");
    }
    for (size_t i = 0; i < facts->claims.count; i++) {
        const fg_claim_t *claim = &facts->claims.items[i];
        indent(depth + 2);
        fg_print_safe(stdout, fg_str_trim(claim->type));
        printf("%*s  ", (int)(claim->type.n < width ? width - claim->type.n : 0), "");
        fg_print_safe(stdout, fg_str_trim(claim->value));
        putchar('\n');
    }
}

/* "ISSUER says of SUBJECT, to AUDIENCE, until TIME (in 3 hours)" */
static void print_sentence(const show_t *show, const fg_facts_t *facts, unsigned depth) {
    fg_str_t issuer = fg_facts_get(facts, "issuer"), subject = fg_facts_get(facts, "subject"),
             audience = fg_facts_join(facts, "audience"), end = fg_facts_get(facts, "not_on_or_after");
    char age[FG_FACTS_AGE_SIZE] = "";
    int64_t ms;
    indent(depth + 1);
    fg_print_safe(stdout, issuer.p ? issuer : FG_STR("somebody"));
    fputs(" about ", stdout);
    fg_print_safe(stdout, subject.p ? subject : FG_STR("a subject without a name"));
    fputs(", for ", stdout);
    fg_print_safe(stdout, audience.p ? audience : FG_STR("anybody"));
    if (end.p != NULL && fg_time_parse(fg_str_trim(end), &ms)) {
        fg_facts_age(ms, fg_now(&show->env), age);
        printf(", until %.*s (%s)", FG_STR_ARG(end), age);
    }
    putchar('\n');
}

static void print_piece(const show_t *show, const fg_piece_t *piece) {
    fg_facts_t *facts = fg_arena_alloc(show->arena, sizeof *facts);
    if (facts == NULL)
        return;
    fg_facts_read(show->arena, piece, fg_now(&show->env), facts);
    indent(piece->depth);
    printf("%s%s%s", fg_shade(FG_SHADE_TITLE), fg_piece_title(piece->kind), fg_shade(FG_SHADE_NONE));
    if (piece->how != NULL) {
        fputs(piece->kind == FG_PIECE_UNKNOWN ? " in " : ", from ", stdout);
        fg_print_safe(stdout, fg_str(piece->how));
    }
    putchar('\n');
    if (piece->kind == FG_PIECE_SAML11 || piece->kind == FG_PIECE_SAML20 || piece->kind == FG_PIECE_JWT)
        print_sentence(show, facts, piece->depth);
    for (size_t i = 0; i < facts->count; i++)
        print_fact(show, &facts->items[i], piece->depth);
    print_claims(facts, piece->depth);
    for (size_t i = 0; i < facts->warning_count; i++) {
        indent(piece->depth + 1);
        printf("%swarning:%s ", fg_shade(FG_SHADE_WARN), fg_shade(FG_SHADE_NONE));
        fg_print_safe(stdout, fg_str(facts->warnings[i]));
        putchar('\n');
    }
    if (piece->err.code != FG_OK) {
        indent(piece->depth + 1);
        printf("%s%s:%s %s: ", fg_shade(FG_SHADE_BAD), fg_reason_of(&piece->err)->code, fg_shade(FG_SHADE_NONE),
               fg_reason_of(&piece->err)->cause);
        fg_print_safe(stdout, fg_str(piece->err.detail));
        putchar('\n');
    }
}

void fg_token_print(fg_arena_t *arena, const fg_env_t *env, const fg_piece_t *root, bool reveal) {
    const show_t show = {.arena = arena, .env = *env, .reveal = reveal};
    for (const fg_piece_t *piece = root; piece != NULL; piece = fg_piece_next(piece))
        print_piece(&show, piece);
}

/* ---- for programs */

static json_t *json_text(fg_str_t text) {
    json_t *value = json_stringn(text.p ? text.p : "", text.n);
    return value != NULL ? value : json_string("(not UTF-8)");
}

/* A fact that occurs once is a string, else a list. */
static void put_fact(json_t *object, const char *name, json_t *value) {
    json_t *there = json_object_get(object, name);
    if (there == NULL) {
        json_object_set_new(object, name, value);
    } else if (json_is_array(there)) {
        json_array_append_new(there, value);
    } else {
        json_t *list = json_array();
        json_array_append(list, there);
        json_array_append_new(list, value);
        json_object_set_new(object, name, list);
    }
}

static json_t *json_of(const show_t *show, const fg_piece_t *piece) {
    fg_facts_t *facts = fg_arena_alloc(show->arena, sizeof *facts);
    json_t *object = json_pack("{s:s,s:s}", "kind", fg_piece_word(piece->kind), "title", fg_piece_title(piece->kind));
    json_t *says = json_object(), *claims = json_array(), *warnings = json_array(), *inside = json_array();
    if (facts == NULL)
        return object;
    fg_facts_read(show->arena, piece, fg_now(&show->env), facts);
    for (size_t i = 0; i < facts->count; i++) {
        const fg_fact_t *fact = &facts->items[i];
        bool hidden = fact->is_secret && !show->reveal;
        put_fact(says, fact->name,
                 json_text(hidden ? fg_str(fg_facts_shorten(show->arena, fact->value)) : fact->value));
    }
    for (size_t i = 0; i < facts->claims.count; i++)
        json_array_append_new(claims, json_pack("{s:o,s:o}", "type", json_text(facts->claims.items[i].type), "value",
                                                json_text(facts->claims.items[i].value)));
    for (size_t i = 0; i < facts->warning_count; i++)
        json_array_append_new(warnings, json_text(fg_str(facts->warnings[i])));
    for (const fg_piece_t *child = piece->first; child != NULL; child = child->next)
        json_array_append_new(inside, json_of(show, child));
    if (piece->how != NULL)
        json_object_set_new(object, "from", json_text(fg_str(piece->how)));
    json_object_set_new(object, "says", says);
    json_object_set_new(object, "claims", claims);
    json_object_set_new(object, "warnings", warnings);
    if (piece->err.code != FG_OK)
        json_object_set_new(object, "error",
                            json_pack("{s:s,s:o}", "code", fg_reason_of(&piece->err)->code, "detail",
                                      json_text(fg_str(piece->err.detail))));
    json_object_set_new(object, "inside", inside);
    return object;
}

static int print_json(const show_t *show, const fg_piece_t *root) {
    json_t *object = json_of(show, root);
    json_dumpf(object, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(object);
    return FG_CLI_OK;
}

/* ---- parts of it */

static int no_token(const show_t *show) {
    fg_cli_say("%s holds no token; 'fedgate token show' without the option tells what it is", show->path);
    return FG_CLI_UNREADABLE;
}

static int print_raw(const show_t *show, const fg_piece_t *root) {
    const fg_piece_t *piece = fg_token_innermost(root);
    fg_buf_t out = FG_BUF_INIT(FG_INPUT_MAX);
    if (piece == NULL)
        return no_token(show);
    if (piece->bytes.p != NULL)
        fg_buf_put_str(&out, piece->bytes);
    else if (!fg_xml_canonical(piece->xml, &out, NULL))
        fg_buf_reset(&out);
    fwrite(out.data, 1, out.length, stdout);
    putchar('\n');
    fg_buf_free(&out);
    return FG_CLI_OK;
}

static int print_only_claims(const show_t *show, const fg_piece_t *root) {
    const fg_piece_t *piece = fg_token_innermost(root);
    fg_facts_t *facts = fg_arena_alloc(show->arena, sizeof *facts);
    if (piece == NULL || facts == NULL)
        return no_token(show);
    fg_facts_read(show->arena, piece, fg_now(&show->env), facts);
    for (size_t i = 0; i < facts->claims.count; i++) {
        fg_print_safe(stdout, facts->claims.items[i].type);
        putchar('\t');
        fg_print_safe(stdout, facts->claims.items[i].value);
        putchar('\n');
    }
    return FG_CLI_OK;
}

/* ---- the command */

static int show_pieces(const show_t *show, const fg_piece_t *root, bool full) {
    if (show->raw)
        return print_raw(show, root);
    if (show->claims)
        return print_only_claims(show, root);
    if (show->json)
        print_json(show, root);
    for (const fg_piece_t *piece = root; piece != NULL && !show->json; piece = fg_piece_next(piece))
        print_piece(show, piece);
    if (full)
        fg_cli_say("there is more inside: at most %u pieces, %u inside one another, are shown", FG_PIECES_MAX,
                   FG_PIECES_DEPTH);
    if (root->kind != FG_PIECE_UNKNOWN)
        return root->err.code == FG_OK ? FG_CLI_OK : FG_CLI_UNREADABLE;
    const fg_reason_row_t *row =
        root->err.code != FG_OK ? fg_reason_of(&root->err) : fg_reason_get(FG_R_INPUT_UNRECOGNISED);
    fg_cli_say("%s: %s: %s: %s", show->path, row->code, row->cause, row->remedy);
    return FG_CLI_UNREADABLE;
}

static int refuse(const fg_err_t *err) {
    const fg_reason_row_t *row = fg_reason_of(err);
    fg_cli_say("%s%s%s", row->code, *row->code != '\0' ? ": " : "", err->detail);
    return FG_CLI_UNREADABLE;
}

static int read_and_show(show_t *show) {
    fg_err_t err = FG_ERR_INIT;
    fg_str_t bytes;
    for (size_t i = 0; i < show->keys.count && i < FG_DECRYPTION_KEYS; i++) {
        const fg_key_t *key = fg_input_read_key(show->arena, show->keys.values[i], &err);
        if (key == NULL)
            return fg_cli_fail(&err);
        show->decryption.keys[show->decryption.key_count++] = key;
    }
    show->decryption.limits = &fg_token_show_limits;
    if (!fg_input_read(show->arena, show->path, FG_INPUT_MAX, &bytes, &err)) {
        bool large = err.reason == FG_R_INPUT_TOO_LARGE && strcmp(show->path, "-") != 0;
        return large && fg_token_show_large(show->path, show->json, &err) ? FG_CLI_OK : refuse(&err);
    }
    fg_unwrap_t unwrap = {.arena = show->arena,
                          .limits = &fg_token_show_limits,
                          .decryption = show->keys.count > 0 ? &show->decryption : NULL};
    fg_piece_t *root = fg_piece_read(&unwrap, bytes);
    if (root != NULL)
        return show_pieces(show, root, unwrap.full);
    fg_cli_say("memory is out");
    return FG_CLI_FAILED;
}

int fg_cli_token_show(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    show_t show = {.env = *env};
    const fg_cli_option_t options[] = {{"--json", .flag = &show.json},     {"--raw", .flag = &show.raw},
                                       {"--claims", .flag = &show.claims}, {"--reveal", .flag = &show.reveal},
                                       {"--at", .value = &show.at},        {"--decrypt-key", .repeated = &show.keys}};
    fg_err_t err = FG_ERR_INIT;
    int64_t now;
    if (!fg_cli_parse(command, argc, argv, options, FG_ARRAY_SIZE(options), &show.path, 0, 1))
        return FG_CLI_USAGE;
    if (show.json + show.raw + show.claims > 1)
        return fg_cli_usage(command, "'--json', '--raw' and '--claims' exclude each other");
    if (show.at != NULL && !fg_input_time(show.at, &now))
        return fg_cli_usage(command, "'--at %s': a time as 2026-01-31T12:00:00Z, or @SECONDS, is expected", show.at);
    if (show.at != NULL)
        fg_input_set_clock(&show.env, now);
    show.path = show.path ? show.path : "-";
    if (!fg_xml_start(&err))
        return fg_cli_fail(&err);
    show.arena = fg_arena_new(FG_TOKEN_ARENA);
    int code = show.arena != NULL ? read_and_show(&show) : FG_CLI_FAILED;
    fg_arena_free(show.arena);
    return code;
}
