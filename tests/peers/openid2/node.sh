#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# node.sh START | STOP   npm openid as an OpenID 2.0 relying party at ORIGIN; paths in oid_rp.js.
#   ORIGIN=http://127.0.6.3:9103   STATELESS=1 (no associations)   STRICT=1 (OpenID 2.0 only)
# It trusts FEDGATE_CA.   needs: install openid      Exit 0: it listens.
# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
dir=$(workdir openid2-node)
export BASE=${ORIGIN:-http://127.0.6.3:9103}
case ${1:-} in
START)
    make_ca
    script=$(node_script "$PEERS/openid2/oid_rp.js")
    # of its own: the common one may be another test's by now
    cat "$CA" ${FEDGATE_CA:+"$FEDGATE_CA"} >"$dir/bundle.pem"
    NODE_EXTRA_CA_CERTS=$dir/bundle.pem spawn "$dir/pid" "$dir/log" node "$script"
    wait_port "$(url_host "$BASE")" "$(url_port "$BASE")" "$dir/log"
    ;;
STOP) stop "$dir/pid" ;;
*) usage "$0" ;;
esac
