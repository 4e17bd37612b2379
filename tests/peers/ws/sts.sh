#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sts.sh START | STOP   stand-in STS on https://localhost:18444 for trying the WS-Trust clients without a gateway; see sts.js.
#   PORT  TT=saml11|saml20  MEXONLY=13|2005|both  LOGDIR=<state>/run/sts/requests      needs: install ws
# Exit 0: it listens.
# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
dir=$(workdir sts)
export PORT=${PORT:-18444} LOGDIR=${LOGDIR:-$dir/requests}
case ${1:-} in
START)
    make_certs
    script=$(node_script "$PEERS/ws/sts.js")
    spawn "$dir/pid" "$dir/log" node "$script"
    wait_port 127.0.0.1 "$PORT" "$dir/log"
    ;;
STOP) stop "$dir/pid" ;;
*) usage "$0" ;;
esac
