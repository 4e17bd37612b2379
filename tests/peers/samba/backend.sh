#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# backend.sh START | STOP   an Apache with mod_auth_gssapi on 127.0.0.1 that takes Kerberos and nothing else, as the services of svc-backend
# (populate.py: HTTP/backend, HTTP/other); the answer to / says who it is (X-User) and with which header (X-Authorization: its scheme), and
# access.log has "USER STATUS METHOD PATH" lines.   It needs samba-dc.sh's environment (KRB5_CONFIG, BACKEND_KEYTAB).
# needs: install samba
#   PORT=18081   BEHIND=port   /wsman is handed on to 127.0.0.1:BEHIND
# Exit 0: it listens.
# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
dir=$(apache_workdir samba-backend)
port=${PORT:-18081}

write_configuration() {
    mkdir -p "$dir/htdocs"
    rm -f "$dir/access.log"
    echo hello >"$dir/htdocs/index.html"
    install -m 644 "$BACKEND_KEYTAB" "$dir/http.keytab"
    install -m 644 "$KRB5_CONFIG" "$dir/krb5.conf"
    cat >"$dir/httpd.conf" <<CONF
ServerRoot /usr/lib/apache2
PidFile $dir/httpd.pid
ServerName backend
Listen 127.0.0.1:$port
ErrorLog $dir/error.log
LogLevel info auth_gssapi:debug
DocumentRoot $dir/htdocs
DirectoryIndex index.html
User www-data
Group www-data
$(apache_modules mpm_event authn_core authz_core authz_user alias dir headers env log_config proxy proxy_http auth_gssapi)
LogFormat "%u %>s %m %U" short
CustomLog $dir/access.log short
<Location />
 AuthType GSSAPI
 AuthName backend
 GssapiCredStore keytab:$dir/http.keytab
 GssapiAllowedMech krb5
 Require valid-user
 Header always set X-User "expr=%{REMOTE_USER}"
 Header always set X-Cookie "expr=%{HTTP_COOKIE}"
 Header always set X-Authorization "expr=%{HTTP:Authorization}"
 Header always edit X-Authorization "^(\S+).*" "\$1"
</Location>
${BEHIND:+ProxyPass /wsman http://127.0.0.1:$BEHIND/wsman}
CONF
    apache_owner "$dir"
}

case ${1:-} in
START)
    write_configuration
    export KRB5_CONFIG=$dir/krb5.conf
    spawn "$dir/pid" "$dir/out" apache2 -f "$dir/httpd.conf" -DFOREGROUND
    wait_port 127.0.0.1 "$port" "$dir/error.log"
    echo "BACKEND_LOG=$dir/access.log"
    ;;
STOP) stop "$dir/pid" ;;
*) usage "$0" ;;
esac
