/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fedgate token show|verify|explain|make|diff|translate: the token debugging command. */
#ifndef FG_CLI_TOKEN_H
#define FG_CLI_TOKEN_H

#include "cli/cli.h"
#include "cli/facts.h"
#include "cli/piece.h"

int fg_cli_token_show(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);
int fg_cli_token_verify(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);
int fg_cli_token_make(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);
int fg_cli_token_translate(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);
int fg_cli_token_explain(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);

#define FG_TOKEN_ARENA (512u << 20)
/* Limits for looking at something: larger than a gateway's. */
extern const fg_xml_limits_t fg_token_show_limits;

/* Prints a tree for people, as `token show` does. */
void fg_token_print(fg_arena_t *arena, const fg_env_t *env, const fg_piece_t *root, bool reveal);
/* Lists the entities of a file of metadata, whatever its size; the memory stays small. */
bool fg_token_show_large(const char *path, bool json, fg_err_t *err) FG_MUST_CHECK;
bool fg_token_is_token(const fg_piece_t *piece);
/* The first piece that is a token; of an encrypted one that was opened, what came out; NULL: there is none. */
const fg_piece_t *fg_token_innermost(const fg_piece_t *root);

#define FG_CLI_TOKEN_SHOW_ARGUMENTS \
    "[FILE|-] [--json] [--raw] [--claims] [--reveal] [--at TIME] [--decrypt-key FILE]..."
#define FG_CLI_TOKEN_SHOW_HELP                                                                                  \
    "  FILE                 a token or whatever holds one; - or nothing: standard input\n"                      \
    "  --json               one document of JSON\n"                                                             \
    "  --raw                the innermost token alone, as it stands there\n"                                    \
    "  --claims             its claims alone, TYPE and VALUE with a tab between\n"                              \
    "  --reveal             with passwords, secrets and signatures, which are shortened otherwise\n"            \
    "  --at TIME            as if it were then: 2026-01-31T12:00:00Z or @SECONDS\n"                             \
    "  --decrypt-key FILE   a private key in PEM, to look into what is encrypted; may be given several times\n" \
    "Nothing is believed and nothing is fetched: 'fedgate token verify' tells whether it is valid.\n"

#define FG_CLI_TOKEN_VERIFY_ARGUMENTS                                                                              \
    "FILE|- [--trust FILE|URL|PARTNER]... [--issuer NAME] [--audience REALM]... [--recipient URL] [--destination " \
    "URL] "                                                                                                        \
    "[--in-response-to ID] [--nonce TEXT] [--at TIME] [--skew SECONDS] [--decrypt-key FILE]... [--allow-sha1] "    \
    "[--ca FILE]... [--crl FILE]... [--secret FILE] [--seen ID]... [--config FILE] [--for PARTNER] [--network] "   \
    "[--tls-ca FILE] [--json]"
#define FG_CLI_TOKEN_VERIFY_HELP                                                                                     \
    "  --trust WHOM          a certificate, metadata or a JWK set; its address, with --network; or the name of a "   \
    "partner\n"                                                                                                      \
    "                        of the configuration. Without it: whoever the configuration knows by the token's "      \
    "issuer\n"                                                                                                       \
    "  --issuer NAME         who must have issued it, where --trust does not say\n"                                  \
    "  --audience REALM      for whom it must be; several times: for one of these\n"                                 \
    "  --recipient URL       where it must be delivered\n"                                                           \
    "  --destination URL     for which address the message around it must be\n"                                      \
    "  --in-response-to ID   which request it must answer\n"                                                         \
    "  --nonce TEXT          which nonce an ID token must have\n"                                                    \
    "  --at TIME             when: 2026-01-31T12:00:00Z or @SECONDS (default: now)\n"                                \
    "  --skew SECONDS        how far clocks may differ (default: the configuration's, or 180)\n"                     \
    "  --decrypt-key FILE    our private key, in PEM\n"                                                              \
    "  --allow-sha1          as allow_sha1 of a partner\n"                                                           \
    "  --ca FILE, --crl FILE who vouches for certificates of signed messages, and which are revoked\n"               \
    "  --secret FILE         the secret of an OpenID 2.0 association, in base64\n"                                   \
    "  --seen ID             the id of a token that was used before\n"                                               \
    "  --config FILE         the gateway's configuration, for partners and limits\n"                                 \
    "  --for PARTNER         a relying party of it: whether its rules would have a token issued to who shows this\n" \
    "  --network             what --trust names by its address may be fetched\n"                                     \
    "  --tls-ca FILE         CAs to believe at that address, in place of the system's\n"                             \
    "  --json                verdict, reason and checks as JSON\n"                                                   \
    "Runs the gateway's own checks; what is not given is not checked. Exit code 0: valid, 1: invalid, 2: usage, 3: " \
    "input or trust cannot be read.\n"

#define FG_CLI_TOKEN_EXPLAIN_ARGUMENTS "FILE|- [--original FILE] [--canonical] [--json] [OPTIONS OF token verify]"
#define FG_CLI_TOKEN_EXPLAIN_HELP                                                                                    \
    "  --original FILE   the token as it left the sender: what differs is told\n"                                    \
    "  --canonical       print the bytes that are digested, and nothing else\n"                                      \
    "  --json            verdict, reason and findings as JSON\n"                                                     \
    "The other options are those of 'fedgate token verify'. For a digest that does not fit, what programs do to "    \
    "documents\n"                                                                                                    \
    "is undone, one thing after the other, until it fits; for a key, what is trusted and what the message names is " \
    "told;\n"                                                                                                        \
    "for times, by how much they are off. Exit codes are those of verify.\n"

#define FG_CLI_TOKEN_MAKE_ARGUMENTS                                                                      \
    "KIND --key FILE --issuer NAME --audience REALM [--subject NAME] [--claims FILE] [--recipient URL] " \
    "[--in-response-to ID] [--nonce TEXT] [--id ID] [--at TIME] [--lifetime SECONDS]"
#define FG_CLI_TOKEN_MAKE_HELP                                                                                       \
    "  KIND                 saml11, saml20, jwt, wresult (WS-Federation), rstrc (WS-Trust 1.3) or response (SAML "   \
    "2.0)\n"                                                                                                         \
    "  --key FILE           who signs: key and certificate in PEM\n"                                                 \
    "  --issuer NAME, --audience REALM, --subject NAME\n"                                                            \
    "                       who says it, for whom, about whom\n"                                                     \
    "  --claims FILE        what: {\"role\":[\"a\",\"b\"]} or [{\"type\":…,\"value\":…}], short names or URIs\n" \
    "  --recipient URL, --in-response-to ID, --nonce TEXT, --id ID\n"                                                \
    "                       as the formats have them\n"                                                              \
    "  --at TIME            issued then: the same command then makes the same token\n"                               \
    "  --lifetime SECONDS   (default 3600)\n"                                                                        \
    "For tests: nobody should trust the key. 'openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem "   \
    "-subj /CN=test; cat c.pem >>k.pem' makes one.\n"
#define FG_CLI_TOKEN_TRANSLATE_HELP                                                                                \
    "  FILE              a token, in whatever it is wrapped; nothing in it is verified\n"                          \
    "  --partner NAME    for whom: the title of a partner section\n"                                               \
    "  --to FORMAT       saml11, saml20 (default) or jwt: the names of claims are those of the format\n"           \
    "  --config FILE     the gateway's configuration (default " FG_CLI_CONFIG ")\n"                                \
    "  --json            as JSON\n"                                                                                \
    "Applies the acceptance rules of the token's issuer and the rules of the partner, and tells which claims are " \
    "kept, made and dropped.\n"

#endif
