/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sts/endpoints.h"

const fg_sts_endpoint_t fg_sts_endpoint_table[FG_STS_ENDPOINTS] = {
    [FG_STS_2005_USERNAME] = {FG_STS_PATH_2005_USERNAME, FG_TRUST_2005, FG_STS_TIMESTAMP | FG_STS_USERNAME_TOKEN,
                              "UserNameWSTrustBinding_IWSTrustFeb2005Async", "wstrust2005"},
    [FG_STS_13_USERNAME] = {FG_STS_PATH_13_USERNAME, FG_TRUST_13, FG_STS_TIMESTAMP | FG_STS_USERNAME_TOKEN,
                            "UserNameWSTrustBinding_IWSTrust13Async", "wstrust13"},
};
