/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/kerberos_s4u.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>

#include "core/buf.h"

#define TOKEN_MAX (96u << 10)

/* ---- what went wrong */

/* What the KDC's codes (RFC 4120 §7.5.9) mean for delegation; what has no row is the gateway's own trouble. */
static const struct {
    krb5_error_code code;
    fg_code_t fault;
} meanings[] = {
    {KRB5_KDC_UNREACH, FG_E_DELEGATION_UNREACHABLE},
    {KRB5_REALM_CANT_RESOLVE, FG_E_DELEGATION_UNREACHABLE},
    {KRB5_REALM_UNKNOWN, FG_E_DELEGATION_UNREACHABLE},
    {KRB5KDC_ERR_SVC_UNAVAILABLE, FG_E_DELEGATION_UNREACHABLE},
    {KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN, FG_E_DELEGATION_PERSON},
    {KRB5KDC_ERR_POLICY, FG_E_DELEGATION_ACCOUNT}, /* Samba of a disabled account */
    {KRB5KDC_ERR_CLIENT_REVOKED, FG_E_DELEGATION_ACCOUNT},
    {KRB5KDC_ERR_NAME_EXP, FG_E_DELEGATION_ACCOUNT},
    {KRB5KDC_ERR_KEY_EXP, FG_E_DELEGATION_ACCOUNT},
    {KRB5KDC_ERR_BADOPTION, FG_E_DELEGATION_NOT_ALLOWED},
    {KRB5_TKT_NOT_FORWARDABLE, FG_E_DELEGATION_NOT_ALLOWED},
    {KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN, FG_E_DELEGATION_BACKEND},
};

static fg_code_t meaning(krb5_error_code code) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(meanings); i++)
        if (meanings[i].code == code)
            return meanings[i].fault;
    return FG_E_DELEGATION_SERVICE;
}

/* Before anybody is named the account that is unknown or disabled is the gateway's own. */
static bool fail_own(krb5_context context, krb5_error_code code, const char *what, fg_err_t *err) {
    const char *text = krb5_get_error_message(context, code);
    fg_code_t fault =
        meaning(code) == FG_E_DELEGATION_UNREACHABLE ? FG_E_DELEGATION_UNREACHABLE : FG_E_DELEGATION_SERVICE;
    FG_FAIL(err, fault, "%s: %s", what, text);
    krb5_free_error_message(context, text);
    return false;
}

static bool fail_gss(OM_uint32 major, OM_uint32 minor, const char *what, fg_err_t *err) {
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
    OM_uint32 ignored, more = 0;
    bool told =
        gss_display_status(&ignored, minor, GSS_C_MECH_CODE, (gss_OID)gss_mech_krb5, &more, &text) == GSS_S_COMPLETE;
    FG_FAIL(err, meaning((krb5_error_code)(int32_t)minor), "%s: %.*s (%08x)", what, told ? (int)text.length : 0,
            told ? (const char *)text.value : "", (unsigned)major);
    gss_release_buffer(&ignored, &text);
    return false;
}

static bool import(const char *name, gss_OID type, gss_name_t *out, fg_err_t *err) {
    gss_buffer_desc text = {strlen(name), (void *)(uintptr_t)name};
    OM_uint32 minor, major = gss_import_name(&minor, &text, type, out);
    return major == GSS_S_COMPLETE || fail_gss(major, minor, name, err);
}

/* ---- the gateway's own account */

bool fg_s4u_check_keytab(const char *keytab, const char *principal, fg_err_t *err) {
    krb5_context context = NULL;
    krb5_principal own = NULL;
    krb5_keytab file = NULL;
    krb5_keytab_entry entry;
    if (krb5_init_context(&context) != 0)
        return FG_FAIL(err, FG_E_CONFIG, "krb5.conf cannot be used");
    krb5_error_code code = krb5_parse_name(context, principal, &own);
    if (code == 0)
        code = krb5_kt_resolve(context, keytab, &file);
    if (code == 0)
        code = krb5_kt_get_entry(context, file, own, 0, 0, &entry);
    if (code == 0)
        krb5_free_keytab_entry_contents(context, &entry);
    else
        fail_own(context, code, principal, err);
    if (file != NULL)
        krb5_kt_close(context, file);
    krb5_free_principal(context, own);
    krb5_free_context(context);
    return code == 0;
}

/* A ticket that may not be forwarded yields none that may be, and so no way to another service. */
static krb5_error_code ask_for_ticket(krb5_context context, const char *keytab, krb5_principal own, krb5_creds *got) {
    krb5_get_init_creds_opt *options = NULL;
    krb5_keytab file = NULL;
    krb5_error_code code = krb5_kt_resolve(context, keytab, &file);
    if (code == 0)
        code = krb5_get_init_creds_opt_alloc(context, &options);
    if (code == 0) {
        krb5_get_init_creds_opt_set_forwardable(options, 1);
        code = krb5_get_init_creds_keytab(context, got, own, file, 0, NULL, options);
    }
    krb5_get_init_creds_opt_free(context, options);
    if (file != NULL)
        krb5_kt_close(context, file);
    return code;
}

static krb5_error_code keep_ticket(fg_s4u_service_t *service, krb5_principal own, krb5_creds *got) {
    krb5_error_code code = krb5_cc_new_unique(service->context, "MEMORY", NULL, &service->cache);
    if (code == 0)
        code = krb5_cc_initialize(service->context, service->cache, own);
    if (code == 0)
        code = krb5_cc_store_cred(service->context, service->cache, got);
    service->lifetime_ms = ((int64_t)got->times.endtime - (int64_t)got->times.starttime) * 1000;
    return code;
}

static bool acquire(fg_s4u_service_t *service, fg_err_t *err) {
    gss_OID_set_desc mechanisms = {1, (gss_OID)gss_mech_krb5};
    char *name = NULL;
    if (krb5_cc_get_full_name(service->context, service->cache, &name) != 0)
        return FG_FAIL(err, FG_E_MEMORY, "a credential cache");
    gss_key_value_element_desc element = {"ccache", name};
    const gss_key_value_set_desc store = {1, &element};
    OM_uint32 minor, major = gss_acquire_cred_from(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechanisms, GSS_C_INITIATE,
                                                   &store, &service->credential, NULL, NULL);
    krb5_free_string(service->context, name);
    return major == GSS_S_COMPLETE || fail_gss(major, minor, "the gateway's own ticket", err);
}

bool fg_s4u_sign_in(const char *keytab, const char *principal, fg_s4u_service_t *service, fg_err_t *err) {
    krb5_principal own = NULL;
    krb5_creds got;
    memset(&got, 0, sizeof got);
    *service = (fg_s4u_service_t){.credential = GSS_C_NO_CREDENTIAL};
    if (krb5_init_context(&service->context) != 0)
        return FG_FAIL(err, FG_E_DELEGATION_SERVICE, "krb5.conf cannot be used");
    krb5_error_code code = krb5_parse_name(service->context, principal, &own);
    if (code == 0)
        code = ask_for_ticket(service->context, keytab, own, &got);
    if (code == 0)
        code = keep_ticket(service, own, &got);
    bool ok = code == 0 ? acquire(service, err) : fail_own(service->context, code, principal, err);
    krb5_free_cred_contents(service->context, &got);
    krb5_free_principal(service->context, own);
    if (!ok)
        fg_s4u_sign_out(service);
    return ok;
}

void fg_s4u_sign_out(fg_s4u_service_t *service) {
    OM_uint32 minor;
    if (service->context == NULL)
        return;
    gss_release_cred(&minor, &service->credential);
    if (service->cache != NULL)
        krb5_cc_destroy(service->context, service->cache);
    krb5_free_context(service->context);
    *service = (fg_s4u_service_t){.credential = GSS_C_NO_CREDENTIAL};
}

/* ---- other people's tickets */

static OM_uint32 impersonate(const fg_s4u_service_t *service, gss_name_t person, gss_cred_id_t *credential,
                             OM_uint32 *minor) {
    gss_OID_set_desc mechanisms = {1, (gss_OID)gss_mech_krb5};
    return gss_acquire_cred_impersonate_name(minor, service->credential, person, GSS_C_INDEFINITE, &mechanisms,
                                             GSS_C_INITIATE, credential, NULL, NULL);
}

/* No NUL ends it. */
static bool is_text(const krb5_data *data, const char *text) {
    return fg_str_is((fg_str_t){data->data, data->length}, text);
}

/* Whether a ticket that a KDC gave in somebody's name to the gateway may be shown to get the next.  Its server is not
 * the ticket-granting service. */
static bool is_forwardable(const fg_s4u_service_t *service, gss_cred_id_t credential) {
    krb5_context context = service->context;
    krb5_ccache copy = NULL;
    krb5_cc_cursor cursor;
    krb5_creds one;
    OM_uint32 minor;
    bool found = false;
    if (krb5_cc_new_unique(context, "MEMORY", NULL, &copy) != 0)
        return false;
    if (gss_krb5_copy_ccache(&minor, credential, copy) == GSS_S_COMPLETE &&
        krb5_cc_start_seq_get(context, copy, &cursor) == 0) {
        while (krb5_cc_next_cred(context, copy, &cursor, &one) == 0) {
            bool own = krb5_is_config_principal(context, one.server) ||
                       (one.server->length > 0 && is_text(&one.server->data[0], "krbtgt"));
            found = found || (!own && (one.ticket_flags & TKT_FLG_FORWARDABLE) != 0);
            krb5_free_cred_contents(context, &one);
        }
        krb5_cc_end_seq_get(context, copy, &cursor);
    }
    krb5_cc_destroy(context, copy);
    return found;
}

/* The KDC has one word for three things.  A ticket in somebody's name that may not be forwarded: that account must not
 * be delegated, or the gateway's is not trusted to act for whoever brings no ticket of Kerberos; then it never got a
 * better one. */
static void look_closer(const fg_s4u_service_t *service, gss_cred_id_t credential, bool *trusted, fg_err_t *err) {
    if (is_forwardable(service, credential)) {
        *trusted = true;
        fg_err_prefix(err, "the gateway's account is not allowed to delegate to it");
    } else if (*trusted) {
        err->code = FG_E_DELEGATION_SENSITIVE;
        fg_err_prefix(err, "the account is sensitive and cannot be delegated");
    } else {
        fg_err_prefix(err, "the gateway's account is not trusted to authenticate for delegation, or this person's is "
                           "sensitive");
    }
}

static OM_uint32 init(const fg_s4u_ticket_t *ticket, gss_buffer_t token, OM_uint32 *lifetime, OM_uint32 *minor) {
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    OM_uint32 ignored, major = gss_init_sec_context(
                           minor, ticket->credential, &context, ticket->target, (gss_OID)gss_mech_krb5, 0,
                           GSS_C_INDEFINITE, GSS_C_NO_CHANNEL_BINDINGS, GSS_C_NO_BUFFER, NULL, token, NULL, lifetime);
    if (context != GSS_C_NO_CONTEXT) /* the answer's token is not waited for: TLS says who answers */
        gss_delete_sec_context(&ignored, &context, GSS_C_NO_BUFFER);
    return major;
}

/* With the first token the library gets the ticket and keeps it beside the credential. */
static bool get_ticket(const fg_s4u_service_t *service, const char *target, fg_s4u_ticket_t *ticket, bool *trusted,
                       fg_err_t *err) {
    gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor, ignored, lifetime = 0, own = 0;
    OM_uint32 major = init(ticket, &token, &own, &minor);
    bool ok = !GSS_ERROR(major) || fail_gss(major, minor, target, err);
    gss_release_buffer(&ignored, &token);
    if (!ok && err->code == FG_E_DELEGATION_NOT_ALLOWED)
        look_closer(service, ticket->credential, trusted, err);
    if (gss_inquire_cred(&minor, ticket->credential, NULL, &lifetime, NULL, NULL) != GSS_S_COMPLETE)
        lifetime = 0;
    if (own < lifetime)
        lifetime = own;
    ticket->lifetime_ms = (int64_t)lifetime * 1000;
    *trusted = *trusted || ok;
    return ok;
}

bool fg_s4u_get_ticket(const fg_s4u_service_t *service, const char *person, const char *target, fg_s4u_ticket_t *ticket,
                       bool *trusted, fg_err_t *err) {
    gss_name_t name = GSS_C_NO_NAME;
    OM_uint32 minor, ignored, major;
    *ticket = (fg_s4u_ticket_t){.credential = GSS_C_NO_CREDENTIAL};
    bool ok = import(person, (gss_OID)GSS_KRB5_NT_PRINCIPAL_NAME, &name, err) &&
              import(target, (gss_OID)GSS_KRB5_NT_PRINCIPAL_NAME, &ticket->target, err);
    if (ok) {
        major = impersonate(service, name, &ticket->credential, &minor);
        ok = major == GSS_S_COMPLETE || fail_gss(major, minor, person, err);
    }
    ok = ok && get_ticket(service, target, ticket, trusted, err);
    gss_release_name(&ignored, &name);
    if (!ok)
        fg_s4u_ticket_free(ticket);
    return ok;
}

void fg_s4u_ticket_free(fg_s4u_ticket_t *ticket) {
    OM_uint32 minor;
    gss_release_cred(&minor, &ticket->credential);
    gss_release_name(&minor, &ticket->target);
    *ticket = (fg_s4u_ticket_t){.credential = GSS_C_NO_CREDENTIAL};
}

/* ---- SPNEGO */

static void put_der(fg_buf_t *out, unsigned char tag, fg_str_t content) {
    fg_buf_putc(out, (char)tag);
    if (content.n >= 0x80) {
        unsigned bytes = content.n < 0x100 ? 1 : content.n < 0x10000 ? 2 : 3;
        fg_buf_putc(out, (char)(0x80 | bytes));
        while (bytes-- > 1)
            fg_buf_putc(out, (char)(content.n >> (8 * bytes)));
    }
    fg_buf_putc(out, (char)content.n);
    fg_buf_put_str(out, content);
}

/* RFC 4178 §4.2.1: a NegTokenInit that offers Kerberos alone, with its token.  MIT's own SPNEGO takes no credential of
 * another mechanism's, and with one mechanism there is nothing to negotiate. */
static bool wrap(fg_str_t kerberos, fg_arena_t *arena, fg_str_t *token) {
    static const char mechanisms[] = "\xa0\x0d\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";
    static const char oid[] = "\x06\x06\x2b\x06\x01\x05\x05\x02";
    static const unsigned char tags[] = {0x04, 0xa2, 0x30, 0xa0, 0x60}; /* from the inside */
    static const fg_str_t before[] = {{NULL, 0}, {NULL, 0}, {mechanisms, 15}, {NULL, 0}, {oid, 8}};
    fg_str_t inner = kerberos;
    for (size_t i = 0; i < FG_ARRAY_SIZE(tags); i++) {
        fg_buf_t out = FG_BUF_INIT(TOKEN_MAX);
        const fg_str_t parts[] = {before[i], inner};
        fg_str_t content = before[i].n > 0 ? fg_arena_join(arena, parts, 2) : inner;
        if (content.p != NULL)
            put_der(&out, tags[i], content);
        inner = content.p != NULL && fg_buf_ok(&out) ? fg_arena_str(arena, fg_buf_str(&out)) : FG_STR_NONE;
        fg_buf_free(&out);
        if (inner.p == NULL)
            return false;
    }
    *token = inner;
    return true;
}

bool fg_s4u_token(const fg_s4u_ticket_t *ticket, fg_arena_t *arena, fg_str_t *token, fg_err_t *err) {
    gss_buffer_desc made = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor, ignored, major = init(ticket, &made, NULL, &minor);
    bool ok = !GSS_ERROR(major) || fail_gss(major, minor, "a token", err);
    if (ok) {
        ok =
            wrap((fg_str_t){made.value, made.length}, arena, token) || FG_FAIL(err, FG_E_MEMORY, "a token of Kerberos");
    }
    gss_release_buffer(&ignored, &made);
    return ok;
}
