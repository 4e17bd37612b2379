/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The active endpoints: one table from which the metadata document is written and by which requests are judged. */
#ifndef FG_STS_ENDPOINTS_H
#define FG_STS_ENDPOINTS_H

#include "hub/partner.h"

#define FG_STS_PATH_MEX "/adfs/services/trust/mex"
#define FG_STS_PATH_2005_USERNAME "/adfs/services/trust/2005/usernamemixed"
#define FG_STS_PATH_13_USERNAME "/adfs/services/trust/13/usernamemixed"

/* What an endpoint demands of a message, by the assertions of WS-SecurityPolicy 1.2. */
enum {
    FG_STS_TIMESTAMP = 1,      /* §6.2 IncludeTimestamp */
    FG_STS_USERNAME_TOKEN = 2, /* §5.4.1 UsernameToken among the supporting tokens */
};

typedef struct fg_sts_endpoint {
    const char *path; /* below the base */
    fg_trust_version_t trust;
    unsigned policy;      /* FG_STS_… bits */
    const char *binding;  /* its name in the WSDL, as AD FS has it */
    const char *protocol; /* its name in audit lines */
} fg_sts_endpoint_t;

typedef enum fg_sts_endpoint_index {
    FG_STS_2005_USERNAME,
    FG_STS_13_USERNAME,
    FG_STS_ENDPOINTS
} fg_sts_endpoint_index_t;
extern const fg_sts_endpoint_t fg_sts_endpoint_table[FG_STS_ENDPOINTS];

#endif
