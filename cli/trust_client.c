/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/trust_client.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/fetch.h"
#include "cli/input.h"
#include "cli/token.h"
#include "core/time.h"
#include "core/xmldsig.h"
#include "core/xmlwriter.h"

#define MESSAGE_MAX (2u << 20)
#define WSS_1_0 "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
#define PASSWORD_TEXT WSS_1_0 "username-token-profile-1.0#PasswordText"
#define X509_V3 WSS_1_0 "x509-token-profile-1.0#X509v3"
#define BASE64_BINARY WSS_1_0 "soap-message-security-1.0#Base64Binary"
#define NO_PROOF_2005 "http://schemas.xmlsoap.org/ws/2005/05/identity/NoProofKey"

typedef struct client {
    const char *url, *user, *password_file, *certificate, *with_token, *version, *soap, *ca, *applies_to, *token_type,
        *on_behalf_of, *token;
    bool show_request, raw, renewable;
    const char *verb; /* "Issue" */
    fg_arena_t *arena;
    fg_env_t env;
    fg_str_t password;
    fg_xns_t s, trust;
    fg_str_t subject; /* the token that --token or --on-behalf-of names, as XML */
} client_t;

static const fg_xns_t ns_a = {"a", FG_NS_WSA}, ns_o = {"o", FG_NS_WSSE}, ns_u = {"u", FG_NS_WSU},
                      ns_p = {"wsp", FG_NS_WSP};

/* ---- who asks */

static bool read_password(client_t *c, fg_err_t *err) {
    if (c->user == NULL)
        return true;
    if (c->password_file != NULL) {
        fg_str_t bytes;
        if (!fg_input_read(c->arena, c->password_file, 4096, &bytes, err))
            return false;
        while (bytes.n > 0 && (bytes.p[bytes.n - 1] == '\n' || bytes.p[bytes.n - 1] == '\r'))
            bytes.n--;
        c->password = bytes;
        return true;
    }
    const char *text = isatty(STDIN_FILENO) ? getpass("Password: ") : NULL;
    if (text == NULL)
        return FG_FAIL(err, FG_E_FILE, "no terminal to ask for the password: name a file by --password-file");
    c->password = fg_arena_str(c->arena, fg_str(text));
    return true;
}

/* The assertion (or JWT) that a file holds, as it can stand in a message. */
static bool read_token(const client_t *c, const char *path, fg_str_t *xml, fg_err_t *err) {
    fg_str_t bytes;
    fg_unwrap_t unwrap = {.arena = c->arena, .limits = &fg_token_show_limits};
    if (!fg_input_read(c->arena, path, FG_INPUT_MAX, &bytes, err))
        return false;
    const fg_piece_t *piece = fg_piece_read(&unwrap, bytes);
    while (piece != NULL && !fg_token_is_token(piece))
        piece = fg_piece_next(piece);
    fg_buf_t out = FG_BUF_INIT(MESSAGE_MAX);
    if (piece != NULL && piece->kind == FG_PIECE_JWT) {
        fg_buf_puts(&out, "<o:BinarySecurityToken xmlns:o=\"" FG_NS_WSSE "\" EncodingType=\"" BASE64_BINARY
                          "\" ValueType=\"urn:ietf:params:oauth:token-type:jwt\">");
        fg_base64_encode(&out, piece->bytes.p, piece->bytes.n);
        fg_buf_puts(&out, "</o:BinarySecurityToken>");
    } else if (piece == NULL || piece->xml == NULL || !fg_xml_canonical(piece->xml, &out, NULL)) {
        fg_buf_reset(&out);
    }
    *xml = out.length > 0 ? fg_arena_str(c->arena, fg_buf_str(&out)) : FG_STR_NONE;
    fg_buf_free(&out);
    return xml->p != NULL || FG_FAIL(err, FG_E_FILE, "%s holds no token", path);
}

static void put_username(const client_t *c, fg_xw_t *w) {
    fg_xw_start(w, &ns_o, "UsernameToken");
    fg_xw_leafz(w, &ns_o, "Username", c->user);
    fg_xw_start(w, &ns_o, "Password");
    fg_xw_attrz(w, "Type", PASSWORD_TEXT);
    fg_xw_text(w, c->show_request ? FG_STR("********") : c->password);
    fg_xw_end(w);
    fg_xw_end(w);
}

/* The Timestamp alone, as a part that can be signed. */
static void write_timestamp(const client_t *c, fg_buf_t *out) {
    char created[FG_TIME_SIZE], expires[FG_TIME_SIZE];
    fg_xw_t w;
    fg_time_format(fg_now(&c->env), created);
    fg_time_format(fg_now(&c->env) + 5 * FG_MINUTE, expires);
    fg_xw_init(&w, out);
    fg_xw_start(&w, &ns_u, "Timestamp");
    fg_xw_attr_ns(&w, &ns_u, "Id", FG_STR("_0"));
    fg_xw_leafz(&w, &ns_u, "Created", created);
    fg_xw_leafz(&w, &ns_u, "Expires", expires);
    fg_xw_end(&w);
}

/* To alone, likewise: for whom a signed message is is part of what it says. */
static void write_to(const client_t *c, fg_buf_t *out) {
    fg_xw_t w;
    fg_xw_init(&w, out);
    fg_xw_start(&w, &ns_a, "To");
    fg_xw_attr_ns(&w, &c->s, "mustUnderstand", FG_STR("1"));
    fg_xw_attr_ns(&w, &ns_u, "Id", FG_STR("_2"));
    fg_xw_textz(&w, c->url);
    fg_xw_end(&w);
}

/* WS-SecurityPolicy's endorsing signature: by the certificate, over the Timestamp and To. */
static bool put_signature(const client_t *c, fg_str_t timestamp, fg_str_t to, fg_xw_t *w, fg_err_t *err) {
    const fg_key_t *key = fg_input_read_key(c->arena, c->certificate, err);
    fg_buf_t out = FG_BUF_INIT(MESSAGE_MAX);
    if (key == NULL)
        return false;
    if (!fg_key_is_private(key) || fg_key_get_x509(key) == NULL)
        return FG_FAIL(err, FG_E_FILE, "%s: key and certificate are needed", c->certificate);
    fg_xw_start(w, &ns_o, "BinarySecurityToken");
    fg_xw_attrz(w, "EncodingType", BASE64_BINARY);
    fg_xw_attrz(w, "ValueType", X509_V3);
    fg_xw_attr_ns(w, &ns_u, "Id", FG_STR("_1"));
    fg_xw_text(w, fg_key_get_certificate_base64(key));
    fg_xw_end(w);
    const fg_dsig_part_t parts[] = {{FG_STR("_0"), timestamp}, {FG_STR("_2"), to}};
    const fg_dsig_signer_t signer = {.key = key,
                                     .key_info = FG_STR("<o:SecurityTokenReference xmlns:o=\"" FG_NS_WSSE
                                                        "\"><o:Reference URI=\"#_1\" ValueType=\"" X509_V3
                                                        "\"></o:Reference></o:SecurityTokenReference>")};
    bool good = fg_dsig_sign_parts(parts, FG_ARRAY_SIZE(parts), &signer, &out, err);
    if (good)
        fg_xw_raw(w, fg_arena_str(c->arena, fg_buf_str(&out)));
    fg_buf_free(&out);
    return good;
}

static bool put_security(const client_t *c, fg_str_t to, fg_xw_t *w, fg_err_t *err) {
    fg_buf_t timestamp = FG_BUF_INIT(1024);
    fg_str_t token;
    bool good = true;
    write_timestamp(c, &timestamp);
    fg_xw_start(w, &ns_o, "Security");
    fg_xw_attr_ns(w, &c->s, "mustUnderstand", FG_STR("1"));
    fg_xw_raw(w, fg_arena_str(c->arena, fg_buf_str(&timestamp)));
    if (c->user != NULL)
        put_username(c, w);
    if (c->with_token != NULL && (good = read_token(c, c->with_token, &token, err)))
        fg_xw_raw(w, token);
    if (good && c->certificate != NULL)
        good = put_signature(c, fg_buf_str(&timestamp), to, w, err);
    fg_xw_end(w);
    fg_buf_free(&timestamp);
    return good;
}

/* ---- what is asked */

static const char *token_type(const client_t *c) {
    static const char *const types[][2] = {
        {"saml11", FG_NS_SAML1}, {"saml20", FG_NS_SAML2}, {"jwt", "urn:ietf:params:oauth:token-type:jwt"}};
    for (size_t i = 0; i < FG_ARRAY_SIZE(types); i++)
        if (c->token_type != NULL && strcmp(c->token_type, types[i][0]) == 0)
            return types[i][1];
    return c->token_type;
}

static void put_request(const client_t *c, fg_xw_t *w) {
    bool issue = strcmp(c->verb, "Issue") == 0, thirteen = strcmp(c->trust.uri, FG_NS_TRUST_13) == 0;
    const char *request_type = fg_arena_printf(c->arena, "%s/%s", c->trust.uri, c->verb);
    const char *target = fg_arena_printf(c->arena, "%sTarget", c->verb);
    fg_xw_start(w, &c->trust, "RequestSecurityToken");
    if (token_type(c) != NULL)
        fg_xw_leafz(w, &c->trust, "TokenType", token_type(c));
    else if (strcmp(c->verb, "Validate") == 0)
        fg_xw_leafz(w, &c->trust, "TokenType", fg_arena_printf(c->arena, "%s/RSTR/Status", c->trust.uri));
    fg_xw_leafz(w, &c->trust, "RequestType", request_type ? request_type : "");
    if (c->applies_to != NULL) {
        fg_xw_start(w, &ns_p, "AppliesTo");
        fg_xw_start(w, &ns_a, "EndpointReference");
        fg_xw_leafz(w, &ns_a, "Address", c->applies_to);
        fg_xw_end(w);
        fg_xw_end(w);
    }
    if (issue)
        fg_xw_leafz(w, &c->trust, "KeyType", thirteen ? FG_NS_TRUST_13 "/Bearer" : NO_PROOF_2005);
    if (c->renewable) {
        fg_xw_start(w, &c->trust, "Renewing");
        fg_xw_end(w);
    }
    if (c->subject.n > 0) {
        fg_xw_start(w, &c->trust, issue ? "OnBehalfOf" : target);
        fg_xw_raw(w, c->subject);
        fg_xw_end(w);
    }
    fg_xw_end(w);
}

static bool write_message(const client_t *c, fg_buf_t *out, fg_err_t *err) {
    char id[FG_ID_SIZE];
    fg_xw_t w;
    if (!fg_id_uuid(&c->env, id))
        return FG_FAIL(err, FG_E_INTERNAL, "no randomness");
    fg_xw_init(&w, out);
    fg_xw_start(&w, &c->s, "Envelope");
    fg_xw_start(&w, &c->s, "Header");
    fg_xw_start(&w, &ns_a, "Action");
    fg_xw_attr_ns(&w, &c->s, "mustUnderstand", FG_STR("1"));
    const char *action = fg_arena_printf(c->arena, "%s/RST/%s", c->trust.uri, c->verb);
    fg_xw_textz(&w, action ? action : "");
    fg_xw_end(&w);
    const char *message = fg_arena_printf(c->arena, "urn:uuid:%s", id);
    fg_xw_leafz(&w, &ns_a, "MessageID", message ? message : "");
    fg_xw_start(&w, &ns_a, "ReplyTo");
    fg_xw_leafz(&w, &ns_a, "Address", "http://www.w3.org/2005/08/addressing/anonymous");
    fg_xw_end(&w);
    fg_buf_t part = FG_BUF_INIT(MESSAGE_MAX);
    write_to(c, &part);
    fg_str_t to = fg_arena_str(c->arena, fg_buf_str(&part));
    fg_buf_free(&part);
    fg_xw_raw(&w, to);
    if (!put_security(c, to, &w, err))
        return false;
    fg_xw_end(&w);
    fg_xw_start(&w, &c->s, "Body");
    put_request(c, &w);
    fg_xw_end(&w);
    fg_xw_end(&w);
    return fg_xw_ok(&w) || FG_FAIL(err, FG_E_FILE, "a value holds what XML cannot carry");
}

/* ---- the answer */

/* WS-Security 1.1 §12, WS-Trust 1.3 §11, WS-Addressing 1.0 SOAP §6.4: by the local name of the code. */
static const struct {
    const char *code, *meaning;
} faults[] = {
    {"FailedAuthentication", "the user name or the password is wrong, the account is locked, or the proof is missing"},
    {"FailedCheck", "a signature or an encryption did not hold: wrong certificate, or something changed the message"},
    {"InvalidSecurityToken",
     "the token that was shown is not accepted: expired, for somebody else, or from nobody known"},
    {"InvalidSecurity", "the Security header is not what the endpoint's policy asks for: see its MEX document"},
    {"UnsupportedSecurityToken", "the endpoint takes another kind of token: see its MEX document"},
    {"SecurityTokenUnavailable", "a token that the message refers to is not in it"},
    {"MessageExpired", "the clocks differ, or the message was held up: compare them with 'fedgate probe'"},
    {"InvalidRequest", "the request is not built as the service wants it"},
    {"BadRequest", "the service does not understand a part of the request"},
    {"InvalidScope", "AppliesTo is no relying party that is registered there: compare it byte by byte"},
    {"RequestFailed", "the service refuses: this account may not have such a token, or the token type is not served"},
    {"ExpiredData", "the token that was shown has expired"},
    {"InvalidTimeRange", "the lifetime that was asked for is not served"},
    {"UnableToRenew", "the token cannot be renewed any more: have a new one issued"},
    {"MustUnderstand", "the service does not know a header that it must understand"},
    {"ActionNotSupported", "the endpoint serves another version or another kind of request: see --version and the URL"},
    {"DestinationUnreachable", "there is no such endpoint"},
    {"EndpointUnavailable", "the service is busy: try again"},
};

static void explain_fault(const fg_facts_t *facts) {
    for (size_t i = facts->count; i-- > 0;) {
        fg_str_t code = facts->items[i].value;
        const char *colon = strcmp(facts->items[i].name, "fault_code") == 0 ? memchr(code.p, ':', code.n) : NULL;
        fg_str_t local = colon ? (fg_str_t){colon + 1, code.n - (size_t)(colon + 1 - code.p)} : code;
        for (size_t k = 0; strcmp(facts->items[i].name, "fault_code") == 0 && k < FG_ARRAY_SIZE(faults); k++)
            if (fg_str_is(local, faults[k].code)) {
                fg_cli_say("refused: %s: %s", faults[k].code, faults[k].meaning);
                return;
            }
    }
    fg_cli_say("refused");
}

static int judge_answer(const client_t *c, const fg_http_response_t *response) {
    fg_unwrap_t unwrap = {.arena = c->arena, .limits = &fg_token_show_limits};
    const fg_piece_t *root = fg_piece_read(&unwrap, response->body), *fault = root;
    fg_facts_t *facts = fg_arena_alloc(c->arena, sizeof *facts);
    if (c->raw)
        printf("%.*s\n", (int)response->body.n, response->body.p);
    if (root == NULL || facts == NULL)
        return FG_CLI_FAILED;
    if (!c->raw)
        fg_token_print(c->arena, &c->env, root, false);
    while (fault != NULL && fault->kind != FG_PIECE_FAULT)
        fault = fg_piece_next(fault);
    if (fault != NULL) {
        fg_facts_read(c->arena, fault, fg_now(&c->env), facts);
        explain_fault(facts);
        return FG_CLI_FAILED;
    }
    if (response->status != 200 || root->kind != FG_PIECE_SOAP) {
        fg_cli_say("%s answers %d, no SOAP message: is it a WS-Trust endpoint?", c->url, response->status);
        return FG_CLI_FAILED;
    }
    /* Validate: the answer itself is a success, the verdict stands in it */
    for (const fg_piece_t *piece = root; piece != NULL; piece = fg_piece_next(piece)) {
        if (piece->kind != FG_PIECE_RSTR)
            continue;
        fg_facts_read(c->arena, piece, fg_now(&c->env), facts);
        if (fg_str_is(fg_facts_get(facts, "status"), "invalid"))
            return FG_CLI_FAILED;
    }
    return FG_CLI_OK;
}

static int send_message(const client_t *c, fg_str_t message) {
    const bool twelve = strcmp(c->s.uri, FG_NS_SOAP12) == 0;
    const char *action = fg_arena_printf(c->arena, "%s/RST/%s", c->trust.uri, c->verb);
    const char *type =
        fg_arena_printf(c->arena, "application/soap+xml; charset=utf-8; action=\"%s\"", action ? action : "");
    const char *quoted = fg_arena_printf(c->arena, "\"%s\"", action ? action : "");
    const fg_http_field_t headers[] = {
        {FG_STR("Content-Type"), twelve ? fg_str(type) : FG_STR("text/xml; charset=utf-8")},
        {FG_STR("SOAPAction"), fg_str(quoted)}};
    const fg_http_request_t request = {
        .method = "POST", .url = fg_str(c->url), .headers = headers, .header_count = twelve ? 1 : 2, .body = message};
    fg_http_response_t response;
    fg_err_t err = FG_ERR_INIT;
    if (fg_fetch(&c->env, c->arena, c->ca, &request, &response, &err))
        return judge_answer(c, &response);
    fg_cli_say("%s", err.detail);
    return FG_CLI_UNREADABLE;
}

/* ---- the commands */

static int run(client_t *c) {
    const char *subject = c->token != NULL ? c->token : c->on_behalf_of;
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t message = FG_BUF_INIT(MESSAGE_MAX);
    if (!fg_xml_start(&err) || (!c->show_request && !read_password(c, &err)) ||
        (subject != NULL && !read_token(c, subject, &c->subject, &err)) || !write_message(c, &message, &err)) {
        fg_buf_free(&message);
        return fg_cli_fail(&err);
    }
    fg_str_t text = fg_arena_str(c->arena, fg_buf_str(&message));
    fg_buf_free(&message);
    if (!c->show_request)
        return send_message(c, text);
    printf("%.*s\n", (int)text.n, text.p);
    return FG_CLI_OK;
}

static bool choose_versions(const fg_cli_command_t *command, client_t *c) {
    bool old = c->version != NULL ? strcmp(c->version, "2005") == 0 : strstr(c->url, "/2005/") != NULL;
    if (c->version != NULL && !old && strcmp(c->version, "13") != 0)
        return fg_cli_usage(command, "'--version %s': 13 or 2005 is expected", c->version), false;
    if (c->soap != NULL && strcmp(c->soap, "1.2") != 0 && strcmp(c->soap, "1.1") != 0)
        return fg_cli_usage(command, "'--soap %s': 1.2 or 1.1 is expected", c->soap), false;
    c->trust = (fg_xns_t){"trust", old ? FG_NS_TRUST_2005 : FG_NS_TRUST_13};
    c->s = (fg_xns_t){"s", c->soap != NULL && strcmp(c->soap, "1.1") == 0 ? FG_NS_SOAP11 : FG_NS_SOAP12};
    return true;
}

static int start(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv, const char *verb) {
    client_t c = {.env = *env, .verb = verb};
    bool issue = strcmp(verb, "Issue") == 0;
    const fg_cli_option_t options[] = {
        {"--user", .value = &c.user},
        {"--password-file", .value = &c.password_file},
        {"--certificate", .value = &c.certificate},
        {"--with-token", .value = &c.with_token},
        {"--version", .value = &c.version},
        {"--soap", .value = &c.soap},
        {"--ca", .value = &c.ca},
        {"--show-request", .flag = &c.show_request},
        {"--raw", .flag = &c.raw},
        {"--renewable", .flag = &c.renewable},
        {"--applies-to", .value = &c.applies_to},
        {"--token-type", .value = &c.token_type},
        {issue ? "--on-behalf-of" : "--token", .value = issue ? &c.on_behalf_of : &c.token}};
    if (!fg_cli_parse(command, argc, argv, options, FG_ARRAY_SIZE(options), &c.url, 1, 1) ||
        !choose_versions(command, &c))
        return FG_CLI_USAGE;
    if (c.user == NULL && c.certificate == NULL && c.with_token == NULL)
        return fg_cli_usage(command, "who asks? --user, --certificate or --with-token is needed");
    if (c.token_type != NULL && strchr(token_type(&c), ':') == NULL)
        return fg_cli_usage(command, "'--token-type %s': saml11, saml20, jwt or a URI is expected", c.token_type);
    if (!issue && c.token == NULL)
        return fg_cli_usage(command, "--token is needed: which token");
    c.arena = fg_arena_new(FG_TOKEN_ARENA);
    int code = c.arena != NULL ? run(&c) : FG_CLI_FAILED;
    fg_arena_free(c.arena);
    return code;
}

int fg_cli_trust_issue(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    return start(command, env, argc, argv, "Issue");
}

int fg_cli_trust_renew(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    return start(command, env, argc, argv, "Renew");
}

int fg_cli_trust_cancel(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    return start(command, env, argc, argv, "Cancel");
}

int fg_cli_trust_validate(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    return start(command, env, argc, argv, "Validate");
}
