// SPDX-License-Identifier: GPL-2.0-or-later
// sts.js   stand-in STS: a counterpart by which the WS-Trust clients are known to work, no peer itself. Start it with sts.sh.
// https://localhost:PORT  GET /mex; POST /adfs/services/trust/13/usernamemixed (WS-Trust 1.3) and .../2005/usernamemixed,
// SOAP 1.2 and 1.1; alice (text or digest) with secret or p&ss<w>'"ord; a message with any Signature is taken as alice's (it checks none).
// For MSAL's whole flow also /common/userrealm/USER, /t/v2.0/.well-known/openid-configuration, /t/oauth2/token.
// Environment: PORT=18444  TT=saml11|saml20  MEXONLY=13|2005|both  LOGDIR (saves each request)
const crypto = require('crypto');
const fs = require('fs');
const https = require('https');
const { Saml11, Saml20 } = require('saml');
const { DOMParser } = require('@xmldom/xmldom');
const certs = process.env.FEDGATE_PEERS_DIR + '/certs/';
const port = +(process.env.PORT || 18444);
const base = `https://localhost:${port}`;
const logDir = process.env.LOGDIR;
fs.mkdirSync(logDir, { recursive: true });
const NS = {
  s: 'http://www.w3.org/2003/05/soap-envelope',
  s11: 'http://schemas.xmlsoap.org/soap/envelope/',
  wsse: 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd',
  wsu: 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd',
  wsa: 'http://www.w3.org/2005/08/addressing',
  t13: 'http://docs.oasis-open.org/ws-sx/ws-trust/200512',
  t05: 'http://schemas.xmlsoap.org/ws/2005/02/trust',
};
const pol = (id, sp, tok) =>
  `<wsp:Policy wsu:Id="${id}"><wsp:ExactlyOne><wsp:All><sp:TransportBinding xmlns:sp="${sp}"><wsp:Policy><sp:TransportToken><wsp:Policy><sp:HttpsToken/></wsp:Policy></sp:TransportToken><sp:AlgorithmSuite><wsp:Policy><sp:Basic256/></wsp:Policy></sp:AlgorithmSuite><sp:Layout><wsp:Policy><sp:Strict/></wsp:Policy></sp:Layout><sp:IncludeTimestamp/></wsp:Policy></sp:TransportBinding><sp:${tok} xmlns:sp="${sp}"><wsp:Policy><sp:UsernameToken sp:IncludeToken="${sp}/IncludeToken/AlwaysToRecipient"><wsp:Policy><sp:WssUsernameToken10/></wsp:Policy></sp:UsernameToken></wsp:Policy></sp:${tok}><wsaw:UsingAddressing xmlns:wsaw="http://www.w3.org/2006/05/addressing/wsdl"/></wsp:All></wsp:ExactlyOne></wsp:Policy>`;
const bind = (n, pid, act) =>
  `<wsdl:binding name="${n}" type="tns:${n}Type"><wsp:PolicyReference URI="#${pid}"/><soap12:binding transport="http://schemas.xmlsoap.org/soap/http"/><wsdl:operation name="Issue"><soap12:operation soapAction="${act}" style="document"/><wsdl:input><soap12:body use="literal"/></wsdl:input><wsdl:output><soap12:body use="literal"/></wsdl:output></wsdl:operation></wsdl:binding>`;
const prt = (n, u) =>
  `<wsdl:port name="${n}" binding="tns:${n}"><soap12:address location="${u}"/><wsa10:EndpointReference><wsa10:Address>${u}</wsa10:Address></wsa10:EndpointReference></wsdl:port>`;
function mex() {
  const w = process.env.MEXONLY || 'both',
    y = (x) => w === 'both' || w === x;
  const u13 = base + '/adfs/services/trust/13/usernamemixed',
    u05 = base + '/adfs/services/trust/2005/usernamemixed';
  return (
    `<wsdl:definitions name="SecurityTokenService" targetNamespace="http://tempuri.org/" xmlns:tns="http://tempuri.org/" xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:wsp="http://schemas.xmlsoap.org/ws/2004/09/policy" xmlns:wsu="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd" xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/" xmlns:wsa10="http://www.w3.org/2005/08/addressing">` +
    (y('13')
      ? pol(
          'UserNameWSTrustBinding_IWSTrust13Async_policy',
          'http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702',
          'SignedEncryptedSupportingTokens',
        )
      : '') +
    (y('2005')
      ? pol(
          'UserNameWSTrustBinding_IWSTrustFeb2005Async_policy',
          'http://schemas.xmlsoap.org/ws/2005/07/securitypolicy',
          'SignedSupportingTokens',
        )
      : '') +
    (y('13')
      ? bind(
          'UserNameWSTrustBinding_IWSTrust13Async',
          'UserNameWSTrustBinding_IWSTrust13Async_policy',
          NS.t13 + '/RST/Issue',
        )
      : '') +
    (y('2005')
      ? bind(
          'UserNameWSTrustBinding_IWSTrustFeb2005Async',
          'UserNameWSTrustBinding_IWSTrustFeb2005Async_policy',
          NS.t05 + '/RST/Issue',
        )
      : '') +
    '<wsdl:service name="SecurityTokenService">' +
    (y('13') ? prt('UserNameWSTrustBinding_IWSTrust13Async', u13) : '') +
    (y('2005') ? prt('UserNameWSTrustBinding_IWSTrustFeb2005Async', u05) : '') +
    '</wsdl:service></wsdl:definitions>'
  );
}
const txt = (d, ns, n) => {
  const e = d.getElementsByTagNameNS(ns, n)[0];
  return e ? e.textContent : null;
};
const esc = (s) => String(s).replace(/&/g, '&amp;').replace(/</g, '&lt;');
const PASSWORDS = ['secret', 'p&ss<w>\'"ord'];
const digest = (nonce, created, password) =>
  crypto
    .createHash('sha1')
    .update(Buffer.from(nonce, 'base64'))
    .update(created + password)
    .digest('base64');
// text, or digest as of WSS UsernameToken Profile 1.0, 3.1
function passwordRight(d, user, given) {
  const token = d.getElementsByTagNameNS(NS.wsse, 'UsernameToken')[0];
  if (!token || user !== 'alice') return false;
  const nonce = txt(token, NS.wsse, 'Nonce');
  const created = txt(token, NS.wsu, 'Created');
  return PASSWORDS.some((known) => given === known || (nonce && given === digest(nonce, created, known)));
}
let n = 0;
const srv = https.createServer(
  {
    key: fs.readFileSync(certs + 'server.key'),
    cert: fs.readFileSync(certs + 'server.crt'),
  },
  (req, res) => {
    let b = '';
    req.on('data', (c) => (b += c));
    req.on('end', () => {
      const id = String(++n).padStart(3, '0');
      fs.writeFileSync(
        `${logDir}/${id}-${req.method}-${req.url.replace(/[^\w.-]+/g, '_').slice(0, 60)}.txt`,
        `${req.method} ${req.url}\n${Object.entries(req.headers)
          .map(([k, v]) => k + ': ' + v)
          .join('\n')}\n\n${b}`,
      );
      console.error(id, req.method, req.url);
      const out = (c, t, x) => {
        res.writeHead(c, { 'Content-Type': t });
        res.end(x);
      };
      const p = req.url.split('?')[0];
      if (p === '/mex') return out(200, 'text/xml; charset=utf-8', mex());
      if (p.startsWith('/common/userrealm/') || p.startsWith('/common/UserRealm/'))
        return out(
          200,
          'application/json',
          JSON.stringify({
            ver: '1.0',
            account_type: 'Federated',
            federation_protocol: 'WSTrust',
            federation_metadata_url: base + '/mex',
            federation_active_auth_url: base + '/adfs/services/trust/2005/usernamemixed',
            cloud_audience_urn: 'urn:federation:MicrosoftOnline',
            domain_name: 'example.test',
            cloud_instance_name: 'localhost',
          }),
        );
      if (p.endsWith('/.well-known/openid-configuration'))
        return out(
          200,
          'application/json',
          JSON.stringify({
            issuer: base + '/t/v2.0',
            authorization_endpoint: base + '/t/oauth2/v2.0/authorize',
            token_endpoint: base + '/t/oauth2/token',
            device_authorization_endpoint: base + '/t/dc',
            jwks_uri: base + '/jwks',
          }),
        );
      if (p.endsWith('/oauth2/token') || p.endsWith('/oauth2/v2.0/token')) {
        const q = new URLSearchParams(b);
        return out(
          200,
          'application/json',
          JSON.stringify({
            token_type: 'Bearer',
            expires_in: 3600,
            access_token: 'opaque-for-' + q.get('grant_type') + '-len' + (q.get('assertion') || '').length,
            scope: q.get('scope') || '',
          }),
        );
      }
      if (req.method !== 'POST') return out(404, 'text/plain', 'nothing here');
      let d;
      try {
        d = new DOMParser().parseFromString(b);
      } catch (e) {
        return out(400, 'text/plain', 'bad xml');
      }
      const soap11 = d.documentElement && d.documentElement.namespaceURI === NS.s11,
        S = soap11 ? NS.s11 : NS.s,
        ct = soap11 ? 'text/xml; charset=utf-8' : 'application/soap+xml; charset=utf-8';
      const T = d.getElementsByTagNameNS(NS.t13, 'RequestSecurityToken').length ? NS.t13 : NS.t05;
      const u = txt(d, NS.wsse, 'Username'),
        pw = txt(d, NS.wsse, 'Password'),
        mid = txt(d, NS.wsa, 'MessageID');
      const sigs = d.getElementsByTagNameNS('http://www.w3.org/2000/09/xmldsig#', 'Signature').length;
      if (!sigs && !passwordRight(d, u, pw)) {
        const f = soap11
          ? `<s:Fault><faultcode xmlns:w="${NS.wsse}">w:FailedAuthentication</faultcode><faultstring>bad user or password</faultstring></s:Fault>`
          : `<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value xmlns:a="${NS.wsse}">a:FailedAuthentication</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="en-US">ID3242: The security token could not be authenticated or authorized.</s:Text></s:Reason></s:Fault>`;
        return out(
          500,
          ct,
          `<s:Envelope xmlns:s="${S}" xmlns:a="${NS.wsa}"><s:Header><a:Action s:mustUnderstand="1">http://www.w3.org/2005/08/addressing/soap/fault</a:Action>${mid ? `<a:RelatesTo>${esc(mid)}</a:RelatesTo>` : ''}</s:Header><s:Body>${f}</s:Body></s:Envelope>`,
        );
      }
      const ap = d.getElementsByTagNameNS('http://schemas.xmlsoap.org/ws/2004/09/policy', 'AppliesTo')[0];
      const aud = ((ap && ap.getElementsByTagNameNS(NS.wsa, 'Address')[0]) || {}).textContent || 'urn:none';
      const tt = process.env.TT || 'saml11',
        L = tt === 'saml20' ? Saml20 : Saml11;
      L.create(
        {
          cert: fs.readFileSync(certs + 'idp.crt'),
          key: fs.readFileSync(certs + 'idp.key'),
          issuer: base + '/sts',
          lifetimeInSeconds: 150,
          audiences: aud.trim(),
          attributes: {
            'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn': (u || 'x509') + '@example.test',
          },
          nameIdentifier: u || 'x509',
          typedAttributes: true,
          signatureAlgorithm: 'rsa-sha256',
          digestAlgorithm: 'sha256',
        },
        (e, a) => {
          if (e) return out(500, 'text/plain', String(e));
          const now = new Date(),
            exp = new Date(+now + 3600e3),
            aid = /(?:AssertionID|ID)="([^"]+)"/.exec(a)[1];
          const tty =
            tt === 'saml20' ? 'urn:oasis:names:tc:SAML:2.0:assertion' : 'urn:oasis:names:tc:SAML:1.0:assertion';
          const str = `<o:SecurityTokenReference xmlns:o="${NS.wsse}" k:TokenType="http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV${tt === 'saml20' ? '2.0' : '1.1'}" xmlns:k="http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"><o:KeyIdentifier ValueType="http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.${tt === 'saml20' ? '1#SAMLID' : '0#SAMLAssertionID'}">${aid}</o:KeyIdentifier></o:SecurityTokenReference>`;
          const r = `<t:RequestSecurityTokenResponse><t:Lifetime><wsu:Created xmlns:wsu="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd">${now.toISOString()}</wsu:Created><wsu:Expires xmlns:wsu="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd">${exp.toISOString()}</wsu:Expires></t:Lifetime><wsp:AppliesTo xmlns:wsp="http://schemas.xmlsoap.org/ws/2004/09/policy"><a:EndpointReference><a:Address>${esc(aud.trim())}</a:Address></a:EndpointReference></wsp:AppliesTo><t:RequestedSecurityToken>${a}</t:RequestedSecurityToken><t:RequestedAttachedReference>${str}</t:RequestedAttachedReference><t:RequestedUnattachedReference>${str}</t:RequestedUnattachedReference><t:TokenType>${tty}</t:TokenType><t:RequestType>${T}/Issue</t:RequestType><t:KeyType>${T === NS.t13 ? T + '/Bearer' : 'http://schemas.xmlsoap.org/ws/2005/05/identity/NoProofKey'}</t:KeyType></t:RequestSecurityTokenResponse>`;
          const body =
            T === NS.t13
              ? `<t:RequestSecurityTokenResponseCollection xmlns:t="${T}">${r}</t:RequestSecurityTokenResponseCollection>`
              : r.replace('<t:RequestSecurityTokenResponse>', `<t:RequestSecurityTokenResponse xmlns:t="${T}">`);
          const act = T === NS.t13 ? T + '/RSTRC/IssueFinal' : T + '/RSTR/Issue';
          out(
            200,
            ct,
            `<s:Envelope xmlns:s="${S}" xmlns:a="${NS.wsa}"><s:Header><a:Action s:mustUnderstand="1">${act}</a:Action>${mid ? `<a:RelatesTo>${esc(mid)}</a:RelatesTo>` : ''}</s:Header><s:Body>${body}</s:Body></s:Envelope>`,
          );
        },
      );
    });
  },
);
srv.listen(port, '127.0.0.1', () => console.error('stand-in STS', base));
