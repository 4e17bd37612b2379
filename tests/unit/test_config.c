/* SPDX-License-Identifier: GPL-2.0-or-later
 * gateway.conf: what is read, and how what is wrong is named. */
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/http.h"
#include "core/time.h"
#include "gateway/config_check.h"
#include "token/claims.h"

typedef struct fixture {
    char folder[64];
    char path[96];
    fg_arena_t *arena;
    fg_config_t config;
    fg_err_t err;
} fixture_t;

static int setup(void **state) {
    fixture_t *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -1;
    snprintf(f->folder, sizeof f->folder, "/tmp/fedgate-config-XXXXXX");
    f->arena = fg_arena_new(0);
    *state = f;
    if (mkdtemp(f->folder) == NULL)
        return -1;
    snprintf(f->path, sizeof f->path, "%s/gateway.conf", f->folder);
    return 0;
}

static void remove_file(fixture_t *f, const char *name) {
    char path[200];
    snprintf(path, sizeof path, "%s/%s", f->folder, name);
    remove(path);
}

static int teardown(void **state) {
    fixture_t *f = *state;
    static const char *const names[] = {"gateway.conf", "partners.d/b.conf", "partners.d/a.conf", "partners.d", ""};
    for (size_t i = 0; i < FG_ARRAY_SIZE(names); i++)
        remove_file(f, names[i]);
    fg_arena_free(f->arena);
    free(f);
    return 0;
}

static void write_file(fixture_t *f, const char *name, const char *text) {
    char path[200];
    snprintf(path, sizeof path, "%s/%s", f->folder, name);
    test_write(path, fg_str(text));
}

static bool read_text(fixture_t *f, const char *text) {
    write_file(f, "gateway.conf", text);
    f->err = (fg_err_t)FG_ERR_INIT;
    return fg_config_read(f->arena, f->path, &f->config, &f->err) && fg_config_check(&f->config, &f->err);
}

/* ---- what is right */

static void the_least_configuration_has_the_defaults(void **state) {
    fixture_t *f = *state;
    const fg_config_t *c = &f->config;
    if (!read_text(f, "base_url = \"https://FS.Example.com:443/\"\n"))
        fail_msg("%s", f->err.detail);
    assert_true(fg_str_is(c->base_url, "https://fs.example.com"));
    assert_null(c->entity_id.p);
    assert_string_equal(c->colour, "#1f6feb");
    assert_null(c->audit_log);
    assert_int_equal(c->store_size, 8 << 20);
    assert_int_equal(c->skew_ms, 3 * FG_MINUTE);
    assert_int_equal(c->keys.signing, FG_KEY_RSA_2048);
    assert_int_equal(c->keys.lifetime_ms, 365 * FG_DAY);
    assert_int_equal(c->keys.publish_ms, 20 * FG_DAY);
    assert_int_equal(c->session.idle_ms, FG_HOUR);
    assert_int_equal(c->session.absolute_ms, 8 * FG_HOUR);
    assert_int_equal(c->lockout.account_failures, fg_lockout_default.account_failures);
    assert_int_equal(c->lockout.address_failures, fg_lockout_default.address_failures);
    assert_int_equal(c->lockout.first_wait_ms, fg_lockout_default.first_wait_ms);
    assert_int_equal(c->lockout.longest_wait_ms, fg_lockout_default.longest_wait_ms);
    assert_int_equal(c->limits.body, fg_xml_default_limits.bytes);
    assert_int_equal(c->limits.xml_depth, fg_xml_default_limits.depth);
    assert_int_equal(c->limits.xml_elements, fg_xml_default_limits.elements);
    assert_int_equal(c->limits.xml_attributes, fg_xml_default_limits.attributes);
    assert_int_equal(c->limits.xml_namespaces, fg_xml_default_limits.namespaces);
    assert_int_equal(c->partners.count + c->directories.count, 0);
    assert_null(c->viewer.path);
}

static const char full[] =
    "# a comment\n"
    "base_url = 'https://fs.example.com:8443' // another\n"
    "entity_id = \"urn:fs\" /* and\n one of two lines */ organisation = \"Exempel AB \\\"å\\\"\"\n"
    "logo_url = \"/logo.svg\" colour = \"#AABB00\" contact = \"it@example.com\"\n"
    "audit_log = \"audit.log\" state = \"/nowhere/state\" store_size = 64k skew = 0s\n"
    "trusted_proxies = {\"10.0.0.0/9\", \"::1\", \"unix:\",}\n"
    "keys { signing = ec-p256 encryption = \"rsa-3072\" lifetime = 90d publish = 10d }\n"
    "session { idle = 30m absolute = 30m }\n"
    "lockout { account_failures = 0 first_wait = 2s longest_wait = 1h }\n"
    "limits { body = 1m xml_depth = 32 }\n"
    "directory \"staff\" { path = \"users.json\" display_name = \"Staff\" uri = \"urn:staff\" }\n"
    "directory guests { type = file path = \"/srv/guests.json\" }\n"
    "partner \"one\" {\n"
    "  realm = {\"urn:one\", \"https://one.example/\"}\n"
    "  reply = \"https://one.example/signin\"\n"
    "  sign_out = \"https://one.example/out\" token = saml20 token_only = yes trust = 13 lifetime = 10m\n"
    "  name_id = upn name_id_format = \"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\"\n"
    "  claims = {upn, \"role\", \"http://schemas.example/own\"} encrypt = false\n"
    "}\n"
    "partner \"two\" { realm = {} }\n"
    "identity_provider \"idp\" {\n"
    "  issuer = \"urn:idp\" certificate = {\"a.pem\", \"b.pem\"} sign_in = \"https://idp.example/\" allow_sha1 = yes\n"
    "  sign_out = \"https://idp.example/out\" realm = \"urn:we\" display_name = \"Them\" uri = \"urn:home\" lifetime_limit = 2h\n"
    "}\n"
    "certificates \"pki\" { ca = \"ca.pem\" intermediates = {} crl = {\"a.crl\", \"b.crl\"} revocation = {ocsp, crl} depth = 2 uri = \"urn:pki\" }\n"
    "fetch { allow = {\"http://crl.example/pki\", \"https://*.example.org\"} ca = \"tls.pem\" timeout = 2s size = 64k }\n"
    "viewer { path = \"/demo/\" realm = \"urn:one\" }\n";

static void every_option_is_read(void **state) {
    fixture_t *f = *state;
    const fg_config_t *c = &f->config;
    char path[200];
    write_file(f, "tls.pem", "-----BEGIN CERTIFICATE-----\n");
    if (!read_text(f, full))
        fail_msg("%s", f->err.detail);
    assert_true(fg_str_is(c->base_url, "https://fs.example.com:8443"));
    assert_true(fg_str_is(c->entity_id, "urn:fs"));
    assert_string_equal(c->organisation, "Exempel AB \"å\"");
    assert_string_equal(c->logo_url, "/logo.svg");
    snprintf(path, sizeof path, "%s/audit.log", f->folder);
    assert_string_equal(c->audit_log, path);
    assert_string_equal(c->state, "/nowhere/state");
    assert_int_equal(c->store_size, 64 << 10);
    assert_int_equal(c->skew_ms, 0);
    assert_int_equal(c->trusted_proxies.count, 3);
    const fg_network_t *networks = c->trusted_proxies.items;
    assert_int_equal(networks[0].bits, 96 + 9);
    assert_int_equal(networks[1].bits, 128);
    assert_true(networks[2].local);
    assert_int_equal(c->keys.signing, FG_KEY_EC_P256);
    assert_int_equal(c->keys.encryption, FG_KEY_RSA_3072);
    assert_int_equal(c->lockout.account_failures, 0);
    assert_int_equal(c->lockout.address_failures, 20);
    assert_int_equal(c->limits.body, 1 << 20);
    assert_int_equal(c->directories.count, 2);
    const fg_config_directory_t *d = c->directories.items;
    assert_string_equal(d[0].at.title, "staff");
    snprintf(path, sizeof path, "%s/users.json", f->folder);
    assert_string_equal(d[0].path, path);
    assert_string_equal(d[1].path, "/srv/guests.json");
    assert_int_equal(c->partners.count, 2);
    const fg_config_partner_t *p = c->partners.items;
    assert_int_equal(p->realms.count, 2);
    assert_true(fg_str_is(((fg_str_t *)p->realms.items)[1], "https://one.example/"));
    assert_int_equal(p->replies.count, 1);
    assert_int_equal(p->token, FG_SAML_20);
    assert_int_equal(p->token_only, FG_CHOICE_YES);
    assert_int_equal(p->trust, FG_TRUST_13);
    assert_int_equal(p->lifetime_ms, 10 * FG_MINUTE);
    assert_string_equal(p->name_id, FG_CLAIM_UPN);
    assert_int_equal(p->claims.count, 3);
    assert_string_equal(((const char **)p->claims.items)[1], FG_CLAIM_ROLE);
    assert_string_equal(((const char **)p->claims.items)[2], "http://schemas.example/own");
    assert_int_equal(p->encrypt, FG_CHOICE_NO);
    assert_int_equal(p[1].token, FG_SAML_11);
    assert_int_equal(p[1].encrypt, FG_CHOICE_UNSET);
    assert_string_equal(c->viewer.path, "/demo/");
    assert_int_equal(c->providers.count, 1);
    const fg_config_provider_t *i = c->providers.items;
    assert_string_equal(i->at.title, "idp");
    assert_true(fg_str_is(i->issuer, "urn:idp") && fg_str_is(i->realm, "urn:we") && fg_str_is(i->uri, "urn:home"));
    assert_true(fg_str_is(i->sign_in, "https://idp.example/") && fg_str_is(i->sign_out, "https://idp.example/out"));
    assert_int_equal(i->certificates.count, 2);
    snprintf(path, sizeof path, "%s/b.pem", f->folder);
    assert_string_equal(((const char **)i->certificates.items)[1], path);
    assert_string_equal(i->display_name, "Them");
    assert_int_equal(i->allow_sha1, FG_CHOICE_YES);
    assert_int_equal(i->lifetime_limit_ms, 2 * FG_HOUR);
    const fg_config_certificates_t *pki = c->certificates.items;
    assert_int_equal(c->certificates.count, 1);
    assert_true(pki->ca.count == 1 && pki->intermediates.count == 0 && pki->crls.count == 2 && pki->depth == 2);
    assert_true(fg_str_is(pki->uri, "urn:pki") && pki->revocation.count == 2);
    assert_int_equal(((const fg_config_revocation_t *)pki->revocation.items)[0], FG_REVOCATION_OCSP);
    const fg_http_allow_t *allow = c->fetch.allow.items;
    assert_int_equal(c->fetch.allow.count, 2);
    assert_true(!allow[0].https && fg_str_is(allow[0].host, "crl.example") && fg_str_is(allow[0].path, "/pki"));
    assert_true(allow[1].wildcard && fg_str_is(allow[1].host, "example.org") && fg_str_is(allow[1].path, "/"));
    assert_int_equal(c->fetch.timeout_ms, 2 * FG_SECOND);
    assert_int_equal(c->fetch.size, 64 << 10);
}

static void included_files_bring_partners(void **state) {
    fixture_t *f = *state;
    char folder[200];
    snprintf(folder, sizeof folder, "%s/partners.d", f->folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    write_file(f, "partners.d/b.conf", "partner \"b\" { realm = \"urn:b\" certificate = \"b.pem\" }\n");
    write_file(f, "partners.d/a.conf", "partner \"a\" { realm = \"urn:a\" } partner \"a2\" { realm = \"urn:a2\" }\n"
                                        "identity_provider \"i\" { issuer = \"urn:i\" certificate = \"i.pem\" }\n");
    static const char text[] = "base_url = \"https://h\" include = {\"nothing-*.conf\", \"partners.d/*.conf\"} partner \"z\" { realm = \"urn:z\" }";
    if (!read_text(f, text))
        fail_msg("%s", f->err.detail);
    assert_int_equal(f->config.partners.count, 4);
    const fg_config_partner_t *p = f->config.partners.items;
    static const char *const names[] = {"z", "a", "a2", "b"};
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(p[i].at.title, names[i]);
    snprintf(folder, sizeof folder, "%s/partners.d/b.pem", f->folder);
    assert_string_equal(p[3].certificate, folder);
    assert_int_equal(f->config.providers.count, 1);

    write_file(f, "partners.d/b.conf", "\n# only partners\nbase_url = \"https://other\"\n");
    assert_false(read_text(f, text));
    assert_non_null(strstr(f->err.detail, "partners.d/b.conf:3:1: found \"base_url\", expected an option or a section of an included file"));
    write_file(f, "partners.d/b.conf", "partner \"b\" {\n relm = \"urn:b\" }\n");
    assert_false(read_text(f, text));
    assert_non_null(strstr(f->err.detail, "partners.d/b.conf:2:2: found \"relm\", expected an option of partner; did you mean \"realm\"?"));
    assert_false(read_text(f, "base_url = \"https://h\"\ninclude = {\"missing.conf\"}"));
    assert_non_null(strstr(f->err.detail, "gateway.conf:2:12: found \"missing.conf\", expected a file that is there"));
}

/* ---- what is wrong */

#define BASE "base_url = \"https://h\"\n"

/* text, message behind the file's name */
#define LDAP "directory \"d\" { type = ad servers = {\"ldaps://a\"} ca = \"ca.pem\" "
static const struct {
    const char *text;
    const char *expected;
} errors[] = {
    {"", ":1:1: found no base_url, expected base_url = \"https://fs.example.com\""},
    {"baseurl = \"https://h\"", ":1:1: found \"baseurl\", expected an option or a section of the configuration; did you mean \"base_url\"?"},
    {BASE "partnr \"x\" { }", ":2:1: found \"partnr\", expected an option or a section of the configuration; did you mean \"partner\"?"},
    {BASE "xyzzy = 1", ":2:1: found \"xyzzy\", expected an option or a section of the configuration"},
    {BASE "partner \"x\" {\n  relm = {\"urn:x\"}\n}", ":3:3: found \"relm\", expected an option of partner; did you mean \"realm\"?"},
    {BASE "/* å */ Skew = 3m", ":2:9: found \"Skew\", expected an option or a section of the configuration; did you mean \"skew\"?"},
    {BASE "session { idel = 1h }", ":2:11: found \"idel\", expected an option of session; did you mean \"idle\"?"},
    /* punctuation */
    {BASE "skew 3m", ":2:6: found \"3m\", expected \"=\""},
    {BASE "skew = ", ":2:8: found the end of the file, expected a value"},
    {BASE "skew = {3m}", ":2:8: found \"{\", expected a duration as 90s, 15m, 8h or 20d"},
    {BASE "skew = }", ":2:8: found \"}\", expected a value"},
    {BASE "}", ":2:1: found \"}\", expected an option or a section of the configuration"},
    {BASE "session idle = 1h", ":2:9: found \"idle\", expected \"{\""},
    {BASE "session { idle = 1h", ":2:20: found the end of the file, expected \"}\""},
    {BASE "session { session { } }", ":2:11: found \"session\", expected an option of session"},
    {BASE "partner { }", ":2:9: found \"{\", expected a name for it in quotes"},
    {BASE "partner \"\" { }", ":2:9: found \"\", expected a name for it in quotes"},
    {BASE "trusted_proxies = {\"::1\" \"::2\"}", ":2:26: found \"::2\", expected \",\" or \"}\""},
    {BASE "trusted_proxies = {,}", ":2:20: found \",\", expected a value"},
    {BASE "skew += 3m", ":2:6: found \"+\", expected a name, or a value in quotes"},
    {BASE "state = /var/lib", ":2:9: found \"/\", expected a name, or a value in quotes"},
    {BASE "organisation = \"two\nlines\"", ":2:16: found \"two, expected a string that ends on its line"},
    {BASE "organisation = 'never", ":2:16: found 'never, expected a string that ends on its line"},
    {BASE "organisation = \"\\n\"", ":2:16: found \"\\, expected no escape but \\\\ and an escaped quote"},
    {BASE "organisation = \"${HOME}\"", ":2:16: found \", expected no reference to the environment (\"${\")"},
    {BASE "organisation = ${HOME}", ":2:16: found \"$\", expected a name, or a value in quotes"},
    {BASE "/* never", ":2:1: found \"/*\", expected a comment that ends with \"*/\""},
    {BASE "\xff", ":1:1: found bytes that are not UTF-8, expected UTF-8 text"},
    /* twice */
    {BASE BASE, ":2:1: found \"base_url\", expected it only once (it stands in line 1 already)"},
    {BASE "keys { }\nkeys { }", ":3:1: found \"keys\", expected this section only once (there is one in line 2 already)"},
    {BASE "partner \"a\" { }\npartner \"a\" { }", ":3:9: found \"a\", expected another name (there is one in line 2 already)"},
    {BASE "partner \"a\" { realm = a:b\n realm = c:d }", ":3:2: found \"realm\", expected it only once (it stands in line 2 already)"},
    /* values */
    {"base_url = \"http://h\"", ":1:12: found \"http://h\", expected an https address without a path, as \"https://fs.example.com\""},
    {"base_url = \"https://h/path\"", ":1:12: found \"https://h/path\", expected an https address without a path, as \"https://fs.example.com\""},
    {"base_url = \"https://u@h\"", ":1:12: found \"https://u@h\", expected an https address without a path, as \"https://fs.example.com\""},
    {BASE "entity_id = \"no uri\"", ":2:13: found \"no uri\", expected an absolute URI"},
    {BASE "organisation = \"\"", ":2:16: found \"\", expected a text"},
    {BASE "colour = \"red\"", ":2:10: found \"red\", expected a colour as \"#1f6feb\""},
    {BASE "colour = \"#12345g\"", ":2:10: found \"#12345g\", expected a colour as \"#1f6feb\""},
    {BASE "logo_url = \"javascript:x\"", ":2:12: found \"javascript:x\", expected an http or https address, or a path that begins with \"/\""},
    {BASE "logo_url = \"//evil/x\"", ":2:12: found \"//evil/x\", expected an http or https address, or a path that begins with \"/\""},
    {BASE "skew = 3 \n", ":2:8: found \"3\", expected a duration as 90s, 15m, 8h or 20d"},
    {BASE "skew = 3M", ":2:8: found \"3M\", expected a duration as 90s, 15m, 8h or 20d"},
    {BASE "skew = 999999999999d", ":2:8: found \"999999999999d\", expected a duration as 90s, 15m, 8h or 20d"},
    {BASE "store_size = 8g", ":2:14: found \"8g\", expected a size as 65536, 256k or 4m"},
    {BASE "store_size = 0", ":2:14: found \"0\", expected a size as 65536, 256k or 4m"},
    {BASE "trusted_proxies = {\"127.0.0.1\", \"10.0.0.0/33\"}", ":2:33: found \"10.0.0.0/33\", expected an address or a network as \"10.0.0.0/8\""},
    {BASE "trusted_proxies = {\"localhost\"}", ":2:20: found \"localhost\", expected an address or a network as \"10.0.0.0/8\""},
    {BASE "keys { signing = \"rsa-1024\" }", ":2:18: found \"rsa-1024\", expected one of rsa-2048, rsa-3072, rsa-4096, ec-p256, ec-p384; did you mean \"rsa-2048\"?"},
    {BASE "keys { signing = \"ecp256\" }", ":2:18: found \"ecp256\", expected one of rsa-2048, rsa-3072, rsa-4096, ec-p256, ec-p384; did you mean \"ec-p256\"?"},
    {BASE "keys { encryption = ec-p256 }", ":2:21: found \"ec-p256\", expected one of rsa-2048, rsa-3072, rsa-4096 (tokens are encrypted with RSA-OAEP)"},
    {BASE "limits { xml_depth = many }", ":2:22: found \"many\", expected a number"},
    {BASE "directory \"d\" { type = fle path = \"x\" }", ":2:24: found \"fle\", expected \"file\", \"ad\" or \"ldap\"; did you mean \"file\"?"},
    {BASE "directory \"d\" { }", ":2:1: found no path, expected path = \"users.json\""},
    {BASE "partner \"p\" { token = \"saml2\" }", ":2:23: found \"saml2\", expected \"saml11\" or \"saml20\"; did you mean \"saml20\"?"},
    {BASE "partner \"p\" { trust = \"1.3\" }", ":2:23: found \"1.3\", expected \"2005\" or \"13\"; did you mean \"13\"?"},
    {BASE "partner \"p\" { encrypt = ture }", ":2:25: found \"ture\", expected true or false; did you mean \"true\"?"},
    {BASE "partner \"p\" {\n  claims = {\"upn\", \"upn\",\n    \"emailadress\"}\n}", ":4:5: found \"emailadress\", expected a claim type: a short name or a URI; did you mean \"emailaddress\"?"},
    {BASE "partner \"p\" { name_id = \"mail\" }", ":2:25: found \"mail\", expected a claim type: a short name or a URI"},
    {BASE "partner \"p\" { realm = {\"urn:p\", \"no uri\"} }", ":2:33: found \"no uri\", expected an absolute URI"},
    {BASE "partner \"a\" { realm = \"urn:p\" }\npartner \"p\" { reply = {\"https://p/#f\"} }", ":3:24: found \"https://p/#f\", expected an http or https address without user name and fragment"},
    {BASE "viewer { path = \"demo\" realm = \"urn:x\" }", ":2:17: found \"demo\", expected a path on this host, as \"/demo/\""},
    {BASE "viewer { path = \"/demo/\" }", ":2:1: found no realm, expected realm = \"urn:…\""},
    /* what must go together */
    {BASE "session { absolute = 30m }", ":2:22: found \"30m\", expected at least idle, which is 1h unless given"},
    {BASE "session { idle = 9h }", ":2:18: found \"9h\", expected at most the duration of absolute"},
    {BASE "session { idle = 1s }", ":2:18: found \"1s\", expected at least 1m"},
    {BASE "keys { lifetime = 30d }", ":2:19: found \"30d\", expected more than twice publish, which is 20d unless given"},
    {BASE "skew = 2h", ":2:8: found \"2h\", expected at most 1h"},
    {BASE "lockout { first_wait = 1h }", ":2:24: found \"1h\", expected at most the duration of longest_wait"},
    {BASE "limits { body = 1k }", ":2:17: found \"1k\", expected a size from 4k to 16m"},
    {BASE "store_size = 1k", ":2:14: found \"1k\", expected at least 64k"},
    {BASE "directory \"d\" { type = ad path = \"x\" }", ":2:34: found \"x\", expected no path: type is \"ad\""},
    {BASE "directory \"d\" { path = \"x\" servers = {\"ldaps://a\"} }", ":2:39: found \"ldaps://a\", expected type = \"ad\" or \"ldap\" with servers"},
    {BASE "directory \"d\" { type = ad }", ":2:1: found no servers, expected servers = {\"ldaps://dc1.example.com\"}"},
    {BASE "directory \"d\" { type = ad servers = {\"http://a\"} }", ":2:38: found \"http://a\", expected \"ldaps://HOST\", or \"ldap://HOST\" (StartTLS is required then)"},
    {BASE "directory \"d\" { type = ad servers = {\"ldaps://a:0\"} }", ":2:38: found \"ldaps://a:0\", expected \"ldaps://HOST\", or \"ldap://HOST\" (StartTLS is required then)"},
    {BASE "directory \"d\" { type = ad servers = {\"ldaps://a\"} }", ":2:1: found no ca, expected ca = \"ca.pem\", the CA certificates of the servers"},
    {BASE LDAP "}", ":2:1: found no base, expected base = \"DC=example,DC=com\""},
    {BASE LDAP "base = \"nonsense\" }", ":2:72: found \"nonsense\", expected a distinguished name such as \"DC=example,DC=com\""},
    {BASE LDAP "base = \"DC=a\" bind_dn = \"x\" }", ":2:1: found no bind_password_file, expected the file with the password of bind_dn"},
    {BASE LDAP "base = \"DC=a\" user_filter = \"(uid={user}\" }", ":2:93: found \"(uid={user}\", expected an LDAP filter such as \"(uid={user})\""},
    {BASE LDAP "base = \"DC=a\" user_filter = \"(uid=x)\" }", ":2:93: found \"(uid=x)\", expected a filter with {user} in it"},
    {BASE LDAP "base = \"DC=a\" group_filter = \"(member={who})\" }", ":2:94: found \"(member={who})\", expected a filter with no other words in braces than {dn} {user} {gid}"},
    {BASE LDAP "base = \"DC=a\" attributes = {\"mail\"} }", ":2:93: found \"mail\", expected \"ATTRIBUTE=CLAIM TYPE\", the claim type a URI"},
    {BASE LDAP "base = \"DC=a\" cache = 11m }", ":2:87: found \"11m\", expected at most 10m: what changes in the directory must be seen"},
    {BASE LDAP "base = \"DC=a\" connections = 65 }", ":2:93: found \"65\", expected a number from 1 to 64"},
    {BASE LDAP "base = \"DC=a\" groups = nestd }", ":2:88: found \"nestd\", expected \"nested\", \"chain\", \"direct\", \"memberof\" or \"none\"; did you mean \"nested\"?"},
    {BASE "directory \"a\" { path = \"a\" uri = \"urn:d\" }\ndirectory \"b\" { path = \"b\" uri = \"urn:d\" }", ":3:34: found \"urn:d\", expected a URI that no other directory has (it is \"a\"'s)"},
    {BASE "pages = \"/nowhere/at/all\"", ":2:9: found \"/nowhere/at/all\", expected a folder that is there"},
    {BASE "audit_log = \"/nowhere/audit.log\"", ":2:13: found \"/nowhere/audit.log\", expected a file in a folder that is there"},
};

static void each_error_names_place_found_and_expected(void **state) {
    fixture_t *f = *state;
    unsigned wrong = 0;
    for (size_t i = 0; i < FG_ARRAY_SIZE(errors); i++) {
        bool ok = read_text(f, errors[i].text);
        size_t prefix = strlen(f->path);
        if (ok || f->err.code != FG_E_CONFIG || strncmp(f->err.detail, f->path, prefix) != 0 ||
            strcmp(f->err.detail + prefix, errors[i].expected) != 0) {
            print_error("--- %s\n    expected %s\n    got      %s\n", errors[i].text, errors[i].expected, ok ? "(accepted)" : f->err.detail + prefix);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static void a_missing_file_is_named(void **state) {
    fixture_t *f = *state;
    assert_false(fg_config_read(f->arena, "/nowhere/gateway.conf", &f->config, &f->err));
    assert_err(&f->err, FG_E_FILE);
    assert_non_null(strstr(f->err.detail, "/nowhere/gateway.conf"));
}

/* Every prefix of a right file is refused with a place or accepted; nothing is read behind the text. */
static void every_cut_is_survived(void **state) {
    fixture_t *f = *state;
    for (size_t n = 0; n < sizeof full - 1; n++) {
        char *cut = strndup(full, n);
        bool ok = read_text(f, cut);
        assert_true(ok || strncmp(f->err.detail, f->path, strlen(f->path)) == 0);
        free(cut);
        fg_arena_free(f->arena);
        f->arena = fg_arena_new(0);
    }
}

/* The part of the manual page under a heading, to the next one; the caller frees it. */
static char *part_of(const char *page, const char *heading) {
    const char *begin = strstr(page, heading);
    if (begin == NULL)
        fail_msg("\"%s\" is not in man/gateway.conf.5", heading);
    char *part = strdup(begin), *end = strstr(part + 1, "\n.S");
    if (end != NULL)
        end[1] = '\0';
    return part;
}

static void each_is_documented(const char *page, const char *heading, const fg_config_option_t *options, size_t count) {
    char *part = part_of(page, heading);
    for (size_t i = 0; i < count; i++) {
        char row[80];
        snprintf(row, sizeof row, "\n.It Cm %s\n", options[i].name);
        if (strstr(part, row) == NULL)
            fail_msg("%s is not under \"%s\" in man/gateway.conf.5", options[i].name, heading);
    }
    free(part);
}

static void the_manual_page_has_every_option(void **state) {
    (void)state;
    char *page = test_file("man/gateway.conf.5", NULL);
    assert_non_null(page);
    const fg_config_grammar_t *g = &fg_config_grammar;
    each_is_documented(page, ".Sh OPTIONS", g->options, g->option_count);
    for (size_t i = 0; i < g->section_count; i++) {
        char heading[80];
        snprintf(heading, sizeof heading, ".Ss Section %s", g->sections[i].name);
        each_is_documented(page, heading, g->sections[i].options, g->sections[i].option_count);
    }
    free(page);
}

static bool is_in_sample(const fixture_t *f, const fg_config_section_t *section, const char *option) {
    for (unsigned i = 0; i < 4; i++)
        if (fg_config_text_find(f->config.text, section, i, option, 0)->kind == FG_MARK_VALUE)
            return true;
    return false;
}

/* The sample as it is, and with every example in it taken up. */
static void the_sample_is_right(void **state) {
    fixture_t *f = *state;
    char *sample = test_file("etc/gateway.conf", NULL);
    assert_non_null(sample);
    if (!read_text(f, sample))
        fail_msg("%s", f->err.detail);
    for (char *line = sample; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        line += *line == '\n';
        bool prose = line[0] == '#' && line[1] == ' ' && line[2] != ' ';
        if (line[0] == '#' && !prose && strncmp(line, "#pages", 6) != 0)
            line[0] = ' ';
    }
    if (!read_text(f, sample))
        fail_msg("%s", f->err.detail);
    assert_int_equal(f->config.partners.count, 5); /* between them they have every option */
    for (size_t i = 0; i < fg_config_grammar.option_count; i++)
        if (strstr(sample, fg_config_grammar.options[i].name) == NULL)
            fail_msg("%s is not in the sample", fg_config_grammar.options[i].name);
    for (size_t i = 0; i < fg_config_grammar.section_count; i++)
        for (size_t k = 0; k < fg_config_grammar.sections[i].option_count; k++)
            if (!is_in_sample(f, &fg_config_grammar.sections[i], fg_config_grammar.sections[i].options[k].name) &&
                strcmp(fg_config_grammar.sections[i].name, "identity_provider") != 0 && /* checked below */
                strcmp(fg_config_grammar.sections[i].name, "federation") != 0 &&
                strncmp(fg_config_grammar.sections[i].options[k].name, "metadata", 8) != 0 &&
                strcmp(fg_config_grammar.sections[i].options[k].name, "issuance_rules") != 0) /* the second partner's */
                fail_msg("%s is not in the sample", fg_config_grammar.sections[i].options[k].name);
    assert_int_equal(f->config.providers.count, 4); /* between them they have every option */
    assert_int_equal(f->config.federations.count, 2);
    const fg_config_section_t *twice[] = {((const fg_config_provider_t *)f->config.providers.items)->at.section,
                                          ((const fg_config_federation_t *)f->config.federations.items)->at.section};
    for (size_t i = 0; i < FG_ARRAY_SIZE(twice); i++)
        for (size_t k = 0; k < twice[i]->option_count; k++)
            if (strncmp(twice[i]->options[k].name, "metadata", 8) != 0 && !is_in_sample(f, twice[i], twice[i]->options[k].name))
                fail_msg("%s is not in the sample", twice[i]->options[k].name);
    free(sample);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_least_configuration_has_the_defaults),
        TEST(every_option_is_read),
        TEST(included_files_bring_partners),
        TEST(each_error_names_place_found_and_expected),
        TEST(a_missing_file_is_named),
        TEST(every_cut_is_survived),
        TEST(the_sample_is_right),
        cmocka_unit_test(the_manual_page_has_every_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
