// SPDX-License-Identifier: GPL-2.0-or-later
// The one WS-Trust 1.3 operation that wstc.c calls, for soapcpp2.
#import "wst.h"
//gsoap wst service method-action: RequestSecurityTokenIssue http://docs.oasis-open.org/ws-sx/ws-trust/200512/RST/Issue
int __wst__RequestSecurityTokenIssue(
  struct wst__RequestSecurityTokenType *wst__RequestSecurityToken,
  struct wst__RequestSecurityTokenResponseCollectionType *wst__RequestSecurityTokenResponseCollection
);
