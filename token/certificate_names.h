/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * By which names a directory may know the account that a certificate belongs to. */
#ifndef FG_TOKEN_CERTIFICATE_NAMES_H
#define FG_TOKEN_CERTIFICATE_NAMES_H

#include <openssl/x509.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/str.h"

/* All in the arena; .n 0: the certificate has none.  The last three are strong forms of altSecurityIdentities, as
 * Microsoft's KB5014754 lists them: who can have a certificate issued cannot choose what stands there. */
typedef struct fg_certificate_names {
    fg_str_t upn;           /* the one user principal name in SubjectAltName: "alice@example.com" */
    fg_str_t sid;           /* of the extension szOID_NTDS_CA_SECURITY_EXT ([MS-WCCE] §2.2.2.7.7.4): "S-1-5-21-…" */
    fg_str_t issuer_serial; /* "X509:<I>DC=com,DC=example,CN=CA<SR>…": the issuer from its root on, the serial number's
                             * bytes from the last to the first; none if the issuer cannot be written unambiguously */
    fg_str_t key_id;        /* "X509:<SKI>…": SubjectKeyIdentifier */
    fg_str_t public_key;    /* "X509:<SHA1-PUKEY>…": SHA-1 of the public key's bits (RFC 5280 §4.2.1.2 method 1) */
} fg_certificate_names_t;

/* FG_E_CERTIFICATE_NAMES: more than one UPN or SID, or one that is none (a NUL or a control character in it, another
 * string type, not "name@suffix"): such a certificate could be read in two ways, and so is for nobody. */
bool fg_certificate_names_read(fg_arena_t *arena, const X509 *x509, fg_certificate_names_t *names,
                               fg_err_t *err) FG_MUST_CHECK;

#endif
