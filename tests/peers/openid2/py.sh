#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# py.sh op|rp START [OPTION of oid_py.py ...] | op|rp STOP
#   python3-openid (Debian) as an OpenID 2.0 provider or relying party at ORIGIN; https with CERT and KEY (PEM files).
#   It trusts FEDGATE_CA.  Paths in oid_py.py.    needs: install openid      Exit 0: it listens.
# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
[ $# -ge 2 ] || usage "$0"
role=$1 action=$2
shift 2
dir=$(workdir "openid2-py-$role")
case $role in
op) ORIGIN=${ORIGIN:-http://127.0.6.1:9101} ;;
rp) ORIGIN=${ORIGIN:-http://127.0.6.2:9102} ;;
*) usage "$0" ;;
esac
case $action in
START)
    make_ca
    # of its own: it is read at each connection, and the common one is another test's a moment later
    cat /etc/ssl/certs/ca-certificates.crt "$CA" ${FEDGATE_CA:+"$FEDGATE_CA"} >"$dir/bundle.pem"
    [ -z "${CERT:-}" ] || set -- --cert "$CERT" --key "$KEY" "$@"
    spawn "$dir/pid" "$dir/log" /usr/bin/python3 "$PEERS/openid2/oid_py.py" "$role" --base "$ORIGIN" --ca "$dir/bundle.pem" "$@"
    wait_port "$(url_host "$ORIGIN")" "$(url_port "$ORIGIN")" "$dir/log"
    ;;
STOP) stop "$dir/pid" ;;
*) usage "$0" ;;
esac
