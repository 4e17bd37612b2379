/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gateway/certificates.h"

#include "core/file.h"

#define CERTIFICATE_MAX (64u << 10)

fg_key_t *fg_config_certificate_load(const fg_config_at_t *at, const char *option, unsigned value_index,
                                     const char *path, fg_err_t *err) {
    fg_buf_t pem = FG_BUF_INIT(CERTIFICATE_MAX);
    fg_err_t why = FG_ERR_INIT;
    fg_key_t *key = fg_file_read(path, &pem, NULL, &why) ? fg_key_from_pem(fg_buf_str(&pem), &why) : NULL;
    fg_buf_free(&pem);
    if (key != NULL && fg_key_get_x509(key) != NULL)
        return key;
    fg_config_refuse(err, at, option, value_index, "a PEM file with a certificate (%s)",
                     key ? "it has none" : why.detail);
    fg_key_unref(key);
    return NULL;
}
