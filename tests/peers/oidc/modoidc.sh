#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# modoidc.sh START | STOP   Apache's mod_auth_openidc as an OpenID Connect relying party, in an Apache of its own.
#   ORIGIN=https://localhost:9003  ISSUER=https://…/adfs  CLIENT_ID=app  CLIENT_SECRET  SCOPE  CERT, KEY (PEM files of its https)
# Redirect URI ORIGIN/oidc/cb; protected page /secret/env (prints what the application learns); /oidc/cb?logout=URL signs out;
# /oidc/cb?logout=backchannel takes logout tokens; /bye is open.   It trusts FEDGATE_CA.   needs: install openid
# Exit 0: it listens.
# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
dir=$(readlink -f "$(workdir modoidc)")
origin=${ORIGIN:-https://localhost:9003}

modules() {
    local module
    for module in "$@"; do
        [ ! -e "/usr/lib/apache2/modules/mod_$module.so" ] || echo "LoadModule ${module}_module modules/mod_$module.so"
    done
}

configure() {
    mkdir -p "$dir"/{tmp,htdocs,cgi}
    make_ca
    make_certs
    cp "$BUNDLE" "$dir/bundle.pem"
    cp "${CERT:-$CERTS/server.crt}" "$dir/tls.crt"
    cp "${KEY:-$CERTS/server.key}" "$dir/tls.key"
    echo bye >"$dir/htdocs/bye"
    cat >"$dir/cgi/env" <<'CGI'
#!/bin/sh
printf 'Content-Type: text/plain\r\n\r\n'
env | grep -E '^(OIDC|REMOTE_USER)' | sort
CGI
    chmod 755 "$dir/cgi/env"
    cat >"$dir/httpd.conf" <<CONF
ServerRoot /usr/lib/apache2
PidFile $dir/httpd.pid
Mutex file:$dir/tmp
ServerName localhost
Listen 127.0.0.1:${origin##*:}
ErrorLog $dir/error.log
LogLevel warn auth_openidc:info
User www-data
Group www-data
$(modules mpm_event authn_core authz_core authz_user alias headers env cgid ssl socache_shmcb auth_openidc)
ScriptSock $dir/tmp/cgisock
SSLEngine on
SSLCertificateFile $dir/tls.crt
SSLCertificateKeyFile $dir/tls.key
DocumentRoot $dir/htdocs
ScriptAlias /secret/ $dir/cgi/
OIDCProviderMetadataURL $ISSUER/.well-known/openid-configuration
OIDCClientID ${CLIENT_ID:-app}
OIDCClientSecret $CLIENT_SECRET
OIDCRedirectURI $origin/oidc/cb
OIDCCryptoPassphrase 0123456789abcdef0123456789abcdef
OIDCScope "${SCOPE:-openid email profile}"
OIDCPKCEMethod S256
OIDCCABundlePath $dir/bundle.pem
OIDCRemoteUserClaim upn
OIDCSessionType server-cache
<Location />
 Require all granted
</Location>
<LocationMatch "^/(oidc|secret)">
 AuthType openid-connect
 Require valid-user
</LocationMatch>
CONF
    [ "$(id -u)" != 0 ] || chown -R www-data "$dir"
}

case ${1:-} in
START)
    configure
    spawn "$dir/pid" "$dir/log" apache2 -f "$dir/httpd.conf" -DFOREGROUND
    wait_port localhost "${origin##*:}" "$dir/error.log"
    ;;
STOP) stop "$dir/pid" ;;
*) usage "$0" ;;
esac
