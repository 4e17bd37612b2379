#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# nodesaml.sh START IDP_METADATA.xml | STOP   @node-saml/node-saml 5 (npm; xml-crypto, no libxmlsec) as a SAML 2.0 SP
#   https://127.0.7.6:8447: /metadata, /login, /acs, /logout, /slo, / (JSON of the profile, 403 without a session); entityID .../sp
#   IP, PORT; BINDING=HTTP-POST (AuthnRequest by POST); WAS=0 (assertion may be unsigned); WRS=1 (Response must be signed);
#   NIDF=NameID format; IRT=always|ifPresent|never (InResponseTo)
# needs: install. It takes the IdP's Redirect endpoints and first signing certificate from the metadata.  Exit 0: it listens.
# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
dir=$(workdir nodesaml)
export IP=${IP:-127.0.7.6} PORT=${PORT:-8447} DIR=$dir

# the values node-saml wants, out of the IdP's metadata, as shell assignments; the certificate goes to a file
idp_settings() {
    /usr/bin/python3 - "$1" "$dir/idp.pem" <<'P'
import shlex, sys, textwrap
from lxml import etree

names = {'m': 'urn:oasis:names:tc:SAML:2.0:metadata', 'd': 'http://www.w3.org/2000/09/xmldsig#'}
redirect = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect'
idp = etree.parse(sys.argv[1]).xpath('//m:IDPSSODescriptor', namespaces=names)[0]
key = idp.xpath('m:KeyDescriptor[not(@use) or @use="signing"]//d:X509Certificate/text()', namespaces=names)[0]
lines = '\n'.join(textwrap.wrap(''.join(key.split()), 64))
with open(sys.argv[2], 'w') as file:
    file.write(f'-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n')

def location(service):
    return (idp.xpath(f'm:{service}[@Binding="{redirect}"]/@Location', namespaces=names) + [''])[0]

for name, value in (
    ('IDP_ENTITY', idp.getparent().get('entityID')),
    ('IDP_SSO', location('SingleSignOnService')),
    ('IDP_SLO', location('SingleLogoutService')),
    ('IDP_CERT', sys.argv[2]),
):
    print(f'export {name}={shlex.quote(value)}')
P
}

case ${1:-} in
START)
    [ $# = 2 ] || usage "$0"
    make_tls "$dir/tls" "$IP"
    make_signer "$dir/sign" "node-saml sp"
    settings=$(idp_settings "$2")
    eval "$settings"
    script=$(node_script "$PEERS/saml/node_saml_sp.mjs")
    NODE_EXTRA_CA_CERTS=$BUNDLE spawn "$dir/pid" "$dir/log" node "$script"
    wait_port "$IP" "$PORT" "$dir/log"
    ;;
STOP) stop "$dir/pid" ;;
*) usage "$0" ;;
esac
