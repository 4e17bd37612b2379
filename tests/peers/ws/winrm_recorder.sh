#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# winrm_recorder.sh START | STOP   stand-in WinRM server on 127.0.0.1, behind the gateway, that records every request; winrm_recorder.py says
# what it answers.   Debian: python3
#   PORT=15986   SAVEDIR=<folder of this peer>/requests
# Exit 0: it listens.
# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
dir=$(workdir winrm_recorder)
port=${PORT:-15986}
case ${1:-} in
START)
    spawn "$dir/pid" "$dir/log" /usr/bin/python3 -B "$PEERS/ws/winrm_recorder.py" "$port" "${SAVEDIR:-$dir/requests}"
    wait_port 127.0.0.1 "$port" "$dir/log"
    ;;
STOP) stop "$dir/pid" ;;
*) usage "$0" ;;
esac
