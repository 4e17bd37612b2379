#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Writes a WS-Trust 1.3 request, good for five minutes, to standard output: for a SAML 2.0 token, or about the token in FILE.
# usage: rst.sh BASE USER PASSWORD [REALM [ELEMENT FILE]]      BASE: https://localhost:8443   REALM: default urn:fedgate:demo
# ELEMENT: OnBehalfOf or ActAs (a token for whom FILE's is), ValidateTarget (is it good?), CancelTarget, RenewTarget
[ $# -ge 3 ] && [ $# -ne 5 ] || { echo "usage: rst.sh BASE USER PASSWORD [REALM [ELEMENT FILE]]" >&2; exit 2; }
quote() { printf '%s' "$1" | sed -e 's/&/\&amp;/g; s/</\&lt;/g'; }
ns=http://docs.oasis-open.org/ws-sx/ws-trust/200512
within='' request=Issue
case ${5:-} in
    *Target) request=${5%Target} within="<t:$5>$(cat "$6")</t:$5>" ;;
    ActAs) within="<x:ActAs xmlns:x=\"http://docs.oasis-open.org/ws-sx/ws-trust/200802\">$(cat "$6")</x:ActAs>" ;;
    ?*) within="<t:$5>$(cat "$6")</t:$5>" ;;
esac
wanted="<p:AppliesTo xmlns:p=\"http://schemas.xmlsoap.org/ws/2004/09/policy\">
        <a:EndpointReference><a:Address>$(quote "${4:-urn:fedgate:demo}")</a:Address></a:EndpointReference>
      </p:AppliesTo>
      <t:KeyType>$ns/Bearer</t:KeyType>
      <t:TokenType>urn:oasis:names:tc:SAML:2.0:assertion</t:TokenType>"
[ "$request" = Issue ] || wanted=''
cat <<END
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing"
    xmlns:u="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd">
  <s:Header>
    <a:Action s:mustUnderstand="1">$ns/RST/$request</a:Action>
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
    <t:RequestSecurityToken xmlns:t="$ns">
      $wanted
      <t:RequestType>$ns/$request</t:RequestType>
      $within
    </t:RequestSecurityToken>
  </s:Body>
</s:Envelope>
END
