#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# rp.sh START | STOP   Auth0's passport-wsfed-saml2 (npm) as a WS-Federation relying party: https://localhost:PORT/secure.
#   IDP_URL (https://HOST/adfs/ls/)  CERT=PEM of the IdP's signing certificate, or THUMBPRINT=hex of its SHA-1
#   REALM=urn:passport-rp (wtrealm)  WREPLY=ORIGIN/login/callback  WHR  DECRYPTION_KEY=PEM (tokens must then be encrypted)
#   PORT=18083  ORIGIN=https://localhost:PORT (or http://127.0.0.1:PORT: then without TLS)  WCTX_CHECK=0 (none)
#   WORK=folder of this instance        needs: install ws
# Drive it with common/walk.py ORIGIN/secure: JSON of the claims, or "RP ERROR: reason" with status 500.  Exit 0: it listens.
# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
dir=$(workdir wsfed-rp)
export PORT=${PORT:-18083}
export ORIGIN=${ORIGIN:-https://localhost:$PORT} REALM=${REALM:-urn:passport-rp}
case ${1:-} in
START)
    make_certs
    script=$(node_script "$PEERS/wsfed/rp.js")
    spawn "$dir/pid" "$dir/log" node "$script"
    wait_port 127.0.0.1 "$PORT" "$dir/log"
    ;;
STOP) stop "$dir/pid" ;;
*) usage "$0" ;;
esac
