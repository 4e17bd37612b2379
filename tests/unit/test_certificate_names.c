/* SPDX-License-Identifier: GPL-2.0-or-later
 * The names by which directories know certificates: altSecurityIdentities as Microsoft's KB5014754 writes it.  (User
 * principal names and security identifiers are in tests/system/test_certificate_accounts.py.) */
#include "tests/unit/pki.h"

#include <string.h>

#include "token/certificate_names.h"

typedef struct part {
    const char *type, *value;
} part_t;

static fg_certificate_names_t names;
static fg_arena_t *arena;

/* A certificate with that issuer, from its root on, and that serial number; set 0: a new part, -1: of the part before. */
static X509 *make(const part_t *issuer, size_t count, const char *serial, int set) {
    X509 *x509 = X509_new();
    X509_NAME *name = X509_NAME_new();
    BIGNUM *number = NULL;
    BN_hex2bn(&number, serial);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509));
    for (size_t i = 0; i < count; i++)
        assert_true(X509_NAME_add_entry_by_txt(name, issuer[i].type, MBSTRING_UTF8, (const unsigned char *)issuer[i].value, -1, -1, i == 0 ? 0 : set));
    X509_set_issuer_name(x509, name);
    X509_NAME_free(name);
    BN_free(number);
    return x509;
}

static fg_str_t issuer_serial(const part_t *issuer, size_t count, const char *serial, int set) {
    fg_err_t err = FG_ERR_INIT;
    X509 *x509 = make(issuer, count, serial, set);
    assert_true(fg_certificate_names_read(arena, x509, &names, &err));
    X509_free(x509);
    return names.issuer_serial;
}

/* KB5014754: issuer CN=CONTOSO-DC-CA,DC=contoso,DC=com with 2B0000000011AC0000000012. */
static void issuer_and_serial_number_are_turned_round(void **state) {
    (void)state;
    static const part_t contoso[] = {{"DC", "com"}, {"DC", "contoso"}, {"CN", "CONTOSO-DC-CA"}};
    assert_true(fg_str_is(issuer_serial(contoso, 3, "2B0000000011AC0000000012", 0), "X509:<I>DC=com,DC=contoso,CN=CONTOSO-DC-CA<SR>1200000000ac11000000002b"));
    /* in DER a zero stands before the first byte, which is none of the number's */
    assert_true(fg_str_is(issuer_serial(contoso, 3, "FF01", 0), "X509:<I>DC=com,DC=contoso,CN=CONTOSO-DC-CA<SR>01ff"));
    static const part_t named[] = {{"C", "DE"}, {"ST", "Bayern"}, {"emailAddress", "ca@example.com"}, {"CN", "Größe"}};
    assert_true(fg_str_is(issuer_serial(named, 4, "7F", 0), "X509:<I>C=DE,S=Bayern,E=ca@example.com,CN=Größe<SR>7f"));
}

/* What could be read in two ways is no name; the key's names stay. */
static void an_ambiguous_issuer_is_no_name(void **state) {
    (void)state;
    static const part_t rows[][2] = {
        {{"O", "Example"}, {"CN", "CA<SR>12"}}, {{"O", "Example"}, {"CN", "A,CN=B"}},     {{"O", "Example"}, {"CN", "A=B"}},
        {{"O", "Example"}, {"CN", "\"CA\""}},   {{"O", "Example"}, {"CN", " CA"}},        {{"O", "Example"}, {"CN", "CA\n"}},
        {{"O", "Example"}, {"UID", "ca"}},      {{"O", "Example"}, {"businessCategory", "CA"}},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++)
        assert_int_equal(issuer_serial(rows[i], 2, "12", 0).n, 0);
    static const part_t plain[] = {{"O", "Example"}, {"CN", "CA"}};
    assert_int_equal(issuer_serial(plain, 2, "12", -1).n, 0); /* O=Example+CN=CA */
    assert_int_equal(issuer_serial(plain, 0, "12", 0).n, 0);
    assert_true(fg_str_is(issuer_serial(plain, 2, "12", 0), "X509:<I>O=Example,CN=CA<SR>12"));
}

static void keys_have_names(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    unsigned char digest[20];
    char hex[41];
    pki_t root = PKI(NULL, .cn = "Root", .basic = PKI_CA);
    const ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(root.x509);
    assert_true(fg_certificate_names_read(arena, root.x509, &names, &err));
    assert_true(EVP_Digest(ASN1_STRING_get0_data(bits), (size_t)ASN1_STRING_length(bits), digest, NULL, EVP_sha1(), NULL));
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    assert_int_equal(names.public_key.n, strlen("X509:<SHA1-PUKEY>") + 40);
    assert_memory_equal(names.public_key.p, "X509:<SHA1-PUKEY>", strlen("X509:<SHA1-PUKEY>"));
    assert_memory_equal(names.public_key.p + strlen("X509:<SHA1-PUKEY>"), hex, 40);
    assert_int_equal(names.upn.n + names.sid.n, 0);
    pki_free(&root);
}

static int start(void **state) {
    (void)state;
    arena = fg_arena_new(0);
    return arena == NULL;
}

static int stop(void **state) {
    (void)state;
    fg_arena_free(arena);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(issuer_and_serial_number_are_turned_round),
        cmocka_unit_test(an_ambiguous_issuer_is_no_name),
        cmocka_unit_test(keys_have_names),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
