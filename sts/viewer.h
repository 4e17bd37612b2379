/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The claims viewer: a small WS-Federation relying party of our own, so that an administrator sees what a relying party
 * would be told, and so that a new installation has something to sign in to.  It takes our own tokens as a stranger
 * would: what it shows is what was signed. */
#ifndef FG_STS_VIEWER_H
#define FG_STS_VIEWER_H

#include "hub/protocol.h"

/* One endpoint; it stands at hub->viewer_path, its table says the default. */
extern const fg_protocol_t fg_viewer_protocol;

#endif
