#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# rp.sh START | STOP   openid-client (npm; certified by the OpenID Foundation) as an OpenID Connect relying party.
#   ORIGIN=https://localhost:9002  ISSUER=https://…/adfs  CLIENT_ID=app  CLIENT_SECRET  SCOPE  CERT, KEY (PEM files of its
#   https)  AUTH=basic|post|none|jwt  JWK (file with its private JSON Web Key, for jwt)  RESPONSE_MODE
#   ALG (of its ID tokens, and no other)  DECRYPT_JWK (file with the private JSON Web Key to which they are encrypted)
#   ENC=A256GCM (how)  PAR=1 (pushed requests)  JAR=1 (signed requests, by JWK)  DPOP=1
# Redirect URI ORIGIN/cb, after signing out ORIGIN/bye, back-channel logout ORIGIN/backchannel; further paths in rp.mjs.
# It trusts FEDGATE_CA.   needs: install openid   Exit 0: it listens.
# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
dir=$(workdir oidc-rp)
export ORIGIN=${ORIGIN:-https://localhost:9002} ISSUER CLIENT_ID=${CLIENT_ID:-app}
case ${1:-} in
START)
    make_ca
    make_certs
    script=$(node_script "$PEERS/oidc/rp.mjs")
    export CERT=${CERT:-$CERTS/server.crt} KEY=${KEY:-$CERTS/server.key} NODE_EXTRA_CA_CERTS=$BUNDLE
    spawn "$dir/pid" "$dir/log" node "$script"
    wait_port localhost "${ORIGIN##*:}" "$dir/log"
    ;;
STOP) stop "$dir/pid" ;;
*) usage "$0" ;;
esac
