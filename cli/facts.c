/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/facts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "core/crypto.h"
#include "core/time.h"

#define NAMES_MAX 20 /* of a certificate */

/* ---- the list */

static void add(fg_facts_t *facts, fg_fact_t fact) {
    if (fact.value.p == NULL || facts->count == FG_FACTS_MAX)
        return;
    facts->items[facts->count++] = fact;
}

void fg_facts_add(fg_facts_t *facts, const char *name, fg_str_t value) {
    add(facts, (fg_fact_t){.name = name, .value = value});
}

void fg_facts_add_time(fg_facts_t *facts, const char *name, fg_str_t value) {
    add(facts, (fg_fact_t){.name = name, .value = value, .is_time = true});
}

void fg_facts_add_secret(fg_facts_t *facts, const char *name, fg_str_t value) {
    add(facts, (fg_fact_t){.name = name, .value = value, .is_secret = true});
}

void fg_facts_warn(fg_facts_t *facts, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    char *copy = fg_arena_strdup(facts->arena, text);
    if (copy != NULL && facts->warning_count < FG_WARNINGS_MAX)
        facts->warnings[facts->warning_count++] = copy;
}

fg_str_t fg_facts_get(const fg_facts_t *facts, const char *name) {
    for (size_t i = 0; i < facts->count; i++)
        if (strcmp(facts->items[i].name, name) == 0)
            return facts->items[i].value;
    return FG_STR_NONE;
}

fg_str_t fg_facts_join(const fg_facts_t *facts, const char *name) {
    fg_buf_t out = FG_BUF_INIT(4096);
    for (size_t i = 0; i < facts->count; i++) {
        if (strcmp(facts->items[i].name, name) != 0)
            continue;
        if (out.length > 0)
            fg_buf_puts(&out, ", ");
        fg_buf_put_str(&out, facts->items[i].value);
    }
    fg_str_t text = out.length > 0 ? fg_arena_str(facts->arena, fg_buf_str(&out)) : FG_STR_NONE;
    fg_buf_free(&out);
    return text;
}

/* ---- for people */

void fg_facts_age(int64_t ms, int64_t now_ms, char out[FG_FACTS_AGE_SIZE]) {
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {
        {365 * FG_DAY, "year"}, {FG_DAY, "day"}, {FG_HOUR, "hour"}, {FG_MINUTE, "minute"}, {FG_SECOND, "second"}};
    int64_t away = ms > now_ms ? ms - now_ms : now_ms - ms;
    size_t i = 0;
    while (i + 1 < FG_ARRAY_SIZE(units) && away < 2 * units[i].ms)
        i++;
    int64_t count = away / units[i].ms;
    if (count == 0)
        snprintf(out, FG_FACTS_AGE_SIZE, "now");
    else
        snprintf(out, FG_FACTS_AGE_SIZE, ms > now_ms ? "in %" PRId64 " %s%s" : "%" PRId64 " %s%s ago", count,
                 units[i].unit, count == 1 ? "" : "s");
}

const char *fg_facts_shorten(fg_arena_t *arena, fg_str_t value) {
    int shown = value.n > 24 ? 8 : 0;
    char *text = fg_arena_printf(arena, "%.*s… (%zu characters; --reveal shows them)", shown, value.p, value.n);
    return text != NULL ? text : "";
}

/* ---- certificates */

static fg_str_t name_of(fg_facts_t *facts, const X509_NAME *name) {
    BIO *out = BIO_new(BIO_s_mem());
    char *data = NULL;
    fg_str_t text = FG_STR_NONE;
    if (out != NULL && X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
        long length = BIO_get_mem_data(out, &data);
        text = fg_arena_str(facts->arena, (fg_str_t){data, (size_t)length});
    }
    BIO_free(out);
    return text;
}

static fg_str_t time_of(fg_facts_t *facts, const ASN1_TIME *time) {
    struct tm tm;
    if (ASN1_TIME_to_tm(time, &tm) != 1)
        return FG_STR_NONE;
    return fg_str(fg_arena_printf(facts->arena, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
                                  tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec));
}

static const char *joined(fg_facts_t *facts, const char *prefix, const char *name) {
    const char *text = fg_arena_printf(facts->arena, "%s%s", prefix, name);
    return text != NULL ? text : name;
}

/* The servers that it is for (RFC 5280 §4.2.1.6). */
static void add_names(fg_facts_t *facts, const char *fact, const X509 *x509) {
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; names != NULL && i < sk_GENERAL_NAME_num(names) && i < NAMES_MAX; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS)
            fg_facts_add(facts, fact,
                         fg_arena_str(facts->arena, (fg_str_t){(const char *)ASN1_STRING_get0_data(name->d.dNSName),
                                                               (size_t)ASN1_STRING_length(name->d.dNSName)}));
    }
    GENERAL_NAMES_free(names);
}

void fg_facts_add_certificate(fg_facts_t *facts, const char *prefix, fg_str_t der) {
    const unsigned char *at = (const unsigned char *)der.p;
    unsigned char sha1[FG_SHA1_SIZE];
    char hex[2 * FG_SHA1_SIZE + 1];
    int64_t end;
    X509 *x509 = d2i_X509(NULL, &at, (long)der.n);
    if (x509 == NULL) {
        fg_facts_warn(facts, "the certificate cannot be read");
        return;
    }
    fg_sha1(der.p, der.n, sha1);
    fg_hex_encode(sha1, sizeof sha1, hex);
    for (char *c = hex; *c != '\0'; c++)
        *c = *c >= 'a' ? (char)(*c - 32) : *c;
    fg_str_t until = time_of(facts, X509_get0_notAfter(x509));
    fg_facts_add(facts, joined(facts, prefix, "certificate"), name_of(facts, X509_get_subject_name(x509)));
    if (X509_NAME_cmp(X509_get_subject_name(x509), X509_get_issuer_name(x509)) != 0)
        fg_facts_add(facts, joined(facts, prefix, "certificate_issuer"), name_of(facts, X509_get_issuer_name(x509)));
    if (*prefix == '\0') /* by itself; of those in documents, what tells them apart is enough */
        add_names(facts, "certificate_name", x509);
    fg_facts_add(facts, joined(facts, prefix, "thumbprint"), fg_arena_str(facts->arena, fg_str(hex)));
    if (*prefix == '\0')
        fg_facts_add_time(facts, "certificate_from", time_of(facts, X509_get0_notBefore(x509)));
    fg_facts_add_time(facts, joined(facts, prefix, "certificate_until"), until);
    if (until.p != NULL && fg_time_parse(until, &end) && end < facts->now_ms)
        fg_facts_warn(facts, "the certificate %s has expired", hex);
    X509_free(x509);
}

static void read_certificate(fg_facts_t *facts, const fg_piece_t *piece) {
    BIO *in = BIO_new_mem_buf(piece->bytes.p, (int)piece->bytes.n);
    X509 *x509 = in != NULL ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
    unsigned char *der = NULL;
    int length = x509 != NULL ? i2d_X509(x509, &der) : 0;
    if (length > 0)
        fg_facts_add_certificate(facts, "", (fg_str_t){(const char *)der, (size_t)length});
    else
        fg_facts_warn(facts, "the certificate cannot be read");
    OPENSSL_free(der);
    X509_free(x509);
    BIO_free(in);
}

/* ---- forms and addresses */

static void read_params(fg_facts_t *facts, const fg_piece_t *piece) {
    static const char *const secrets[] = {"password",      "client_secret", "code",      "refresh_token",
                                          "code_verifier", "openid.sig",    "Signature", "Password"};
    for (size_t i = 0; i < piece->params.count; i++) {
        const fg_param_t *param = &piece->params.items[i];
        const char *name = fg_arena_strndup(facts->arena, param->name.p, param->name.n);
        bool secret = param->value.n > 400;
        for (size_t k = 0; k < FG_ARRAY_SIZE(secrets); k++)
            secret = secret || strcmp(name ? name : "", secrets[k]) == 0;
        if (name != NULL)
            add(facts, (fg_fact_t){.name = name, .value = param->value, .is_secret = secret});
    }
}

/* ---- the whole */

static const struct {
    fg_piece_kind_t first, last;
    void (*read)(fg_facts_t *, const fg_piece_t *);
} readers[] = {
    {FG_PIECE_URL, FG_PIECE_HTML, read_params},          {FG_PIECE_ENTITY, FG_PIECE_WSDL, fg_facts_read_metadata},
    {FG_PIECE_XML, FG_PIECE_MESSAGE, fg_facts_read_xml}, {FG_PIECE_JSON, FG_PIECE_TOKEN_RESPONSE, fg_facts_read_json},
    {FG_PIECE_OPENID2, FG_PIECE_OPENID2, read_params},   {FG_PIECE_CERTIFICATE, FG_PIECE_CERTIFICATE, read_certificate},
};

void fg_facts_read(fg_arena_t *arena, const fg_piece_t *piece, int64_t now_ms, fg_facts_t *facts) {
    *facts = (fg_facts_t){.arena = arena, .now_ms = now_ms};
    for (size_t i = 0; i < FG_ARRAY_SIZE(readers); i++)
        if (piece->kind >= readers[i].first && piece->kind <= readers[i].last)
            readers[i].read(facts, piece);
}
