/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Replacing a password by whoever knows the old one: in Active Directory by the attribute unicodePwd, elsewhere by the
 * Password Modify extended operation (RFC 3062). */
#include "directory/ldap_parts.h"

#include <lber.h>
#include <stdlib.h>

#define UNICODE_MAX (4u * FG_LDAP_PASSWORD_MAX)

/* ---- Active Directory */

static void put_unit(fg_buf_t *out, uint32_t unit) {
    fg_buf_putc(out, (char)(unit & 0xff));
    fg_buf_putc(out, (char)(unit >> 8));
}

/* UTF-16LE of text that is UTF-8, between quotation marks ([MS-ADTS] §3.1.1.3.1.5). */
static bool put_unicode_password(fg_buf_t *out, fg_str_t password) {
    put_unit(out, '"');
    for (size_t at = 0; at < password.n;) {
        unsigned char first = (unsigned char)password.p[at];
        size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
        uint32_t code = length == 1 ? first : first & (0x7fu >> length);
        for (size_t i = 1; i < length && at + i < password.n; i++)
            code = code << 6 | ((unsigned char)password.p[at + i] & 0x3f);
        at += length;
        if (code >= 0x10000) {
            put_unit(out, 0xd800 + ((code - 0x10000) >> 10));
            code = 0xdc00 + ((code - 0x10000) & 0x3ff);
        }
        put_unit(out, code);
    }
    put_unit(out, '"');
    return fg_buf_ok(out);
}

/* Delete and add in one request is the person's own change, which the server permits to whoever names the old password;
 * a replace would be a reset ([MS-ADTS] §3.1.1.3.1.5.1). */
static bool change_unicode_password(fg_ldap_connection_t *connection, const fg_ldap_change_t *change, int64_t deadline,
                                    fg_ldap_answer_t *answer, fg_err_t *err) {
    fg_buf_t texts[] = {FG_BUF_INIT(UNICODE_MAX), FG_BUF_INIT(UNICODE_MAX)};
    bool ok =
        put_unicode_password(&texts[0], change->old_password) && put_unicode_password(&texts[1], change->new_password);
    struct berval values[2];
    struct berval *lists[2][2] = {{&values[0], NULL}, {&values[1], NULL}};
    LDAPMod changes[2];
    for (size_t i = 0; i < 2; i++) {
        values[i] = (struct berval){texts[i].length, texts[i].data};
        changes[i] = (LDAPMod){.mod_op = (i == 0 ? LDAP_MOD_DELETE : LDAP_MOD_ADD) | LDAP_MOD_BVALUES,
                               .mod_type = (char *)(uintptr_t) "unicodePwd",
                               .mod_bvalues = lists[i]};
    }
    LDAPMod *list[] = {&changes[0], &changes[1], NULL};
    ok = ok ? fg_ldap_modify(connection, change->dn, list, deadline, answer, err)
            : FG_FAIL(err, FG_E_MEMORY, "no memory for a password");
    fg_buf_free(&texts[0]);
    fg_buf_free(&texts[1]);
    return ok;
}

/* The system error code that Active Directory puts first, in hexadecimal: "0000052D: …". */
static unsigned system_code(const char *message) { return (unsigned)strtoul(message, NULL, 16); }

static bool judge_unicode(const fg_ldap_answer_t *answer, fg_code_t *code, const char **why) {
    enum { ERROR_INVALID_PASSWORD = 0x56, ERROR_PASSWORD_RESTRICTION = 0x52d };
    if (answer->code != LDAP_CONSTRAINT_VIOLATION)
        return false;
    bool wrong = system_code(answer->message) == ERROR_INVALID_PASSWORD;
    *code = wrong ? FG_E_AUTH_FAILED : FG_E_PASSWORD_POLICY;
    *why = wrong                                                        ? "wrong old password"
           : system_code(answer->message) == ERROR_PASSWORD_RESTRICTION ? "the domain's password policy refuses it"
                                                                        : "refused";
    return true;
}

/* ---- RFC 3062 */

/* PasswdModifyRequestValue (§2); libldap's ldap_passwd takes no controls that would tell why not. */
static bool change_by_extension(fg_ldap_connection_t *connection, const fg_ldap_change_t *change, int64_t deadline,
                                fg_ldap_answer_t *answer, fg_err_t *err) {
    BerElement *ber = ber_alloc_t(LBER_USE_DER);
    struct berval request = {0, NULL};
    bool ok = ber != NULL &&
              ber_printf(ber, "{tstoto}", LDAP_TAG_EXOP_MODIFY_PASSWD_ID, change->dn, LDAP_TAG_EXOP_MODIFY_PASSWD_OLD,
                         change->old_password.p, (ber_len_t)change->old_password.n, LDAP_TAG_EXOP_MODIFY_PASSWD_NEW,
                         change->new_password.p, (ber_len_t)change->new_password.n) >= 0 &&
              ber_flatten2(ber, &request, 0) == 0;
    ok = ok ? fg_ldap_extended(connection, LDAP_EXOP_MODIFY_PASSWD, &request, deadline, answer, err)
            : FG_FAIL(err, FG_E_MEMORY, "no memory for a password");
    if (request.bv_val != NULL)
        explicit_bzero(request.bv_val, request.bv_len);
    if (ber != NULL)
        ber_free(ber, 1);
    return ok;
}

static bool judge_extension(const fg_ldap_answer_t *answer, fg_code_t *code, const char **why) {
    bool policy = answer->code == LDAP_CONSTRAINT_VIOLATION || answer->policy_error >= 0;
    bool wrong = answer->code == LDAP_INVALID_CREDENTIALS ||
                 (answer->code == LDAP_UNWILLING_TO_PERFORM && strstr(answer->message, "old password") != NULL);
    *code = wrong ? FG_E_AUTH_FAILED : FG_E_PASSWORD_POLICY;
    *why = wrong ? "wrong old password" : "the directory's password policy refuses it";
    return policy || wrong;
}

/* ---- */

bool fg_ldap_change_password(const fg_ldap_options_t *options, fg_ldap_connection_t *connection,
                             const fg_ldap_change_t *change, int64_t deadline, fg_err_t *err) {
    bool ad = options->type == FG_LDAP_AD;
    fg_ldap_answer_t answer;
    fg_code_t code = FG_E_DIRECTORY;
    const char *why = "";
    if (!(ad ? change_unicode_password : change_by_extension)(connection, change, deadline, &answer, err))
        return false;
    if (answer.code == LDAP_SUCCESS)
        return true;
    if ((ad ? judge_unicode : judge_extension)(&answer, &code, &why))
        return FG_FAIL(err, code, "new password of %s in directory %s: %s: %s", change->dn, options->name, why,
                       answer.message);
    return FG_FAIL(err, FG_E_PASSWORD_REFUSED, "directory %s: new password of %s: %s: %s", options->name, change->dn,
                   ldap_err2string(answer.code), answer.message);
}
