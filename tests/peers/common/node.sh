#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# node.sh SCRIPT [ARGUMENT...]   runs one of our Node scripts with the installed npm packages (install node) and the
# peers' trusted CAs (or NODE_EXTRA_CA_CERTS); exit status is the script's.
# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
[ $# -gt 0 ] || usage "$0"
make_certs
script=$(node_script "$1")
shift
NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-$BUNDLE} exec node "$script" "$@"
