# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# build.sh: sourced by ./check and ./demo: Debian packages and the build in build/.  Quick when all is there.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=$ROOT/build
INSTALLED=$BUILD/installed # what `make install` of that build makes

BUILD_PACKAGES=(
    autoconf automake gcc libc6-dev make pkg-config
    libcmocka-dev libconfuse-dev libcrypt-dev libcurl4-openssl-dev libjansson-dev libkrb5-dev libldap-dev libpcre2-dev libssl-dev libxml2-dev libxmlsec1-dev zlib1g-dev
    nginx nginx-dev openssl
)

# debian_packages PACKAGE...: installs those that lack (as root, or with sudo)
debian_packages() { "$ROOT/tests/peers/install" debian "$@"; }

# build_all [TARGET...]: configures once (again if configure.ac changed) and makes it (default all); its output goes to build/build.log
build_all() {
    mkdir -p "$BUILD"
    echo "building (its output goes to $BUILD/build.log)" >&2
    if ! build_steps "$@" >"$BUILD/build.log" 2>&1; then
        tail -40 "$BUILD/build.log" >&2
        echo "the build failed: $BUILD/build.log" >&2
        return 1
    fi
}

build_steps() {
    if [ ! -x "$ROOT/configure" ] || [ "$ROOT/configure.ac" -nt "$ROOT/configure" ] || [ "$ROOT/Makefile.am" -nt "$ROOT/Makefile.in" ]; then
        (cd "$ROOT" && autoreconf -i)
    fi
    cd "$BUILD"
    [ -e Makefile ] || "$ROOT/configure" --prefix="$INSTALLED"
    make -j"$(nproc)" "${@:-all}"
}
