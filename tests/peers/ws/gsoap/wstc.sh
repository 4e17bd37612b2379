#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# wstc.sh URL [OPTION...]   WS-Trust 1.3 client on gSOAP's wst, wsse and wsa plugins; built at first use into the state folder.
# Debian: gsoap libgsoap-dev gcc libc6-dev libssl-dev zlib1g-dev      Options and prints: head comment of wstc.c.
# Exit status: 0 token received and its signature verified; 1 fault or transport error; 2 usage; 3 assertion signature bad.
# shellcheck source=../../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../lib.sh"
[ $# -gt 0 ] || usage "$0"
sources=$PEERS/ws/gsoap
build=$STATE/build/gsoap
gsoap=/usr/share/gsoap

build_client() {
    [ "$build/wstc" -ot "$sources/wstc.c" ] || [ "$build/wstc" -ot "$sources/sts.h" ] || return 0
    mkdir -p "$build"
    # an AppliesTo in answers, which gSOAP's own description lacks: elements that it ignores go missing in what it digests
    sed '/^struct wst__RequestSecurityTokenResponseType/,/RequestedSecurityToken;/s/\(.*RequestedSecurityToken;\)/_wsp__AppliesTo_* wsp__AppliesTo;\n\1/' \
        $gsoap/import/wst.h >"$build/wst.h"
    soapcpp2 -C -c -L -x -w -I"$build" -I$gsoap/import -I$gsoap -d "$build" "$sources/sts.h" >"$build/log" 2>&1 && compile && return 0
    tail -20 "$build/log" >&2
    return 1
}
compile() {
    gcc -w -O0 -DEVP_PKEY_encrypt_old=oaep_encrypt -DEVP_OpenInit=oaep_open_init -DWITH_OPENSSL -DWITH_DOM -DWITH_GZIP \
        -I"$build" -I$gsoap/plugin -I$gsoap -o "$build/wstc" \
        "$sources/wstc.c" "$build/soapC.c" "$build/soapClient.c" \
        $gsoap/plugin/{wsseapi,wsaapi,wstapi,mecevp,smdevp,logging,threads}.c $gsoap/custom/struct_timeval.c \
        -lgsoapssl -lssl -lcrypto -lz -lpthread >>"$build/log" 2>&1
}
locked build_client
make_certs
exec "$build/wstc" "$@" -ca "${TLSCA:-$BUNDLE}"
