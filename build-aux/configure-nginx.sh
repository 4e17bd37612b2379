#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs nginx's own configure over links to its sources, with the flags of the distribution's nginx where they are told, so that a
# module built with the headers is taken by that nginx.
# usage: configure-nginx.sh NGINX-SOURCES FOLDER
set -euo pipefail
sources=$(cd "$1" && pwd)
mkdir -p "$2"
cd "$2"
for name in auto configure src; do ln -sfn "$sources/$name" "$name"; done

NGX_CONF_FLAGS=(--with-compat --with-threads --with-http_ssl_module --with-http_v2_module --with-http_realip_module)
# shellcheck disable=SC1091  # Debian's nginx-dev: sets NGX_CONF_FLAGS
[ ! -r "$sources/conf_flags" ] || . "$sources/conf_flags"

./configure "${NGX_CONF_FLAGS[@]}" >configure.log 2>&1 || { tail -5 configure.log >&2 && exit 1; }
