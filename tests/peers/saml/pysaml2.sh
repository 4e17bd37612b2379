#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# pysaml2.sh idp|sp START [PEER_METADATA.xml ...] [-- OPTION of pysaml2_peer.py ...] | idp|sp STOP | idp|sp WIPE
#   pysaml2 (Debian: python3-pysaml2 xmlsec1) as SAML 2.0 IdP on https://127.0.7.4:8445 or SP on https://127.0.7.5:8446;
#   metadata at /metadata; paths, users and options in pysaml2_peer.py.   IP, PORT     needs: install saml
# WIPE also forgets its keys.   Exit 0: it listens.
# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
[ $# -ge 2 ] || usage "$0"
role=$1 action=$2
shift 2
dir=$(workdir "pysaml2-$role")
case $role in
idp) ip=${IP:-127.0.7.4} port=${PORT:-8445} ;;
sp) ip=${IP:-127.0.7.5} port=${PORT:-8446} ;;
*) usage "$0" ;;
esac
case $action in
START)
    make_tls "$dir/tls" "$ip"
    make_signer "$dir/sign" "pysaml2 $role"
    peers=()
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        peers+=("$(readlink -f "$1")")
        shift
    done
    [ "${1:-}" != -- ] || shift
    [ ${#peers[@]} = 0 ] || peers=(--peers "${peers[@]}")
    spawn "$dir/pid" "$dir/log" /usr/bin/python3 "$PEERS/saml/pysaml2_peer.py" "$role" --ip "$ip" --port "$port" \
        --dir "$dir" --ca "$BUNDLE" "${peers[@]}" "$@"
    wait_port "$ip" "$port" "$dir/log"
    ;;
STOP) stop "$dir/pid" ;;
WIPE)
    stop "$dir/pid"
    rm -rf "$dir"
    ;;
*) usage "$0" ;;
esac
