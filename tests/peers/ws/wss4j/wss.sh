#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# wss.sh   Apache WSS4J 1.6 with Santuario: reads a command a line from stdin (words parted by tabs), answers each with a line:
# "ok ...", "refused REASON" (by WSS4J) or "error ...".  Keys are PEM files: a certificate, those above it, a PKCS #8 key.
#   make IN OUT STEP...      IN with a Security header into OUT; the steps apply from left to right:
#     ts:ttl=300    ut:user=alice;pass=secret[;type=digest][;nonce][;created]    saml:file=assertion.xml[;reference=id]
#     sign:key=client.pem|secret=BASE64[;parts=Body,Timestamp,To,UsernameToken,STRTransform,#id][;keyid=bst|issuer|ski|thumb|x509|keyvalue|saml]
#          [;path][;sig=rsa-sha1|...][;digest=sha1|...]
#     enc:cert=server.pem[;parts=Body][;mode=Element|Content][;sym=aes128-cbc|aes256-cbc|aes128-gcm|aes256-gcm][;kt=rsa15][;keyid=..]
#     krb:service=HTTP@localhost;cache=FILE;conf=krb5.conf[;keyid=sha1][;parts=Timestamp][;sig=hmac-sha1|..][;digest=sha1|..]   a ticket that
#          signs, got with kinit's cache by the JDK's Kerberos; keyid=sha1: named by its digest
#   saml OUT "v=1.1|2.0;conf=bearer|hok|sv;issuer=URI;aud=URI[;sub=alice][;proof=client.pem][;key=idp.pem]"
#   verify IN OUT KEY|- TRUSTED...   what WSS4J found in IN; OUT gets the message decrypted
#   dsig IN CERTIFICATE      the enveloped signature of IN, judged by Java's own XML signatures: "valid", "invalid"
#   judge IN KEY             every signature of IN, judged by the JDK with that key (PEM file or secret:BASE64): JSON
#   values IN                the message's signature values
# wss.sh bench MESSAGE KEY.pem PASSWORD SECONDS     CPU microseconds of one thread for translating the SAML 1.1 assertion in MESSAGE, by the
# issuer of KEY.pem, into a SAML 2.0 assertion: with "java-bare" of the verification and the signature between parsing and writing, with
# "java-message" of WSS4J on the Security header as well
# Debian: openjdk-17-jdk-headless libwss4j-java and what it needs (install wss4j).  Built at first use into the state folder.
# shellcheck source=../../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../lib.sh"
build=$STATE/build/wss4j
classpath=$build
for jar in wss4j xmlsec commons-logging slf4j-api slf4j-nop commons-codec woodstox-core stax2-api; do
    classpath=/usr/share/java/$jar.jar:$classpath
done

build_driver() {
    mkdir -p "$build"
    for source in "$PEERS"/ws/wss4j/*.java; do
        if [ "$build/.built" -nt "$source" ]; then continue; fi
        javac -nowarn -Xlint:-options -cp "$classpath" -d "$build" "$PEERS"/ws/wss4j/*.java >&2 && touch "$build/.built"
        return
    done
}
locked build_driver
logging=-Dorg.apache.commons.logging.Log=org.apache.commons.logging.impl.NoOpLog
if [ "${1:-}" = bench ]; then
    shift
    exec java -XX:+UseSerialGC $logging -cp "$classpath" Bench "$@"
fi
exec java -Xshare:auto -XX:TieredStopAtLevel=1 $logging \
    --add-exports java.xml.crypto/org.jcp.xml.dsig.internal.dom=ALL-UNNAMED \
    --add-opens java.xml.crypto/org.jcp.xml.dsig.internal.dom=ALL-UNNAMED -cp "$classpath" Wss
