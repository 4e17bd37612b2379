#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Writes a WS-Trust 1.3 request for a SAML 2.0 token, good for five minutes, to standard output.
# usage: rst.sh BASE USER PASSWORD [REALM]      BASE: https://localhost:8443   REALM: default urn:fedgate:demo
[ $# -ge 3 ] || { echo "usage: rst.sh BASE USER PASSWORD [REALM]" >&2; exit 2; }
quote() { printf '%s' "$1" | sed -e 's/&/\&amp;/g; s/</\&lt;/g'; }
cat <<END
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing"
    xmlns:u="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd">
  <s:Header>
    <a:Action s:mustUnderstand="1">http://docs.oasis-open.org/ws-sx/ws-trust/200512/RST/Issue</a:Action>
    <a:MessageID>urn:uuid:$(cat /proc/sys/kernel/random/uuid)</a:MessageID>
    <a:ReplyTo><a:Address>http://www.w3.org/2005/08/addressing/anonymous</a:Address></a:ReplyTo>
    <a:To s:mustUnderstand="1">$(quote "$1")/adfs/services/trust/13/usernamemixed</a:To>
    <o:Security s:mustUnderstand="1" xmlns:o="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd">
      <u:Timestamp u:Id="_0">
        <u:Created>$(date -u +%FT%TZ)</u:Created>
        <u:Expires>$(date -u -d "+5 minutes" +%FT%TZ)</u:Expires>
      </u:Timestamp>
      <o:UsernameToken>
        <o:Username>$(quote "$2")</o:Username>
        <o:Password>$(quote "$3")</o:Password>
      </o:UsernameToken>
    </o:Security>
  </s:Header>
  <s:Body>
    <t:RequestSecurityToken xmlns:t="http://docs.oasis-open.org/ws-sx/ws-trust/200512">
      <p:AppliesTo xmlns:p="http://schemas.xmlsoap.org/ws/2004/09/policy">
        <a:EndpointReference><a:Address>$(quote "${4:-urn:fedgate:demo}")</a:Address></a:EndpointReference>
      </p:AppliesTo>
      <t:KeyType>http://docs.oasis-open.org/ws-sx/ws-trust/200512/Bearer</t:KeyType>
      <t:RequestType>http://docs.oasis-open.org/ws-sx/ws-trust/200512/Issue</t:RequestType>
      <t:TokenType>urn:oasis:names:tc:SAML:2.0:assertion</t:TokenType>
    </t:RequestSecurityToken>
  </s:Body>
</s:Envelope>
END
