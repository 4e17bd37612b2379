#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ssp.sh START | STOP | WIPE   SimpleSAMLphp 1.19 in an Apache of its own; one instance serves both roles:
#   SAML 2.0 IdP       https://127.0.7.1:8443/simplesaml/  entityID and metadata: .../simplesaml/saml2/idp/metadata.php
#   WS-Federation IdP  https://127.0.7.1:8443/simplesaml/module.php/adfs/idp/prp.php  metadata: .../module.php/adfs/idp/metadata.php
#   SAML 2.0 SP        https://127.0.7.2:8443/simplesaml/  metadata: .../module.php/saml/sp/metadata.php/NAME with NAME
#                      default-sp, sp-artifact (asks for HTTP-Artifact), sp-signed (signs requests, wants signed assertions)
#   the SP's driver    https://127.0.7.2:8443/app.php?as=NAME&idp=<entityID>[&passive=1][&force=1][&nidf=..][&logout=1]: JSON
# Users: alice/alicepw, bob/bobpw (fields username, password).
# Partners: SAML metadata as <its folder>/peers/*.xml, read at each request; WS-Federation RPs: WSFED_RPS="realm=replyURL ..."
#   WORK (its folder); IDPIP, SPIP, PORT; ENCRYPT=1 the IdP encrypts assertions; SIGNREQ=1 it demands signed requests
# needs: install saml (apache2 simplesamlphp php-cli php-sqlite3 php-xml php-soap php-curl libapache2-mod-php).
# WIPE also forgets its keys.   Exit 0: it listens.
# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
idp_ip=${IDPIP:-127.0.7.1} sp_ip=${SPIP:-127.0.7.2} port=${PORT:-8443}
dir=$(apache_workdir ssp)

configure() {
    mkdir -p "$dir"/{config,metadata,cert,log,data,tmp,peers,htdocs,sess}
    make_cert "$dir/tls" "$idp_ip" "subjectAltName=IP:$idp_ip,IP:$sp_ip,IP:127.0.0.1,DNS:localhost"
    make_signer "$dir/cert/idp" "ssp idp signing"
    make_signer "$dir/cert/sp" "ssp sp signing"
    cp "$BUNDLE" "$dir/bundle.pem"
    cp "$CA" "$dir/ca.pem"
    local php encrypt signed_requests
    php=$(find /usr/lib/apache2/modules -name 'libphp*.so' | head -1)
    cat >"$dir/config/config.php" <<E
<?php
\$h = \$_SERVER['HTTP_HOST'] ?? '$idp_ip:$port';
\$config = [
 'baseurlpath' => "https://\$h/simplesaml/", 'certdir' => '$dir/cert/', 'loggingdir' => '$dir/log/', 'datadir' => '$dir/data/',
 'tempdir' => '$dir/tmp', 'metadatadir' => '$dir/metadata/', 'attributenamemapdir' => '/etc/simplesamlphp/attributemap/',
 'technicalcontact_name' => 'x', 'technicalcontact_email' => 'na@example.org', 'timezone' => 'UTC',
 'secretsalt' => 'fedgate-peers-salt-0123456789', 'auth.adminpassword' => 'admin', 'admin.protectindexpage' => false, 'admin.protectmetadata' => false,
 'admin.checkforupdates' => false, 'trusted.url.domains' => null, 'debug' => ['saml' => true, 'backtraces' => true, 'validatexml' => false],
 'showerrors' => true, 'errorreporting' => false, 'logging.level' => SimpleSAML\Logger::DEBUG, 'logging.handler' => 'file', 'logging.logfile' => 'ssp.log',
 'statistics.out' => [], 'enable.saml20-idp' => true, 'enable.adfs-idp' => true, 'enable.http_post' => false,
 'module.enable' => ['exampleauth' => true, 'core' => true, 'saml' => true, 'adfs' => true],
 'session.duration' => 28800, 'session.datastore.timeout' => 14400, 'session.state.timeout' => 3600,
 'session.cookie.name' => 'SSPSID', 'session.cookie.path' => '/', 'session.cookie.secure' => true, 'session.cookie.samesite' => 'None',
 'session.authtoken.cookiename' => 'SSPAuth', 'session.phpsession.cookiename' => 'SSPHP', 'session.phpsession.savepath' => '$dir/sess',
 'language.default' => 'en', 'language.available' => ['en'], 'theme.use' => 'default', 'production' => true,
 'store.type' => 'sql', 'store.sql.dsn' => 'sqlite:$dir/data/store.sq3', 'store.sql.username' => null, 'store.sql.password' => null, 'store.sql.prefix' => 'ssp',
 'metadata.sources' => array_merge([['type' => 'flatfile']], array_map(fn(\$f) => ['type' => 'xml', 'file' => \$f], array_values(array_filter(glob('$dir/peers/*.xml'), fn(\$f) => filesize(\$f) > 0)))),
 'authproc.idp' => [], 'authproc.sp' => [], 'metadata.sign.enable' => false, 'proxy' => null,
];
E
    cat >"$dir/config/authsources.php" <<E
<?php
\$sp = ['saml:SP', 'entityID' => 'https://$sp_ip:$port/sp', 'idp' => null, 'discoURL' => null, 'privatekey' => 'sp.key', 'certificate' => 'sp.crt',
  'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', 'saml.SOAPClient.certificate' => false, 'sign.logout' => true,
  'acs.Bindings' => ['urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST', 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact']];
\$config = ['admin' => ['core:AdminPassword'],
 'example-userpass' => ['exampleauth:UserPass',
   'alice:alicepw' => ['uid' => ['alice'], 'mail' => ['alice@ssp.test'], 'displayName' => ['Alice Ängström'], 'eduPersonAffiliation' => ['member', 'staff'],
       'eduPersonPrincipalName' => ['alice@ssp.test'], 'upn' => ['alice@ssp.test']],
   'bob:bobpw' => ['uid' => ['bob'], 'mail' => ['bob@ssp.test'], 'displayName' => ['Bob <&>'], 'eduPersonAffiliation' => ['member'],
       'eduPersonPrincipalName' => ['bob@ssp.test'], 'upn' => ['bob@ssp.test']]],
 'default-sp' => \$sp,
 'sp-artifact' => ['entityID' => 'https://$sp_ip:$port/sp-artifact', 'ProtocolBinding' => 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact'] + \$sp,
 'sp-signed' => ['entityID' => 'https://$sp_ip:$port/sp-signed', 'sign.authnrequest' => true, 'sign.logout' => true, 'redirect.sign' => true, 'WantAssertionsSigned' => true] + \$sp];
E
    encrypt=false signed_requests=false
    [ "${ENCRYPT:-0}" = 0 ] || encrypt=true
    [ "${SIGNREQ:-0}" = 0 ] || signed_requests=true
    cat >"$dir/metadata/saml20-idp-hosted.php" <<E
<?php
\$metadata['__DYNAMIC:1__'] = ['host' => '__DEFAULT__', 'privatekey' => 'idp.key', 'certificate' => 'idp.crt', 'auth' => 'example-userpass',
 'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', 'assertion.encryption' => $encrypt, 'validate.authnrequest' => $signed_requests,
 'saml20.sendartifact' => true, 'sign.logout' => true, 'redirect.sign' => true, 'https.certificate' => '$dir/ca.pem', 'saml20.ecp' => true, 'SingleSignOnServiceBinding' => ['urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect','urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST'],
 'SingleLogoutServiceBinding' => ['urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect','urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST'],
 'NameIDFormat' => ['urn:oasis:names:tc:SAML:2.0:nameid-format:transient','urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'],
 'userid.attribute' => 'uid',
 'authproc' => [3 => ['class' => 'saml:AttributeNameID', 'attribute' => 'mail', 'Format' => 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress'],
                4 => ['class' => 'saml:PersistentNameID', 'attribute' => 'uid'], 5 => ['class' => 'saml:TransientNameID'],
                100 => ['class' => 'core:AttributeMap', 'name2oid']], 'attributes.NameFormat' => 'urn:oasis:names:tc:SAML:2.0:attrname-format:uri'];
E
    cat >"$dir/metadata/adfs-idp-hosted.php" <<E
<?php
\$metadata['__DYNAMIC:1__'] = ['host' => '__DEFAULT__', 'privatekey' => 'idp.key', 'certificate' => 'idp.crt', 'auth' => 'example-userpass',
 'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', 'authproc' => [100 => ['class' => 'core:AttributeMap', 'name2claim']]];
E
    {
        echo '<?php'
        for rp in ${WSFED_RPS:-urn:test:rp=https://$sp_ip:$port/wsfed-echo.php}; do
            echo "\$metadata['${rp%%=*}'] = ['prp' => '${rp#*=}', 'simplesaml.nameidattribute' => 'upn', 'assertion.lifetime' => 3600];"
        done
    } >"$dir/metadata/adfs-sp-remote.php"
    cat >"$dir/htdocs/app.php" <<'E'
<?php
require_once '/usr/share/simplesamlphp/lib/_autoload.php';
$a = new SimpleSAML\Auth\Simple($_GET['as'] ?? 'default-sp');
if (!empty($_GET['logout'])) { if ($a->isAuthenticated()) $a->logout(['ReturnTo' => SimpleSAML\Utils\HTTP::getSelfURLHost().'/app.php?loggedout=1', 'ReturnStateParam' => 'LogoutState', 'ReturnStateStage' => 'x']); }
if (!empty($_GET['loggedout']) || !empty($_GET['logout'])) { header('Content-Type: application/json'); echo '{"loggedout":true}', "\n"; exit; }
$p = []; if (!empty($_GET['idp'])) $p['saml:idp'] = $_GET['idp']; if (!empty($_GET['passive'])) $p['isPassive'] = true; if (!empty($_GET['force'])) $p['ForceAuthn'] = true;
foreach (['binding' => 'saml:ProtocolBinding', 'nidf' => 'saml:NameIDPolicy'] as $k => $v) if (!empty($_GET[$k])) $p[$v] = $_GET[$k];
$a->requireAuth($p);
header('Content-Type: application/json');
$n = $a->getAuthData('saml:sp:NameID');
    echo json_encode(['idp' => $a->getAuthData('saml:sp:IdP'), 'nameid' => $n ? [$n->getValue(), $n->getFormat()] : null, 'session' => $a->getAuthData('saml:sp:SessionIndex'),
  'acr' => $a->getAuthData('saml:AuthnContext'), 'attributes' => $a->getAttributes()], JSON_UNESCAPED_SLASHES|JSON_UNESCAPED_UNICODE), "\n";
E
    cat >"$dir/htdocs/wsfed-echo.php" <<'E'
<?php
header('Content-Type: text/plain');
foreach ($_POST as $name => $value) echo "$name: $value\n";
E
    cat >"$dir/httpd.conf" <<E
ServerRoot /usr/lib/apache2
PidFile $dir/httpd.pid
Mutex file:$dir/tmp
ServerName $idp_ip
Listen $idp_ip:$port
Listen $sp_ip:$port
ErrorLog $dir/log/error.log
LogFormat "%a %A %t \"%r\" %>s %b" c
CustomLog $dir/log/access.log c
User www-data
Group www-data
$(apache_modules mpm_prefork authn_core authz_core alias headers env dir mime setenvif ssl socache_shmcb log_config)
LoadModule php_module $php
StartServers 3
TypesConfig /etc/mime.types
DocumentRoot $dir/htdocs
Alias /simplesaml /usr/share/simplesamlphp/www
DirectoryIndex index.php
SetEnv SIMPLESAMLPHP_CONFIG_DIR $dir/config
SetEnvIf Authorization "(.*)" HTTP_AUTHORIZATION=\$1
<FilesMatch "\.php$">
 SetHandler application/x-httpd-php
</FilesMatch>
<Directory />
 Require all granted
</Directory>
SSLEngine on
SSLCertificateFile $dir/tls.crt
SSLCertificateKeyFile $dir/tls.key
E
    apache_owner "$dir"
}

case ${1:-} in
START)
    configure
    # PHP (SoapClient for artifact resolution) must trust the test CA
    SSL_CERT_FILE=$dir/bundle.pem spawn "$dir/apache.pid" "$dir/log/out" apache2 -f "$dir/httpd.conf" -DFOREGROUND
    wait_port "$idp_ip" "$port" "$dir/log/error.log"
    ;;
STOP) stop "$dir/apache.pid" ;;
WIPE)
    stop "$dir/apache.pid"
    rm -rf "$dir" "${WORK:-$RUN/ssp}"
    ;;
*) usage "$0" ;;
esac
