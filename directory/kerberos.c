/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/kerberos.h"

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define PRINCIPAL_MAX 512u

struct fg_kerberos {
    fg_kerberos_options_t options;
    char *replay_cache; /* "file2:…" */
    gss_cred_id_t credentials[FG_KERBEROS_SERVICES];
};

static gss_OID_desc spnego = {6, (void *)(uintptr_t) "\x2b\x06\x01\x05\x05\x02"}; /* RFC 4178 §4: 1.3.6.1.5.5.2 */

/* ---- what goes wrong */

/* By the words of MIT Kerberos: through SPNEGO its codes come out under numbers that differ from process to process,
 * and several of them stand for what its words tell apart. */
static const struct {
    const char *words;
    fg_reason_t reason;
} causes[] = {
    {"does not match server principal", FG_R_KERBEROS_SERVICE},
    {"Request is a replay", FG_R_KERBEROS_REPLAY},
    {"Ticket expired", FG_R_KERBEROS_EXPIRED},
    {"Clock skew too great", FG_R_KERBEROS_CLOCK},
    {"Ticket not yet valid", FG_R_KERBEROS_CLOCK},
    {"Cannot decrypt ticket", FG_R_KERBEROS_KEY},
    {"Decrypt integrity check failed", FG_R_KERBEROS_KEY},
    {"is likely out of date", FG_R_KERBEROS_KEY},
    {"found in keytab but", FG_R_KERBEROS_KEY},
    {"not found in keytab", FG_R_KERBEROS_SERVICE},
    {"does not match request ticket server", FG_R_KERBEROS_SERVICE},
    {"No keys in keytab", FG_R_KERBEROS_KEYTAB},
    {"keytab", FG_R_KERBEROS_KEYTAB},
};

static fg_reason_t reason_of(OM_uint32 major, const char *words) {
    if (GSS_ROUTINE_ERROR(major) == GSS_S_BAD_BINDINGS)
        return FG_R_KERBEROS_BINDING;
    if ((major & (GSS_S_DUPLICATE_TOKEN | GSS_S_OLD_TOKEN)) != 0)
        return FG_R_KERBEROS_REPLAY;
    for (size_t i = 0; i < FG_ARRAY_SIZE(causes); i++)
        if (strstr(words, causes[i].words) != NULL)
            return causes[i].reason;
    return FG_R_KERBEROS_TOKEN;
}

static void describe(OM_uint32 status, int kind, char *out, size_t size) {
    OM_uint32 minor, more = 0;
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
    out[0] = '\0';
    if (gss_display_status(&minor, status, kind, GSS_C_NO_OID, &more, &text) == GSS_S_COMPLETE)
        snprintf(out, size, "%.*s", (int)text.length, (const char *)text.value);
    gss_release_buffer(&minor, &text);
}

static bool fail(fg_err_t *err, fg_code_t code, const char *what, OM_uint32 major, OM_uint32 minor) {
    char first[160], second[240];
    describe(major, GSS_C_GSS_CODE, first, sizeof first);
    describe(minor, GSS_C_MECH_CODE, second, sizeof second);
    fg_reason_t reason = code == FG_E_AUTH_KERBEROS ? reason_of(major, second) : FG_R_NONE;
    return FG_FAIL_FOR(err, code, reason, "%s: %s (%s)", what, first, second);
}

/* ---- the credential */

/* Of several names with one key MIT Kerberos takes the first in the keytab for the ticket's.  So for HTTP the keys of
 * HTTP/ alone are tried, wherever they stand: a keytab of a whole computer begins with host/. */
static const char *const names[FG_KERBEROS_SERVICES] = {[FG_KERBEROS_HTTP] = "HTTP", [FG_KERBEROS_MESSAGE] = NULL};

static bool import_name(const char *text, gss_name_t *name, fg_err_t *err) {
    OM_uint32 minor;
    gss_buffer_desc service = {text ? strlen(text) : 0, (void *)(uintptr_t)text};
    *name = GSS_C_NO_NAME;
    if (text == NULL)
        return true;
    OM_uint32 major = gss_import_name(&minor, &service, GSS_C_NT_HOSTBASED_SERVICE, name);
    return !GSS_ERROR(major) || fail(err, FG_E_INTERNAL, text, major, minor);
}

static bool acquire(fg_kerberos_t *kerberos, fg_kerberos_service_t service, fg_err_t *err) {
    gss_cred_id_t *credential = &kerberos->credentials[service];
    gss_name_t name;
    if (!import_name(names[service], &name, err))
        return false;
    gss_key_value_element_desc elements[] = {{"keytab", kerberos->options.keytab}, {"rcache", kerberos->replay_cache}};
    const gss_key_value_set_desc store = {FG_ARRAY_SIZE(elements), elements};
    gss_OID_desc both[] = {*gss_mech_krb5, spnego};
    gss_OID_set_desc mechanisms = {FG_ARRAY_SIZE(both), both}, kerberos_alone = {1, gss_mech_krb5};
    OM_uint32 minor;
    OM_uint32 major = gss_acquire_cred_from(&minor, name, GSS_C_INDEFINITE, &mechanisms, GSS_C_ACCEPT, &store,
                                            credential, NULL, NULL);
    bool good = !GSS_ERROR(major) || fail(err, FG_E_FILE, kerberos->options.keytab, major, minor);
    gss_release_name(&minor, &name);
    if (!good)
        return false;
    major = gss_set_neg_mechs(&minor, *credential, &kerberos_alone); /* KL-01 */
    return !GSS_ERROR(major) || fail(err, FG_E_INTERNAL, "SPNEGO", major, minor);
}

fg_kerberos_t *fg_kerberos_new(const fg_kerberos_options_t *options, fg_err_t *err) {
    fg_kerberos_t *kerberos = calloc(1, sizeof *kerberos);
    if (kerberos == NULL || asprintf(&kerberos->replay_cache, "file2:%s", options->replay_cache) < 0) {
        free(kerberos);
        FG_FAIL(err, FG_E_MEMORY, "Kerberos");
        return NULL;
    }
    kerberos->options = *options;
    if (acquire(kerberos, FG_KERBEROS_HTTP, err) && acquire(kerberos, FG_KERBEROS_MESSAGE, err))
        return kerberos;
    fg_kerberos_free(kerberos);
    return NULL;
}

void fg_kerberos_free(fg_kerberos_t *kerberos) {
    OM_uint32 minor;
    if (kerberos == NULL)
        return;
    for (size_t i = 0; i < FG_KERBEROS_SERVICES; i++)
        if (kerberos->credentials[i] != GSS_C_NO_CREDENTIAL)
            gss_release_cred(&minor, &kerberos->credentials[i]);
    free(kerberos->replay_cache);
    free(kerberos);
}

/* ---- whose ticket, and for whom */

static bool copy_name(fg_arena_t *arena, gss_name_t name, fg_str_t *out, fg_err_t *err) {
    OM_uint32 minor;
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
    *out = FG_STR_NONE;
    if (gss_display_name(&minor, name, &text, NULL) == GSS_S_COMPLETE && text.length <= PRINCIPAL_MAX)
        *out = fg_arena_str(arena, (fg_str_t){text.value, text.length});
    gss_release_buffer(&minor, &text);
    return out->n > 0 || FG_FAIL_FOR(err, FG_E_AUTH_KERBEROS, FG_R_KERBEROS_PRINCIPAL, "no name that can be read");
}

static bool is_ours(const fg_kerberos_t *kerberos, fg_str_t realm) {
    for (size_t i = 0; i < kerberos->options.realm_count; i++)
        if (fg_str_eq(kerberos->options.realms[i], realm))
            return true;
    return false;
}

static bool has_strange(fg_str_t name) {
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < ' ' || name.p[i] == 0x7f || strchr("/\\@", name.p[i]) != NULL)
            return true;
    return !fg_str_is_utf8(name);
}

/* RFC 1964 §2.1.1: the text quotes with backslashes what a component holds of '/', '@' and backslash.  A person's name
 * has none of them, and one component (KL-05). */
static bool split_principal(const fg_kerberos_t *kerberos, fg_kerberos_ticket_t *ticket, fg_err_t *err) {
    fg_str_t text = ticket->principal;
    const char *at = memrchr(text.p, '@', text.n);
    if (at == NULL)
        return FG_FAIL_FOR(err, FG_E_AUTH_KERBEROS, FG_R_KERBEROS_PRINCIPAL, "principal without a realm");
    ticket->name = (fg_str_t){text.p, (size_t)(at - text.p)};
    ticket->realm = (fg_str_t){at + 1, text.n - ticket->name.n - 1};
    if (!is_ours(kerberos, ticket->realm))
        return FG_FAIL_FOR(err, FG_E_AUTH_KERBEROS, FG_R_KERBEROS_REALM, "principal \"%.*s\" of another realm",
                           FG_STR_ARG(text));
    if (ticket->name.n == 0 || has_strange(ticket->name))
        return FG_FAIL_FOR(err, FG_E_AUTH_KERBEROS, FG_R_KERBEROS_PRINCIPAL, "principal \"%.*s\" is no person's",
                           FG_STR_ARG(text));
    return ticket->name.p[ticket->name.n - 1] != '$' || kerberos->options.machines ||
           FG_FAIL_FOR(err, FG_E_AUTH_KERBEROS, FG_R_KERBEROS_PRINCIPAL, "principal \"%.*s\" is a computer's",
                       FG_STR_ARG(text));
}

/* KL-02.  Whose key opened the ticket is what counts: the name in it is not protected (RFC 4120 §5.3), and in Active
 * Directory all names of an account have one key. */
static bool check_service(fg_kerberos_service_t wanted, const fg_kerberos_ticket_t *ticket, fg_err_t *err) {
    bool fits = fg_str_starts(ticket->service, "HTTP/") ||
                (wanted == FG_KERBEROS_MESSAGE && fg_str_starts(ticket->service, "host/"));
    return fits || FG_FAIL_FOR(err, FG_E_AUTH_KERBEROS, FG_R_KERBEROS_SERVICE, "the ticket is for \"%.*s\"",
                               FG_STR_ARG(ticket->service));
}

/* One that GSSAPI did not verify is passed over, and so is one that cannot be read: it says nothing then. */
static bool read_pac(fg_arena_t *arena, gss_name_t name, fg_kerberos_ticket_t *ticket) {
    static const char attribute[] = "urn:mspac:logon-info";
    gss_buffer_desc wanted = {sizeof attribute - 1, (void *)(uintptr_t)attribute};
    gss_buffer_desc value = GSS_C_EMPTY_BUFFER, shown = GSS_C_EMPTY_BUFFER;
    int authenticated = 0, complete = 0, more = -1;
    OM_uint32 minor;
    OM_uint32 major = gss_get_name_attribute(&minor, name, &wanted, &authenticated, &complete, &value, &shown, &more);
    bool good = !GSS_ERROR(major) && authenticated != 0 &&
                fg_pac_read(arena, (fg_str_t){value.value, value.length}, &ticket->pac, NULL);
    gss_release_buffer(&minor, &value);
    gss_release_buffer(&minor, &shown);
    return good;
}

static bool read_context(const fg_kerberos_t *kerberos, fg_arena_t *arena, fg_kerberos_service_t service,
                         gss_ctx_id_t context, fg_kerberos_ticket_t *ticket, fg_err_t *err) {
    gss_name_t initiator = GSS_C_NO_NAME, acceptor = GSS_C_NO_NAME;
    gss_OID mechanism = GSS_C_NO_OID;
    OM_uint32 minor, flags = 0;
    OM_uint32 major = gss_inquire_context(&minor, context, &initiator, &acceptor, NULL, &mechanism, &flags, NULL, NULL);
    bool good = !GSS_ERROR(major) || fail(err, FG_E_AUTH_KERBEROS, "context", major, minor);
    if (good && (mechanism == GSS_C_NO_OID || mechanism->length != gss_mech_krb5->length ||
                 memcmp(mechanism->elements, gss_mech_krb5->elements, mechanism->length) != 0))
        good = FG_FAIL_FOR(err, FG_E_AUTH_KERBEROS, FG_R_KERBEROS_TOKEN, "another mechanism than Kerberos");
    ticket->bound = (flags & GSS_C_CHANNEL_BOUND_FLAG) != 0;
    good = good && copy_name(arena, initiator, &ticket->principal, err) &&
           copy_name(arena, acceptor, &ticket->service, err) && check_service(service, ticket, err) &&
           split_principal(kerberos, ticket, err);
    if (good)
        ticket->has_pac = read_pac(arena, initiator, ticket);
    gss_release_name(&minor, &initiator);
    gss_release_name(&minor, &acceptor);
    return good;
}

/* Kerberos Token Profile 1.1 §3.4: what a message is signed with is the client's subkey, else the session key.  (The
 * inquiry for the session key would tell the acceptor's own subkey, which no client knows that sends one message.) */
static bool read_key(fg_arena_t *arena, gss_ctx_id_t *context, fg_kerberos_ticket_t *ticket, fg_err_t *err) {
    void *exported = NULL;
    OM_uint32 minor, ignored;
    OM_uint32 major = gss_krb5_export_lucid_sec_context(&minor, context, 1, &exported);
    if (GSS_ERROR(major))
        return fail(err, FG_E_AUTH_KERBEROS, "session key", major, minor);
    const gss_krb5_lucid_context_v1_t *lucid = exported;
    const gss_krb5_lucid_key_t *key = lucid->protocol == 0 ? &lucid->rfc1964_kd.ctx_key : &lucid->cfx_kd.ctx_key;
    ticket->key = fg_arena_str(arena, (fg_str_t){key->data, key->length});
    explicit_bzero(key->data, key->length);
    gss_krb5_free_lucid_sec_context(&ignored, exported);
    return ticket->key.p != NULL || FG_FAIL(err, FG_E_MEMORY, "session key");
}

/* ---- a token */

/* NTLM, alone ([MS-NLMP] §2.2.1) or as what SPNEGO proposes ([MS-SPNG] §1.9: 1.3.6.1.4.1.311.2.2.10). */
static bool is_ntlm(fg_str_t token) {
    return (token.n >= 8 && memcmp(token.p, "NTLMSSP", 8) == 0) ||
           memmem(token.p, token.n, "\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a", 10) != NULL;
}

/* RFC 5929 §4: the prefix, and the hash behind it; without one GSSAPI looks at no binding. */
static gss_channel_bindings_t bind_channel(fg_str_t hash, char *room, size_t size, gss_channel_bindings_t bindings) {
    static const char prefix[] = "tls-server-end-point:";
    if (hash.n == 0 || hash.n > size - (sizeof prefix - 1))
        return GSS_C_NO_CHANNEL_BINDINGS;
    memcpy(room, prefix, sizeof prefix - 1);
    memcpy(room + sizeof prefix - 1, hash.p, hash.n);
    bindings->application_data = (gss_buffer_desc){sizeof prefix - 1 + hash.n, room};
    return bindings;
}

static bool judge(OM_uint32 major, OM_uint32 minor, fg_str_t token, fg_err_t *err) {
    if (major == GSS_S_COMPLETE)
        return true;
    if (!GSS_ERROR(major) && !is_ntlm(token))
        return FG_FAIL_FOR(err, FG_E_AUTH_KERBEROS, FG_R_KERBEROS_ROUNDS, "another round would be needed");
    fg_err_t why = FG_ERR_INIT;
    fail(&why, FG_E_AUTH_KERBEROS, "ticket", major, minor);
    if (why.reason == FG_R_KERBEROS_TOKEN && is_ntlm(token))
        return FG_FAIL_FOR(err, FG_E_AUTH_KERBEROS, FG_R_KERBEROS_NTLM, "the client has no ticket and offers NTLM");
    if (err != NULL)
        *err = why;
    return false;
}

bool fg_kerberos_accept(fg_kerberos_t *kerberos, fg_arena_t *arena, fg_kerberos_service_t service, fg_str_t token,
                        fg_str_t binding, fg_kerberos_ticket_t *ticket, fg_err_t *err) {
    char room[128];
    struct gss_channel_bindings_struct bindings = {0};
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_cred_id_t delegated = GSS_C_NO_CREDENTIAL;
    gss_buffer_desc in = {token.n, (void *)(uintptr_t)token.p}, out = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor, ignored;
    *ticket = (fg_kerberos_ticket_t){0};
    if (token.n == 0 || token.n > FG_KERBEROS_TOKEN_MAX)
        return FG_FAIL_FOR(err, FG_E_AUTH_KERBEROS, FG_R_KERBEROS_TOKEN, "a token of %zu bytes", token.n);
    OM_uint32 major = gss_accept_sec_context(&minor, &context, kerberos->credentials[service], &in,
                                             bind_channel(binding, room, sizeof room, &bindings), NULL, NULL, &out,
                                             NULL, NULL, &delegated);
    bool good = judge(major, minor, token, err) && read_context(kerberos, arena, service, context, ticket, err);
    if (good && out.length > 0) {
        ticket->answer = fg_arena_str(arena, (fg_str_t){out.value, out.length});
        good = ticket->answer.p != NULL || FG_FAIL(err, FG_E_MEMORY, "an answer");
    }
    if (good && service == FG_KERBEROS_MESSAGE)
        good = read_key(arena, &context, ticket, err);
    gss_release_buffer(&ignored, &out);
    if (delegated != GSS_C_NO_CREDENTIAL)
        gss_release_cred(&ignored, &delegated);
    if (context != GSS_C_NO_CONTEXT)
        gss_delete_sec_context(&ignored, &context, GSS_C_NO_BUFFER);
    return good;
}
