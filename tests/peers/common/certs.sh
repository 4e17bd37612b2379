#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# certs.sh   makes the peers' test CA and certificate if they are not there, and prints where they are, for eval:
#   CA, BUNDLE (system CAs + CA + $FEDGATE_CA), CERTS with server.{key,crt} (TLS of localhost and 127.0.0.1).   Debian: openssl
# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
make_certs
printf 'CA=%q BUNDLE=%q CERTS=%q\n' "$CA" "$BUNDLE" "$CERTS"
