/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Who holds a certificate: its subject, or the account in a directory that it belongs to.
 *
 * Which certificates an account may be found by is the difference between a proof and a claim: a subject, an issuer
 * with a subject or a mail address can be had again from a careless CA (KB5014754 calls these forms weak), and so are
 * no names here. */
#include "hub/audit.h"
#include "hub/signin.h"
#include "token/certificate.h"
#include "token/certificate_names.h"

/* The realm whose CAs vouch for it; another error than UNTRUSTED is one's who knows it. */
static const fg_home_realm_t *find_voucher(fg_exchange_t *ex, X509 *leaf, STACK_OF(X509) * more,
                                           fg_x509_purpose_t purpose, fg_err_t *err) {
    FG_FAIL(err, FG_E_CERTIFICATE_UNTRUSTED, "there is no home realm of certificates");
    for (size_t i = 0; i < ex->hub->home_realm_count; i++) {
        const fg_home_realm_t *realm = &ex->hub->home_realms[i];
        if (realm->certificates == NULL)
            continue;
        if (fg_x509_trust_verify(realm->certificates, ex->env, leaf, more, purpose, err))
            return realm;
        if (err->code != FG_E_CERTIFICATE_UNTRUSTED)
            return NULL;
    }
    return NULL;
}

/* ---- accounts */

typedef struct candidate {
    unsigned ways; /* FG_MAP_…: any of them */
    fg_account_kind_t kind;
    size_t name; /* in fg_certificate_names_t */
} candidate_t;

static const candidate_t candidates[] = {
    {FG_MAP_UPN, FG_ACCOUNT_UPN, offsetof(fg_certificate_names_t, upn)},
    {FG_MAP_ISSUER_SERIAL | FG_MAP_ALT_IDENTITIES, FG_ACCOUNT_CERTIFICATE,
     offsetof(fg_certificate_names_t, issuer_serial)},
    {FG_MAP_ALT_IDENTITIES, FG_ACCOUNT_CERTIFICATE, offsetof(fg_certificate_names_t, key_id)},
    {FG_MAP_ALT_IDENTITIES, FG_ACCOUNT_CERTIFICATE, offsetof(fg_certificate_names_t, public_key)},
};

static bool is_nobody(fg_code_t code) {
    return code == FG_E_AUTH_FAILED || code == FG_E_AUTH_DISABLED || code == FG_E_AUTH_EXPIRED;
}

/* The first name that the directory knows; nobody by one name may be somebody by the next.  What the directory cannot
 * say now is said so, rather than that there is nobody. */
static bool find_account(fg_exchange_t *ex, const fg_home_realm_t *realm, const fg_certificate_names_t *names,
                         fg_str_t *name, fg_identity_t *account, fg_err_t *err) {
    fg_directory_t *directory = realm->accounts->directory;
    fg_err_t why = FG_ERR_INIT;
    FG_FAIL(err, FG_E_CERTIFICATE_ACCOUNT, "the certificate has none of the names that accounts are found by");
    for (size_t i = 0; i < FG_ARRAY_SIZE(candidates); i++) {
        fg_str_t tried = *(const fg_str_t *)((const char *)names + candidates[i].name);
        if ((realm->account_names & candidates[i].ways) == 0 || tried.n == 0)
            continue;
        *name = tried;
        if (directory->find(directory, ex->env, ex->arena, candidates[i].kind, tried, account, &why))
            return true;
        FG_FAIL(err, is_nobody(why.code) ? FG_E_CERTIFICATE_ACCOUNT : why.code, "%s", why.detail);
        if (!is_nobody(why.code))
            return false;
    }
    return false;
}

/* A name may have passed to another person since the certificate was issued; a security identifier never does. */
static bool check_sid(const fg_certificate_names_t *names, const fg_identity_t *account, fg_err_t *err) {
    const fg_claim_t *sid = fg_claims_get(&account->claims, FG_CLAIM_PRIMARYSID);
    return names->sid.n == 0 || sid == NULL || fg_str_eq(names->sid, sid->value) ||
           FG_FAIL(err, FG_E_CERTIFICATE_SID, "the certificate was issued for %.*s, and the account is %.*s",
                   FG_STR_ARG(names->sid), FG_STR_ARG(sid->value));
}

static bool is_of_certificate_alone(const fg_claim_t *claim) {
    return fg_str_is(claim->type, FG_CLAIM_X500NAME) || fg_str_is(claim->type, FG_CLAIM_THUMBPRINT);
}

/* Of the certificate's claims those stay that say nothing of who it is. */
static bool merge(fg_exchange_t *ex, fg_identity_t *identity, fg_identity_t *account, fg_err_t *err) {
    for (size_t i = 0; i < identity->claims.count; i++)
        if (is_of_certificate_alone(&identity->claims.items[i]) &&
            !fg_claims_add(ex->arena, &account->claims, &identity->claims.items[i]))
            return FG_FAIL(err, FG_E_MEMORY, "claims of a client certificate");
    account->auth_method = identity->auth_method;
    account->auth_instant_ms = identity->auth_instant_ms;
    *identity = *account;
    return true;
}

static void tell(fg_exchange_t *ex, const fg_home_realm_t *realm, fg_str_t name, fg_str_t subject,
                 const fg_identity_t *identity, const fg_err_t *why) {
    const fg_audit_field_t fields[] = {
        {"user", why == NULL ? fg_identity_name(identity) : FG_STR_NONE},
        {"account", name},
        {"certificate", subject},
        {"directory", fg_str(realm->accounts->directory->name)},
        {"method", why == NULL ? identity->auth_method : FG_STR_NONE},
    };
    fg_audit(ex, why == NULL ? "signin" : "signin_refused", why, fields, FG_ARRAY_SIZE(fields));
}

static bool map(fg_exchange_t *ex, const fg_home_realm_t *realm, const X509 *leaf, fg_identity_t *identity,
                fg_err_t *err) {
    fg_certificate_names_t names;
    fg_identity_t account = {.issuer = FG_STR_NONE};
    fg_str_t name = FG_STR_NONE, subject = identity->name_id.value;
    fg_err_t why = FG_ERR_INIT;
    bool ok = fg_certificate_names_read(ex->arena, leaf, &names, &why) &&
              find_account(ex, realm, &names, &name, &account, &why) && check_sid(&names, &account, &why) &&
              fg_signin_accept(ex, realm->accounts, &account, &why) && merge(ex, identity, &account, &why);
    tell(ex, realm, name, subject, identity, ok ? NULL : &why);
    if (!ok && err != NULL)
        *err = why;
    return ok;
}

bool fg_signin_certificate(fg_exchange_t *ex, X509 *leaf, STACK_OF(X509) * more, fg_x509_purpose_t purpose,
                           fg_identity_t *identity, const fg_home_realm_t **realm, fg_err_t *err) {
    fg_err_t why = FG_ERR_INIT;
    *realm = find_voucher(ex, leaf, more, purpose, &why);
    if (*realm == NULL) {
        if (err != NULL)
            *err = why;
        return false;
    }
    if (!fg_certificate_claims(ex->arena, leaf, ex->now_ms, identity, err))
        return false;
    if ((*realm)->accounts != NULL && !map(ex, *realm, leaf, identity, err))
        return false;
    return fg_signin_accept(ex, *realm, identity, err);
}
