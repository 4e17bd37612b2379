#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# op.sh START | STOP   oidc-provider (npm; certified by the OpenID Foundation) as an OpenID provider.
#   ISSUER=https://localhost:9001  CLIENT_ID=gw  CLIENT_SECRET  REDIRECT_URIS, POST_LOGOUT_URIS (comma lists)
#   BACKCHANNEL_URI  TOKEN_AUTH=client_secret_basic|client_secret_post|private_key_jwt|none  JWKS_URI  CERT, KEY (PEM files of
#   its https)  ALG=RS256|PS256|ES256|EdDSA|HS256  ENC_ALG=RSA-OAEP-256|RSA-OAEP|ECDH-ES|…  ENC=A256GCM  REQUIRE_PKCE=1
#   REFRESH=1 (refresh tokens without offline_access, a new one each time)  ACCOUNTS (JSON file: {NAME: null or {claim: value}})
#   CONSENT=1 (asks)  ID_TOKEN_CLAIMS=1 (claims in the ID token too)  GENERATION (behind the kid of its keys, which are new at
#   each start)
# Users: any name with a password that is not empty, in a form with the fields login, password and deny; claims are made from
# the name. It trusts FEDGATE_CA.   needs: install openid   Exit 0: it listens.
# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
dir=$(workdir oidc-op)
export ISSUER=${ISSUER:-https://localhost:9001} CLIENT_ID=${CLIENT_ID:-gw}
case ${1:-} in
START)
    make_ca
    make_certs
    script=$(node_script "$PEERS/oidc/op.mjs")
    cat "$CA" ${FEDGATE_CA:+"$FEDGATE_CA"} >"$dir/ca.pem" # its own copy: Node reads it when it is first needed
    export CERT=${CERT:-$CERTS/server.crt} KEY=${KEY:-$CERTS/server.key} NODE_EXTRA_CA_CERTS=$dir/ca.pem
    spawn "$dir/pid" "$dir/log" node "$script"
    wait_port localhost "${ISSUER##*:}" "$dir/log"
    ;;
STOP) stop "$dir/pid" ;;
*) usage "$0" ;;
esac
