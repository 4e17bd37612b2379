#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# idp.sh START | STOP   Auth0's wsfed (npm) as a WS-Federation identity provider: https://localhost:PORT/wsfed.
#   PORT=18082  ORIGIN=https://localhost:PORT  ISSUER=urn:peer:idp  KEY, CERT (PEM; default: "idp", made by the test CA)
#   TOKEN=saml11|saml20  TRUST=2005|13 (shape of the wresult: bare, or an indented 1.3 collection)
#   HASH=sha256|sha1  ENC=CERT.pem (tokens are encrypted to it)  LIFE=150 (seconds)
#   WORK=folder of this instance        needs: install ws
# Metadata: /FederationMetadata/2007-06/FederationMetadata.xml, unsigned.  One person, pat, and a button to be her.
# Exit 0: it listens.
# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
dir=$(workdir wsfed-idp)
export PORT=${PORT:-18082} ISSUER=${ISSUER:-urn:peer:idp}
export ORIGIN=${ORIGIN:-https://localhost:$PORT} TOKEN=${TOKEN:-saml11} TRUST=${TRUST:-2005} HASH=${HASH:-sha256} LIFE=${LIFE:-150}
export KEY=${KEY:-$CERTS/idp.key} CERT=${CERT:-$CERTS/idp.crt} ENC=${ENC:-}
case ${1:-} in
START)
    make_certs
    make_cert "$CERTS/idp" idp keyUsage=digitalSignature
    script=$(node_script "$PEERS/wsfed/idp.js")
    spawn "$dir/pid" "$dir/log" node "$script"
    wait_port 127.0.0.1 "$PORT" "$dir/log"
    ;;
STOP) stop "$dir/pid" ;;
*) usage "$0" ;;
esac
