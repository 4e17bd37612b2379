#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# slapd.sh START | STOP | WIPE | STATUS   OpenLDAP (Debian 12: 2.5) on a loopback address, its database filled from people.ldif.
#   START fills the database on the first call, else reuses it; it prints LDAP=ldap://… LDAPS=ldaps://… CA=… BASE=… PID=… LOG=….
#   STATUS: running or stopped (exit 1).   WIPE forgets all state.
# needs: install ldap
#   ADDRESS=127.0.9.2   its certificate is of that address;  PORT=3890 plain and StartTLS, SPORT=6360 TLS
#   NAME=slapd   folder of the instance
#   TLS=no   knows no TLS: StartTLS is refused
#   ANONYMOUS=no   an anonymous bind is refused;  read: nobody in particular may read what fedgate's account may (default: nothing)
#   LIMIT=n   a search yields at most n entries
#   LOCKOUT=n   locks for n seconds after five failures (default: until an administrator unlocks)
#   REFERRAL=ldap://HOST:PORT   ou=away is there, and so is every other suffix
#   PROXY=ldap://HOST:PORT   has no database, but hands on what is asked to that server
# Accounts, groups, policies: people.ldif; rootdn cn=admin,dc=people,dc=test (Admin.Pw1); fedgate's account cn=fedgate,… (Reader.Pw1).
# Exit 0: it answers.
# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
dir=$(readlink -f "$(workdir "${NAME:-slapd}")")
ADDRESS=${ADDRESS:-127.0.9.2}
PORT=${PORT:-3890}
SPORT=${SPORT:-6360}
BASE=dc=people,dc=test
ADMIN=cn=admin,$BASE
ADMINPW=Admin.Pw1
PIDF=$dir/slapd.pid
SOCKET=ldapi://${dir//\//%2F}%2Fldapi
here=$PEERS/ldap

alive() { [ -s "$PIDF" ] && kill -0 "$(cat "$PIDF")" 2>/dev/null; }

write_database() {
    local anonymous=auth
    [ "${ANONYMOUS:-yes}" != read ] || anonymous="read"
    if [ -n "${PROXY:-}" ]; then
        cat <<E
moduleload back_ldap
database ldap
suffix $BASE
uri $PROXY
network-timeout 2
E
        return
    fi
    cat <<E
moduleload back_mdb
moduleload memberof
moduleload ppolicy
database mdb
suffix $BASE
rootdn $ADMIN
rootpw $ADMINPW
directory $dir/db
maxsize 104857600
dbnosync
index objectClass,uid,mail,memberUid,member,uniqueMember,gidNumber eq
access to attrs=userPassword by anonymous auth by * none
access to dn.subtree=$BASE by dn.exact=cn=fedgate,$BASE read by anonymous $anonymous by self read by * none
overlay memberof
overlay ppolicy
ppolicy_default cn=default,ou=policies,$BASE
ppolicy_hash_cleartext
ppolicy_use_lockout
E
}

write_configuration() {
    {
        for schema in core cosine inetorgperson nis; do echo "include /etc/ldap/schema/$schema.schema"; done
        echo "modulepath /usr/lib/ldap"
        echo "pidfile $dir/own.pid"
        [ "${TLS:-yes}" = no ] || printf 'TLSCACertificateFile %s\nTLSCertificateFile %s\nTLSCertificateKeyFile %s\n' "$CA" "$dir/tls.crt" "$dir/tls.key"
        # a bind without a password then succeeds as nobody (RFC 4513 §5.1.2)
        if [ "${ANONYMOUS:-yes}" = no ]; then echo "disallow bind_anon"; else echo "allow bind_anon_dn"; fi
        [ -z "${REFERRAL:-}" ] || echo "referral $REFERRAL"
        [ -z "${LIMIT:-}" ] || echo "sizelimit $LIMIT"
        write_database
    } >"$dir/slapd.conf"
}

as_admin() { "$@" -x -H "$SOCKET" -D "$ADMIN" -w "$ADMINPW" -o ldif-wrap=no; }

# over the wire: the overlays note memberships and hash passwords
fill() {
    as_admin ldapadd -e '!relax' -f "$here/people.ldif" >"$dir/fill.log" 2>&1 || {
        tail -5 "$dir/fill.log" >&2
        return 1
    }
    touch "$dir/.filled"
}

# what the parameters ask for, besides the people
adjust() {
    if [ -n "${REFERRAL:-}" ]; then
        as_admin ldapadd -M -c >"$dir/adjust.log" 2>&1 <<E || true
dn: ou=away,$BASE
objectClass: referral
objectClass: extensibleObject
ou: away
ref: $REFERRAL/ou=away,$BASE
E
    fi
    if [ -n "${LOCKOUT:-}" ]; then
        as_admin ldapmodify >"$dir/adjust.log" 2>&1 <<E
dn: cn=default,ou=policies,$BASE
replace: pwdLockoutDuration
pwdLockoutDuration: $LOCKOUT
E
    fi
}

start() {
    local urls="$SOCKET ldap://$ADDRESS:$PORT/"
    mkdir -p "$dir/db"
    make_tls "$dir/tls" "$ADDRESS"
    write_configuration
    [ "${TLS:-yes}" = no ] || urls="$urls ldaps://$ADDRESS:$SPORT/"
    # a copy: AppArmor's profile goes by the path, and lets Debian's slapd into Debian's folders alone
    install -m 755 "$(PATH=$PATH:/usr/sbin command -v slapd)" "$dir/slapd"
    spawn "$PIDF" "$dir/log" "$dir/slapd" -f "$dir/slapd.conf" -h "$urls" -d stats
    wait_port "$ADDRESS" "$PORT" "$dir/log"
    [ -z "${PROXY:-}" ] || return 0
    [ -e "$dir/.filled" ] || fill
    adjust
}

case ${1:-} in
START)
    start
    echo "LDAP=ldap://$ADDRESS:$PORT LDAPS=ldaps://$ADDRESS:$SPORT CA=$CA BASE=$BASE PID=$(cat "$PIDF") LOG=$dir/log"
    ;;
STOP) stop "$PIDF" ;;
WIPE)
    stop "$PIDF"
    rm -rf "$dir"
    ;;
STATUS) if alive; then echo running; else echo stopped && exit 1; fi ;;
*) usage "$0" ;;
esac
