# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lib.sh: sourced by the peer scripts. State folder, test CA and certificates, process control by pid file, Node runner.
#   FEDGATE_PEERS_DIR  state folder (default ${XDG_CACHE_HOME:-~/.cache}/fedgate-peers): keys, logs, pids, builds, node_modules
#   FEDGATE_CA         PEM file that every peer trusts besides its own test CA (the gateway's CA)
#   FEDGATE_PEERS_RUN  folder of the peers' instances, instead of $FEDGATE_PEERS_DIR/run
#   WORK               folder of one peer instance, instead of $FEDGATE_PEERS_RUN/<peer>
set -euo pipefail

PEERS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
STATE=${FEDGATE_PEERS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/fedgate-peers}
CA=$STATE/ca/ca.pem         # the peers' own CA
CERTS=$STATE/certs
RUN=${FEDGATE_PEERS_RUN:-$STATE/run}
BUNDLE=$RUN/bundle.pem # system CAs + test CA + FEDGATE_CA
export FEDGATE_PEERS_DIR=$STATE FEDGATE_PEERS_RUN=$RUN PEERS
mkdir -p "$STATE/ca" "$RUN" "$CERTS"
[ ! -x "$STATE/node-runtime/bin/node" ] || PATH=$STATE/node-runtime/bin:$PATH

# locked COMMAND...: one at a time per state folder
locked() {
    (
        flock 9
        "$@" 9>&-
    ) 9>"$STATE/.lock"
}

make_ca_unlocked() {
    if [ ! -s "$CA" ]; then
        openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=fedgate peers test CA" \
            -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
            -keyout "$STATE/ca/ca.key" -out "$CA" 2>/dev/null
    fi
    local system=/etc/ssl/certs/ca-certificates.crt files=("$CA")
    [ ! -r "$system" ] || files=("$system" "${files[@]}")
    [ -z "${FEDGATE_CA:-}" ] || files+=("$FEDGATE_CA")
    cat "${files[@]}" >"$BUNDLE.new"
    mv "$BUNDLE.new" "$BUNDLE"
}
make_ca() { locked make_ca_unlocked; }

# make_cert PREFIX CN EXTENSIONS: PREFIX.key and PREFIX.crt signed by the test CA (EXTENSIONS: lines of openssl's extension file)
make_cert_unlocked() {
    local request
    [ ! -s "$1.crt" ] || return 0
    request=$(mktemp)
    openssl req -newkey rsa:2048 -nodes -subj "/CN=$2" -keyout "$1.key" -out "$request" 2>/dev/null
    openssl x509 -req -in "$request" -CA "$CA" -CAkey "$STATE/ca/ca.key" -CAcreateserial -days 3650 -out "$1.crt" \
        -extfile <(printf '%b\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n' "$3") 2>/dev/null
    rm -f "$request"
    chmod 644 "$1.key"
}
make_cert() {
    make_ca
    locked make_cert_unlocked "$@"
}
# make_tls PREFIX IP: server certificate for that address and localhost
make_tls() { make_cert "$1" "$2" "subjectAltName=IP:$2,DNS:localhost\nextendedKeyUsage=serverAuth"; }

# make_signer PREFIX CN: self-signed certificate for signing and encryption
make_signer() {
    [ ! -s "$1.crt" ] || return 0
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=$2" -keyout "$1.key" -out "$1.crt" 2>/dev/null
    chmod 644 "$1.key"
}

# make_certs: $CERTS/server.{key,crt}
make_certs() { make_cert "$CERTS/server" localhost "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth"; }

# workdir NAME: prints (and makes) the peer's folder
workdir() {
    local dir=${WORK:-$RUN/$1}
    mkdir -p "$dir"
    echo "$dir"
}

# apache_workdir NAME: the same for an Apache that root starts: it switches to www-data, which must reach the folder,
# so below a private home it is a link to a folder in /run
apache_workdir() {
    local dir real
    dir=$(workdir "$1")
    if [ "$(id -u)" = 0 ] && ! setpriv --reuid www-data --clear-groups test -x "$(readlink -f "$dir")"; then
        real=/run/fedgate-peers-$(cksum <<<"$dir" | cut -d' ' -f1)/$1
        mkdir -p "$real"
        rmdir "$dir"
        ln -sfn "$real" "$dir"
    fi
    readlink -f "$dir"
}
# apache_owner DIR: gives DIR to the account that Apache runs as
apache_owner() { [ "$(id -u)" != 0 ] || chown -R www-data "$1"; }

# apache_modules NAME...: LoadModule lines
apache_modules() {
    local module
    for module in "$@"; do
        [ ! -e "/usr/lib/apache2/modules/mod_$module.so" ] || echo "LoadModule ${module}_module modules/mod_$module.so"
    done
}

# spawn PIDFILE LOG COMMAND...: starts it in a session of its own, unless the pid file's process still runs
spawn() {
    local pidfile=$1 log=$2
    shift 2
    if [ -s "$pidfile" ] && kill -0 "$(cat "$pidfile")" 2>/dev/null; then
        echo "already running: $pidfile" >&2
        return 0
    fi
    setsid "$@" >"$log" 2>&1 </dev/null &
    echo $! >"$pidfile"
}

# stop PIDFILE: TERM, then after two seconds KILL, to the process group
stop() {
    local pid
    [ -s "$1" ] || return 0
    pid=$(cat "$1")
    kill -TERM -- "-$pid" 2>/dev/null || kill "$pid" 2>/dev/null || true
    for _ in $(seq 40); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    kill -KILL -- "-$pid" 2>/dev/null || true
    rm -f "$1"
}

# wait_port HOST PORT [LOG]: up to 20 s; on failure prints the log's end
wait_port() {
    for _ in $(seq 400); do
        if (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; then return 0; fi
        sleep 0.05
    done
    echo "no listener on $1:$2" >&2
    [ -z "${3:-}" ] || tail -20 "$3" >&2
    return 1
}

# node_script FILE: copies our script beside the installed packages (imports resolve from there) and prints the copy's path
node_script() {
    local copy
    if [ ! -d "$STATE/node/node_modules" ]; then
        echo "Node packages are missing: run $PEERS/install" >&2
        return 1
    fi
    copy=$STATE/node/$(basename "$1")
    cp "$1" "$copy.$$"
    mv "$copy.$$" "$copy"
    echo "$copy"
}

# url_host URL, url_port URL
url_host() {
    local rest=${1#*://}
    rest=${rest%%/*}
    echo "${rest%:*}"
}
url_port() {
    local rest=${1#*://}
    rest=${rest%%/*}
    echo "${rest##*:}"
}

# usage FILE: prints the head comment of a script
usage() {
    sed -n '2,/^[^#]/{/^#/p}' "$1"
    exit 2
}
