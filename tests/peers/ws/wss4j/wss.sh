#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# wss.sh   Apache WSS4J 1.6 with Santuario: reads a command a line from stdin (words parted by tabs), answers each with a line:
# "ok ...", "refused REASON" (by WSS4J) or "error ...".  Keys are PEM files: a certificate, those above it, a PKCS #8 key.
#   make IN OUT STEP...      IN with a Security header into OUT; the steps apply from left to right:
#     ts:ttl=300    ut:user=alice;pass=secret[;type=digest][;nonce][;created]    saml:file=assertion.xml[;reference=id]
#     sign:key=client.pem|secret=BASE64[;parts=Body,Timestamp,To,UsernameToken,STRTransform,#id][;keyid=bst|issuer|ski|thumb|x509|keyvalue|saml]
#          [;path][;sig=rsa-sha1|...][;digest=sha1|...]
#     enc:cert=server.pem[;parts=Body][;mode=Element|Content][;sym=aes128-cbc|aes256-cbc|aes128-gcm|aes256-gcm][;kt=rsa15][;keyid=..]
#   saml OUT "v=1.1|2.0;conf=bearer|hok|sv;issuer=URI;aud=URI[;sub=alice][;proof=client.pem][;key=idp.pem]"
#   verify IN OUT KEY|- TRUSTED...   what WSS4J found in IN; OUT gets the message decrypted
#   dsig IN CERTIFICATE      the enveloped signature of IN, judged by Java's own XML signatures: "valid", "invalid"
#   values IN                the message's signature values
# Debian: openjdk-17-jdk-headless libwss4j-java and what it needs (install wss4j).  Built at first use into the state folder.
# shellcheck source=../../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../lib.sh"
source=$PEERS/ws/wss4j/Wss.java
build=$STATE/build/wss4j
classpath=$build
for jar in wss4j xmlsec commons-logging slf4j-api slf4j-nop commons-codec woodstox-core stax2-api; do
    classpath=/usr/share/java/$jar.jar:$classpath
done

build_driver() {
    mkdir -p "$build"
    [ "$build/Wss.class" -nt "$source" ] || javac -nowarn -Xlint:-options -cp "$classpath" -d "$build" "$source" >&2
}
locked build_driver
exec java -Xshare:auto -XX:TieredStopAtLevel=1 -Dorg.apache.commons.logging.Log=org.apache.commons.logging.impl.NoOpLog \
    --add-exports java.xml.crypto/org.jcp.xml.dsig.internal.dom=ALL-UNNAMED \
    --add-opens java.xml.crypto/org.jcp.xml.dsig.internal.dom=ALL-UNNAMED -cp "$classpath" Wss
