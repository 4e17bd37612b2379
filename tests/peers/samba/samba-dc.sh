#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# samba-dc.sh START | STOP | WIPE | STATUS | ENV   Samba AD DC (Debian 12: 4.17) on a loopback address of its own; needs root.
#   START makes the domain on the first call, else reuses the state; it prints what ENV prints, for eval: KRB5_CONFIG, LDAPTLS_CACERT,
#   DC_HOST, DC_IP, REALM, BASE_DN, KEYTAB, SPN, ADMINPW.   STATUS: running or stopped (exit 1).   WIPE forgets all state.
#   Provisioning takes its time: it is done once, and every new instance is a copy of that ($FEDGATE_PEERS_DIR/samba).
# needs: install samba
#   REALM=GW.TEST  WG=GW (NetBIOS domain)  HOST=dc1
#   DCIP=127.0.9.1   added to lo; Kerberos 88 and 464, LDAP 389 and 636, global catalogue 3268 and 3269 there
#   SPNHOSTS=gw.gw.test,localhost   HTTP/ and host/ names of account svc-gw; keytab <state>/run/samba/http.keytab
#   GWIP=127.0.0.1   address of these names in /etc/hosts (tagged lines, which STOP removes)
#   STRONGAUTH=yes   "ldap server require strong auth"      NTLMAUTH=ntlmv2-only
#   FULL=1   also rpc, smbd (445, 139, 135), winbindd (ntlm_auth, wbinfo) and DNS (53)
# Users and groups: populate.py.      Exit 0: KDC and LDAP answer.
# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
work=$(readlink -f "$(workdir samba)")
REALM=${REALM:-GW.TEST}
WG=${WG:-GW}
HOST=${HOST:-dc1}
DCIP=${DCIP:-127.0.9.1}
lower=${REALM,,}
BASE=DC=${lower//./,DC=}
ADMINPW=${ADMINPW:-Passw0rd.Adm1n}
SPNHOSTS=${SPNHOSTS:-gw.$lower,localhost}
FULL=${FULL:-0}
# domain_in FOLDER: whose domain the functions below mean
domain_in() {
    dir=$1
    CONF=$dir/smb.conf
    PIDF=$dir/samba.pid
    # libwbclient (wbinfo, ntlm_auth, smbd) looks only in the built-in /run/samba/winbindd
    WBDIR=$dir/s/run/winbindd
    [ "$FULL" = 0 ] || WBDIR=/run/samba/winbindd
}
if [ "$FULL" = 1 ]; then SVCS="s3fs rpc ldap cldap kdc winbindd dns"; else SVCS="ldap cldap kdc"; fi

print_env() {
    cat <<E
export KRB5_CONFIG=$dir/krb5.conf LDAPTLS_CACERT=$dir/tls/ca.pem
GATEWAY_KEYTAB=$dir/gateway.keytab GATEWAY_PRINCIPAL=svc-gw@$REALM BACKEND_KEYTAB=$dir/backend.keytab BACKEND=HTTP/backend.$lower
DC_HOST=$HOST.$lower DC_IP=$DCIP REALM=$REALM BASE_DN=$BASE KEYTAB=$dir/http.keytab SPN=HTTP/${SPNHOSTS%%,*} ADMINPW=$ADMINPW
E
}
alive() { [ -s "$PIDF" ] && kill -0 "$(cat "$PIDF")" 2>/dev/null; }

write_configuration() {
    # Heimdal inside samba and MIT clients both read this one
    cat >"$dir/krb5.conf" <<E
[libdefaults]
 default_realm = $REALM
 dns_lookup_realm = false
 dns_lookup_kdc = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 0
[realms]
 $REALM = {
  kdc = $DCIP
  admin_server = $DCIP
  kpasswd_server = $DCIP
  default_domain = $lower
 }
[domain_realm]
 .$lower = $REALM
 $lower = $REALM
 localhost = $REALM
E
    cat >"$CONF" <<E
[global]
 netbios name = ${HOST^^}
 realm = $REALM
 workgroup = $WG
 server role = active directory domain controller
 server services = $SVCS
 interfaces = $DCIP/32
 bind interfaces only = yes
 disable netbios = yes
 private dir = $dir/s/private
 state directory = $dir/s/state
 cache directory = $dir/s/cache
 lock directory = $dir/s
 binddns dir = $dir/s/bind-dns
 pid directory = $dir/s/run
 ncalrpc dir = $dir/s/run/ncalrpc
 winbindd socket directory = $WBDIR
 ntp signd socket directory = $dir/s/run/ntp_signd
 usershare path =
 log file = $dir/s/log/%m.log
 log level = ${LOGLEVEL:-1 auth_audit:3}
 max log size = 0
 prefork children = 1
 tls enabled = yes
 tls keyfile = $dir/tls/key.pem
 tls certfile = $dir/tls/cert.pem
 tls cafile = $dir/tls/ca.pem
 ldap server require strong auth = ${STRONGAUTH:-yes}
 dns forwarder = $DCIP
 template shell = /bin/bash
 ntlm auth = ${NTLMAUTH:-ntlmv2-only}
[sysvol]
 path = $dir/s/state/sysvol
 read only = no
[netlogon]
 path = $dir/s/state/sysvol/$lower/scripts
 read only = no
E
}

provision() {
    mkdir -p "$dir/tls"
    chmod 755 "$dir"
    # own CA + DC certificate with SANs (samba's self-made one has none and costs a 4096-bit key)
    (
        cd "$dir/tls" || exit
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=$REALM test CA" -keyout ca.key -out ca.pem
        openssl req -newkey rsa:2048 -nodes -subj "/CN=$HOST.$lower" -keyout key.pem -out csr.pem
        openssl x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -out cert.pem \
            -extfile <(echo "subjectAltName=DNS:$HOST.$lower,DNS:localhost,IP:$DCIP,IP:127.0.0.1")
        chmod 600 key.pem
    ) >/dev/null 2>&1
    : >"$dir/base.conf"
    local dns=NONE
    [ "$FULL" = 0 ] || dns=SAMBA_INTERNAL
    samba-tool domain provision -s "$dir/base.conf" --realm="$REALM" --domain="$WG" --host-name="$HOST" --host-ip="$DCIP" \
        --server-role=dc --dns-backend="$dns" --adminpass="$ADMINPW" --targetdir="$dir/s" \
        --option="interfaces=$DCIP/32" --option="bind interfaces only=yes" --option="disable netbios=yes" \
        >"$dir/provision.log" 2>&1 || {
        tail -20 "$dir/provision.log"
        return 1
    }
    mkdir -p "$dir"/s/{run,log,cache,state} "$dir/s/run/ncalrpc"
    chmod 755 "$dir/s" "$dir/s/run"
    write_configuration
    /usr/bin/python3 "$PEERS/samba/populate.py" "$CONF" "$dir/http.keytab" "$SPNHOSTS" || return 1
    touch "$dir/.provisioned"
}

# a copy of the domain that was provisioned by these scripts with these settings
new_domain() {
    local settings template
    settings=$(cat "$PEERS"/samba/{samba-dc.sh,populate.py} - <<<"$REALM $WG $HOST $DCIP $SPNHOSTS $ADMINPW $FULL" | sha256sum | cut -c1-16)
    template=$STATE/samba/$settings
    if [ ! -e "$template/.provisioned" ]; then
        rm -rf "$template"
        mkdir -p "$template"
        domain_in "$template"
        provision >&2
    fi
    cp -a "$template/." "$work"
}

# hosts_entry ADDRESS NAME...: tagged line, removed by STOP
hosts_entry() {
    grep -qE "[[:space:]]$2( |\$)" /etc/hosts || echo "$* # samba-dc.sh" >>/etc/hosts
}

answers() {
    (exec 3<>"/dev/tcp/$DCIP/88") 2>/dev/null &&
        ldapsearch -x -H "ldap://$DCIP" -s base -b '' defaultNamingContext >/dev/null 2>&1
}

start() {
    local name
    ip addr show dev lo | grep -q " $DCIP/" || ip addr add "$DCIP/32" dev lo
    export KRB5_CONFIG=$dir/krb5.conf
    [ -e "$dir/.provisioned" ] || locked new_domain
    write_configuration
    hosts_entry "$DCIP" "$HOST.$lower" "$HOST"
    # browsers and libkrb5 build the SPN from the canonical name: the web hosts need a hosts entry
    for name in ${SPNHOSTS//,/ }; do
        [ "$name" = localhost ] || hosts_entry "${GWIP:-127.0.0.1}" "$name"
    done
    [ "$FULL" = 0 ] || mkdir -p /run/samba
    setsid samba -s "$CONF" --foreground --no-process-group --debug-stdout -M prefork >"$dir/samba.out" 2>&1 </dev/null &
    echo $! >"$PIDF"
    for _ in $(seq 300); do
        if ! alive; then
            tail -20 "$dir/samba.out" >&2
            return 1
        fi
        if answers; then return 0; fi
        sleep 0.1
    done
    echo "samba does not answer on $DCIP" >&2
    return 1
}

halt() {
    local process
    stop "$PIDF"
    # FULL: samba-dcerpcd and its rpcd_* leave the process group; they carry our configuration file on their command line
    for process in /proc/[0-9]*; do
        if tr '\0' '\n' 2>/dev/null <"$process/cmdline" | grep -qx -- "--configfile=$CONF"; then
            kill "${process#/proc/}" 2>/dev/null || true
        fi
    done 2>/dev/null
    # in place: in a container /etc/hosts is a mount
    { grep -v '# samba-dc.sh$' /etc/hosts || true; } >"$dir/hosts"
    cat "$dir/hosts" >/etc/hosts
    ip addr del "$DCIP/32" dev lo 2>/dev/null || true
}

domain_in "$work"
case ${1:-} in
START)
    if alive; then echo "already running" >&2; else start; fi
    print_env
    ;;
STOP) halt ;;
WIPE)
    halt
    rm -rf "$dir"
    ;;
STATUS) if alive; then echo running; else echo stopped && exit 1; fi ;;
ENV) print_env ;;
*) usage "$0" ;;
esac
