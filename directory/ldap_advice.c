/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/ldap_advice.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "core/file.h"
#include "core/time.h"
#include "token/certificate.h"

#define CA_MAX (4u << 20)
#define TEXT_MAX 4096u

typedef struct advice {
    int number;
    const char *text;
} advice_t;

static const char *look_up(const advice_t *table, size_t count, int number) {
    for (size_t i = 0; i < count; i++)
        if (table[i].number == number)
            return table[i].text;
    return NULL;
}

/* ---- no connection */

static const advice_t connects[] = {
    {ECONNREFUSED, "nothing listens at that port: start the server, or correct the port in servers (ldaps:// has 636, "
                   "ldap:// 389)"},
    {ETIMEDOUT, "nothing answers: the server is down or cut off, or a firewall drops what is sent to it"},
    {EHOSTUNREACH, "no way leads there: look at the route and at firewalls between this machine and the server"},
    {ENETUNREACH, "no way leads there: look at the route and at firewalls between this machine and the server"},
};

static const char *advise_tls(bool start_tls) {
    return start_tls
               ? "the server broke off TLS: it may have no certificate, or speak only versions before TLS 1.2"
               : "no TLS 1.2 or 1.3 is spoken there: name a port of ldaps:// (636), or write ldap:// for StartTLS; "
                 "a server without a certificate, or with older versions alone, breaks off too";
}

const char *fg_ldap_advise_connect(fg_arena_t *arena, const fg_ldap_server_t *server, const fg_ldap_trace_t *trace,
                                   bool in_time) {
    switch (trace->stage) {
    case FG_LDAP_STAGE_RESOLVE:
        return fg_arena_printf(arena, "is the name in servers right? \"getent hosts %s\" must tell its address",
                               server->host);
    case FG_LDAP_STAGE_CONNECT:
        return look_up(connects, FG_ARRAY_SIZE(connects), trace->error);
    default:
        if (!in_time)
            return "somebody took the connection and said nothing until the timeout: the server hangs, or the port is "
                   "that of another service";
        return trace->stage == FG_LDAP_STAGE_START_TLS
                   ? "the server has no TLS at this port: give it a certificate, or write ldaps:// in servers. Without "
                     "TLS nothing is sent"
                   : advise_tls(server->start_tls);
    }
}

/* ---- certificates */

static bool is_for(X509 *leaf, const char *host) {
    return X509_check_host(leaf, host, 0, 0, NULL) == 1 || X509_check_ip_asc(leaf, host, 0) == 1;
}

static void put_names(fg_buf_t *out, const X509 *leaf) {
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    const char *gap = "";
    for (int i = 0; names != NULL && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_DNS)
            continue;
        fg_buf_printf(out, "%s%.*s", gap, ASN1_STRING_length(name->d.dNSName),
                      (const char *)ASN1_STRING_get0_data(name->d.dNSName));
        gap = ", ";
    }
    if (*gap == '\0')
        fg_buf_puts(out, "no DNS name at all");
    GENERAL_NAMES_free(names);
}

/* Puts the subjects of a file's certificates; true: one of them made the leaf. */
static bool put_cas(fg_arena_t *arena, const char *path, X509 *leaf, int64_t now_ms, fg_buf_t *out) {
    fg_buf_t pem = FG_BUF_INIT(CA_MAX);
    fg_err_t err = FG_ERR_INIT;
    BIO *in = fg_file_read(path, &pem, NULL, &err) ? BIO_new_mem_buf(pem.data, (int)pem.length) : NULL;
    bool found = false;
    const char *gap = "";
    for (X509 *ca; in != NULL && (ca = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL; X509_free(ca)) {
        fg_identity_t identity;
        found = found || (X509_NAME_cmp(X509_get_subject_name(ca), X509_get_issuer_name(leaf)) == 0 &&
                          X509_verify(leaf, X509_get0_pubkey(ca)) == 1);
        if (!fg_certificate_claims(arena, ca, now_ms, &identity, &err))
            continue;
        const fg_claim_t *subject = fg_claims_get(&identity.claims, FG_CLAIM_X500NAME);
        if (subject != NULL)
            fg_buf_printf(out, "%s%.*s", gap, FG_STR_ARG(subject->value));
        gap = "; ";
    }
    BIO_free(in);
    fg_buf_free(&pem);
    return found;
}

/* As OpenSSL and GnuTLS look at a chain: who made it, until when, for whom. */
static void put_faults(fg_arena_t *arena, const fg_ldap_options_t *options, const fg_ldap_server_t *server, X509 *leaf,
                       int64_t now_ms, fg_buf_t *out) {
    fg_buf_t cas = FG_BUF_INIT(TEXT_MAX);
    fg_identity_t identity;
    fg_err_t err = FG_ERR_INIT;
    char until[FG_TIME_SIZE];
    if (!put_cas(arena, options->ca, leaf, now_ms, &cas) && fg_certificate_claims(arena, leaf, now_ms, &identity, &err))
        fg_buf_printf(out,
                      "it was issued by %.*s, which is not in ca (%s holds %.*s): put that CA's certificate, as its "
                      "administrator hands it out, into the file. ",
                      FG_STR_ARG(identity.issuer), options->ca, FG_STR_ARG(fg_buf_str(&cas)));
    fg_buf_free(&cas);
    if (!is_for(leaf, server->host)) {
        fg_buf_printf(out, "servers names %s, but the certificate is for ", server->host);
        put_names(out, leaf);
        fg_buf_puts(out, ": write one of its names, or have a certificate made that has this one. ");
    } else if (strcasecmp(server->host, "localhost") == 0)
        fg_buf_puts(out,
                    "libldap takes localhost for this machine's own name, and looks for that in the certificate: write "
                    "the name or the address in servers. ");
    fg_time_format(fg_certificate_not_after(leaf), until);
    if (X509_cmp_current_time(X509_get0_notAfter(leaf)) < 0)
        fg_buf_printf(out, "it ended at %s: the server needs a new one. ", until);
    if (X509_cmp_current_time(X509_get0_notBefore(leaf)) > 0)
        fg_buf_puts(out, "it is not valid yet: compare the clocks. ");
}

const char *fg_ldap_advise_certificate(fg_arena_t *arena, const fg_ldap_options_t *options,
                                       const fg_ldap_server_t *server, fg_str_t der, int64_t now_ms) {
    const unsigned char *at = (const unsigned char *)der.p;
    X509 *leaf = d2i_X509(NULL, &at, (long)der.n);
    fg_buf_t out = FG_BUF_INIT(2 * TEXT_MAX);
    if (leaf != NULL)
        put_faults(arena, options, server, leaf, now_ms, &out);
    X509_free(leaf);
    const char *text = "the certificate can be read, but is not believed: its chain, its usage or its algorithms";
    if (out.length > 0 && fg_buf_ok(&out))
        text = fg_arena_str(arena, fg_str_trim(fg_buf_str(&out))).p;
    fg_buf_free(&out);
    return text;
}

/* ---- answers */

static const advice_t results[] = {
    {LDAP_OPERATIONS_ERROR, "Active Directory lets nobody search without a bind: set bind_dn and bind_password_file"},
    {LDAP_TIMELIMIT_EXCEEDED, "the server takes longer than it may: are the attributes of the filter indexed? timeout "
                              "can be raised"},
    {LDAP_TIMEOUT, "no answer until the timeout: the server hangs or is overloaded; timeout can be raised"},
    {LDAP_SIZELIMIT_EXCEEDED,
     "the server gives out fewer entries than there are groups: raise its limit for the account "
     "(olcLimits; MaxPageSize), narrow group_base or group_filter, or take groups = "
     "\"memberof\""},
    {LDAP_ADMINLIMIT_EXCEEDED, "the server has a limit of its own on what is looked through: are the attributes of the "
                               "filter indexed?"},
    {LDAP_INAPPROPRIATE_MATCHING, "the server has no such matching rule: groups = \"chain\" is for Active Directory "
                                  "alone; take nested or direct, and look at the filters"},
    {LDAP_UNDEFINED_TYPE, "the server knows no such attribute: look at user_filter, group_filter and attributes"},
    {LDAP_NO_SUCH_OBJECT, "it is not there, or the account that searches may not see it: correct base or group_base"},
    {LDAP_REFERRAL, "the server sends elsewhere, where nobody follows: name a server that holds base itself"},
    {LDAP_INSUFFICIENT_ACCESS, "the account that searches lacks the right to read: give it that, below base"},
    {LDAP_INVALID_DN_SYNTAX, "that is no name of an entry: correct base or bind_dn"},
    {LDAP_STRONG_AUTH_REQUIRED, "the server refuses simple binds: allow them over TLS"},
    {LDAP_AUTH_METHOD_NOT_SUPPORTED, "the server refuses simple binds: allow them over TLS"},
    {LDAP_INAPPROPRIATE_AUTH, "the account has no password, or nobody may bind without one: set bind_dn"},
    {LDAP_UNWILLING_TO_PERFORM, "the server's policy forbids it: its log says more"},
    {LDAP_BUSY, "the server is overloaded: try again"},
    {LDAP_UNAVAILABLE, "the server is starting, stopping or read-only: try again, and look at its log"},
    {LDAP_SERVER_DOWN, "the server hung up: look at its log"},
    {LDAP_CONSTRAINT_VIOLATION, "too many wrong passwords: the account waits; unlock it in the directory"},
};

const char *fg_ldap_advise_result(int code) { return look_up(results, FG_ARRAY_SIZE(results), code); }

const char *fg_ldap_advise_account(fg_code_t code) {
    static const advice_t accounts[] = {
        {FG_E_AUTH_DISABLED, "enable the account in the directory"},
        {FG_E_AUTH_EXPIRED, "give the account another end (accountExpires, shadowExpire)"},
        {FG_E_AUTH_MUST_CHANGE, "the password is right, but must be changed before it counts"},
        {FG_E_AUTH_RESTRICTED, "the account's logon hours or workstations forbid it (logonHours, userWorkstations)"},
        {FG_E_AUTH_ACCOUNT_LOCKED, "unlock the account in the directory, or wait until it does so itself"},
    };
    return look_up(accounts, FG_ARRAY_SIZE(accounts), (int)code);
}
