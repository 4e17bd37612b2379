/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * accept < TOKENS   takes GSS tokens, base64, a line each, by bare gss_accept_sec_context with the keytab of
 * $KRB5_KTNAME, and prints the CPU microseconds of each on average. */
#include <gssapi/gssapi.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TOKEN_MAX 65536

static double cpu(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* As a server does that has no connection to remember: credentials, context and names are got and given back for each.
 */
static bool is_accepted(unsigned char *token, size_t length) {
    OM_uint32 minor, major;
    gss_cred_id_t credentials = GSS_C_NO_CREDENTIAL;
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_name_t name = GSS_C_NO_NAME;
    gss_buffer_desc in = {length, token}, out = GSS_C_EMPTY_BUFFER;
    major = gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, GSS_C_NO_OID_SET, GSS_C_ACCEPT, &credentials,
                             NULL, NULL);
    if (major == GSS_S_COMPLETE)
        major = gss_accept_sec_context(&minor, &context, credentials, &in, GSS_C_NO_CHANNEL_BINDINGS, &name, NULL, &out,
                                       NULL, NULL, NULL);
    gss_release_buffer(&minor, &out);
    gss_release_name(&minor, &name);
    gss_delete_sec_context(&minor, &context, GSS_C_NO_BUFFER);
    gss_release_cred(&minor, &credentials);
    return major == GSS_S_COMPLETE;
}

int main(void) {
    static char line[TOKEN_MAX];
    static unsigned char token[TOKEN_MAX];
    double spent = 0;
    unsigned count = 0;
    while (fgets(line, sizeof line, stdin) != NULL) {
        const size_t length = strcspn(line, "\r\n"),
                     padding = (length > 0 && line[length - 1] == '=') + (length > 1 && line[length - 2] == '=');
        const int decoded = EVP_DecodeBlock(token, (unsigned char *)line, (int)length);
        const double before = cpu();
        if (decoded < 0 || !is_accepted(token, (size_t)decoded - padding)) {
            fprintf(stderr, "accept: token %u is refused\n", count);
            return 1;
        }
        spent += cpu() - before;
        count++;
    }
    if (count == 0)
        return 2;
    printf("%.1f\n", spent / count);
    return 0;
}
