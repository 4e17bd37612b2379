/* SPDX-License-Identifier: GPL-2.0-or-later
 * The command as one runs it: exit codes, help, spelling, and the key ring of a configured gateway.
 * Runs ./fedgate: the tests run in the build folder. */
#include "tests/unit/support.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/crypto.h"
#include "core/file.h"
#include "core/json.h"
#include "hub/keyring.h"

extern char **environ;

static char base[64], out_text[8192], err_text[8192];

static void path_in(const char *name, char path[256]) { snprintf(path, 256, "%s/%s", base, name); }

static void read_text(const char *name, char text[8192]) {
    char path[256];
    fg_buf_t buf = FG_BUF_INIT(8191);
    path_in(name, path);
    assert_true(fg_file_read(path, &buf, NULL, NULL));
    snprintf(text, 8192, "%s", fg_buf_str(&buf).p);
    fg_buf_free(&buf);
}

/* Runs the command with the words of a line; what it writes is in out_text and err_text. Returns its exit code. */
static int run(const char *line) {
    char name[] = "fedgate", words[512], out[256], err[256], *argv[20] = {name};
    size_t count = 1;
    snprintf(words, sizeof words, "%s", line);
    for (char *word = words, *rest; *word != '\0' && count < 19; word = rest) {
        rest = word + strcspn(word, " ");
        if (*rest != '\0')
            *rest++ = '\0';
        argv[count++] = word;
    }
    path_in("out", out);
    path_in("err", err);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, err, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    pid_t pid;
    int status = -1;
    assert_int_equal(posix_spawn(&pid, "./fedgate", &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    read_text("out", out_text);
    read_text("err", err_text);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void assert_holds(const char *text, const char *part) {
    if (strstr(text, part) == NULL)
        fail_msg("'%s' does not hold '%s'", text, part);
}

static int setup(void **state) {
    (void)state;
    fg_json_start();
    snprintf(base, sizeof base, "/tmp/fedgate-test-XXXXXX");
    return fg_crypto_start() && mkdtemp(base) != NULL ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    char rm[] = "rm", all[] = "-rf", *argv[] = {rm, all, base, NULL};
    pid_t pid;
    int status = -1;
    fg_crypto_stop();
    return posix_spawnp(&pid, "rm", NULL, NULL, argv, environ) == 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

static void usage_is_told_with_exit_code_2(void **state) {
    (void)state;
    static const char *rows[][2] = {
        {"", "a command is missing"},
        {"kyes list", "did you mean 'keys'"},
        {"keys lst", "did you mean 'keys list'"},
        {"keys", "wants a second word"},
        {"banana", "see 'fedgate help'"},
        {"help banana", "no command 'banana'"},
        {"keys list --cofnig x", "did you mean '--config'"},
        {"keys list --banana", "no option '--banana'"},
        {"keys list --config", "wants a value"},
        {"keys list --config=a --config b", "given twice"},
        {"keys roll --now=yes", "takes no value"},
        {"keys list extra", "one argument too many"},
        {"keys list -- --config", "one argument too many"},
        {"keys roll --use banana", "signing or encryption"},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        assert_int_equal(run(rows[i][0]), 2);
        assert_holds(err_text, rows[i][1]);
        assert_string_equal(out_text, "");
    }
}

static void help_goes_to_standard_output(void **state) {
    (void)state;
    static const char *rows[][2] = {
        {"--version", "fedgate "},          {"help", "keys roll"},         {"--help", "keys roll"},       {"help keys", "keys roll"},
        {"keys --help", "keys roll"},       {"help keys roll", "--now"},   {"keys roll --help", "--now"}, {"--help keys roll", "--now"},
        {"help help", "usage: fedgate help"}, {"help --help", "Commands:"},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        assert_int_equal(run(rows[i][0]), 0);
        assert_holds(out_text, rows[i][1]);
        assert_string_equal(err_text, "");
    }
}

static const char *with_config(const char *words) {
    static char line[400];
    snprintf(line, sizeof line, "%s --config %s/gateway.conf", words, base);
    return line;
}

static void write_config(void) {
    char path[256], text[1024];
    const char *source = getenv("FEDGATE_SRCDIR");
    fg_err_t err = FG_ERR_INIT;
    path_in("users.json", path);
    assert_true(fg_file_replace(path, FG_STR("{\"users\": []}"), 0600, &err));
    path_in("gateway.conf", path);
    snprintf(text, sizeof text,
             "base_url = \"https://fs.example.com\"\nstate = \"%s\"\npages = \"%s/etc/pages\"\n"
             "keys { signing = \"ec-p256\" }\ndirectory people { type = \"file\" path = \"%s/users.json\" }\n",
             base, source ? source : ".", base);
    assert_true(fg_file_replace(path, fg_str(text), 0600, &err));
}

/* Lines of the listing for a use and a state, as printed. */
static int count_lines(const char *use, const char *key_state) {
    char wanted[64];
    int count = 0;
    snprintf(wanted, sizeof wanted, "%-10s  %-8s ", use, key_state);
    for (const char *at = out_text; (at = strstr(at, wanted)) != NULL; at++)
        count++;
    return count;
}

static void keys_are_listed_rolled_and_forgotten(void **state) {
    (void)state;
    char folder[256];
    test_env_t test;
    fg_err_t err = FG_ERR_INIT;
    assert_int_equal(run(with_config("keys list")), 3);
    assert_holds(err_text, "No such file");
    write_config();
    assert_int_equal(run(with_config("keys list")), 3);
    assert_holds(err_text, "there are no keys yet");
    test_env_init(&test);
    path_in("keys", folder);
    fg_keyring_t *ring = fg_keyring_open(folder, &(fg_keyring_rules_t){.signing_type = FG_KEY_EC_P256}, true, (unsigned)-1, (unsigned)-1, &test.env, &err);
    assert_non_null(ring);
    assert_int_equal(run(with_config("keys list")), 0);
    assert_int_equal(count_lines("signing", "active"), 1);
    assert_int_equal(count_lines("encryption", "active"), 1);
    assert_int_equal(count_lines("signing", "next"), 0);
    assert_holds(out_text, "ec-p256");
    assert_int_equal(run(with_config("keys roll --use signing")), 0);
    assert_int_equal(count_lines("signing", "next"), 1);
    assert_int_equal(count_lines("encryption", "next"), 0);
    assert_int_equal(run(with_config("keys roll --now")), 0);
    assert_int_equal(count_lines("signing", "previous"), 1);
    assert_int_equal(count_lines("encryption", "previous"), 1);
    fg_keyring_refresh(ring, &test.env); /* the running gateway takes it over */
    fg_keys_t *keys = fg_keyring_acquire(ring);
    assert_holds(out_text, fg_key_get_id(keys->signing[FG_KEY_ACTIVE]));
    assert_non_null(keys->signing[FG_KEY_PREVIOUS]);
    fg_keys_release(ring, keys);
    assert_int_equal(run(with_config("keys forget")), 0);
    assert_int_equal(count_lines("signing", "previous"), 0);
    fg_keyring_free(ring);
}

/* ---- policy explain */

static const char *file_in(const char *name, const char *text) {
    static char paths[8][256];
    static unsigned next;
    char *path = paths[next++ % 8];
    path_in(name, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    return path;
}

static int explain(const char *policy, const char *options) {
    char line[500];
    snprintf(line, sizeof line, "policy explain %s %s", policy, options);
    return run(line);
}

static void a_policy_is_explained(void **state) {
    char options[400];
    const char *policy = file_in("a.rules", "@alias team = \"urn:team\"\n@alias size = \"urn:fedgate:request:json:spec.size\"\n"
                                            "@RuleName = \"small\"\n[team == \"x\", Issuer == \"i\"] && [size == \"3\"] => permit();\n"
                                            "[path =~ \"^/shut/\"] => deny(\"it is shut\");\n"
                                            "[method == \"GET\"] && [hour == \"12\"] && [role == \"a\"] && [host == \"h\"] && [query == \"q\"]"
                                            "&& [client_address == \"::1\"] => permit();\n"
                                            "[operation == \"Identify\"] && exists([role]) => permit();\n");
    (void)state;
    assert_int_equal(explain(policy, ""), 1);
    assert_holds(out_text, "denied: no rule permits it\nclosest:\n");
    assert_int_equal(explain(policy, "--path /shut/door --claim team=x"), 1);
    assert_holds(out_text, "/a.rules:5: it is shut\n  holds [path =~ \"^/shut/\"] by path = /shut/door\n");
    assert_int_equal(explain(policy, "--method GET --time 2026-01-31T12:59:00Z --claim=role=a --host h --query q --address ::1"), 0);
    assert_holds(out_text, "permitted by ");
    assert_int_equal(explain(policy, "--method GET --time 2026-01-31T13:00:00Z --claim=role=a --host h --query q --address ::1"), 1);
    assert_holds(out_text, "  fails [hour == \"12\"]: hour is 13\n");
    snprintf(options, sizeof options, "--json --claims %s --json-body %s",
             file_in("c.json", "[{\"type\":\"team\",\"value\":\"x\",\"issuer\":\"i\"}]"), file_in("b.json", "{\"spec\":{\"size\":3}}"));
    assert_int_equal(explain(policy, options), 0);
    assert_holds(out_text, "{\"permitted\":true,\"file\":");
    assert_holds(out_text, "/a.rules\",\"line\":4,\"rule\":\"small\",\"reason\":\"\",\"explanation\":\"permitted by ");
    snprintf(options, sizeof options, "--claims %s --wsman %s", file_in("c.json", "{\"role\":[\"b\",\"c\"],\"urn:x\":\"y\"}"),
             file_in("w.xml", "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Header/><s:Body><i:Identify "
                              "xmlns:i=\"http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd\"/></s:Body></s:Envelope>"));
    assert_int_equal(explain(policy, options), 0);
    assert_holds(out_text, "  holds exists([role]) by role = b\n");
}

/* Which attribute stores there are only the configuration knows. */
static void stores_of_any_name_are_taken(void **state) {
    char line[400];
    const char *policy = file_in("s.rules", "[role] => add(store = \"people\", types = (\"urn:x\"), query = \";mail;a\");\n=> permit();");
    (void)state;
    snprintf(line, sizeof line, "policy check %s", policy);
    assert_int_equal(run(line), 0);
    assert_int_equal(explain(policy, ""), 0);
    assert_int_equal(explain(policy, "--claim role=x"), 1);
    assert_holds(err_text, "/s.rules:1: rule \"\": its attribute store is not there");
}

static void a_policy_that_cannot_be_asked(void **state) {
    const char *policy = file_in("a.rules", "=> permit();"), *text = file_in("c.json", "{\"role\":[1]}");
    char options[400];
    (void)state;
    assert_int_equal(explain(policy, "--claim rolle=x"), 2);
    assert_holds(err_text, "--claim: found \"rolle\", expected an alias or the URI of a claim type; did you mean \"role\"?");
    assert_int_equal(explain(policy, "--claim role"), 2);
    assert_holds(err_text, "--claim: found \"role\", expected TYPE=VALUE");
    assert_int_equal(explain(policy, "--claim"), 2);
    assert_int_equal(explain(policy, "--time noon"), 2);
    assert_holds(err_text, "expected a time as 2026-01-31T12:00:00Z");
    assert_int_equal(run("policy explain"), 2);
    assert_int_equal(explain("/nowhere/a.rules", ""), 3);
    snprintf(options, sizeof options, "--claims %s", text);
    assert_int_equal(explain(policy, options), 3);
    assert_holds(err_text, "/c.json: role: expected a text or a list of texts");
    snprintf(options, sizeof options, "--wsman %s", text);
    assert_int_equal(explain(policy, options), 3);
    assert_holds(err_text, "/c.json: ");
    snprintf(options, sizeof options, "--json-body %s", file_in("b.json", "{"));
    assert_int_equal(explain(policy, options), 3);
    assert_holds(err_text, "/b.json: ");
    assert_int_equal(explain(file_in("b.rules", "=> permt();"), ""), 3);
    assert_holds(err_text, "/b.rules:1:4: found \"permt\", expected issue, add, permit or deny");
    assert_string_equal(out_text, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(usage_is_told_with_exit_code_2, setup, teardown),
        cmocka_unit_test_setup_teardown(help_goes_to_standard_output, setup, teardown),
        cmocka_unit_test_setup_teardown(keys_are_listed_rolled_and_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(a_policy_is_explained, setup, teardown),
        cmocka_unit_test_setup_teardown(stores_of_any_name_are_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(a_policy_that_cannot_be_asked, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
