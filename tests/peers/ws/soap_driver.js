// SPDX-License-Identifier: GPL-2.0-or-later
// soap_driver.js ENDPOINT USER PASSWORD [MODE [AUDIENCE]]     run it with common/node.sh
// npm soap as a WS-Trust 1.3 client, by sts.wsdl (WSDL in the environment: its path).
// MODE: text (default) or digest: UsernameToken and Timestamp; x509: a signature over Body, Timestamp and To by a
//       BinarySecurityToken, with unqualified Id attributes; plus: x509 and a UsernameToken; mixed: both in one step.
// Environment: SOAP=11 for SOAP 1.1; KEY and CERT, PEM files of who signs (default: the peers' own "client").
// Prints JSON: type and token (the assertion as it came), or error.  Exit status: 0 an assertion, 1 fault, 3 no assertion.
const crypto = require('crypto');
const fs = require('fs');
const soap = require('soap');

const TRUST = 'http://docs.oasis-open.org/ws-sx/ws-trust/200512';
const ADDRESSING = 'http://www.w3.org/2005/08/addressing';
const [, , endpoint, user, password, mode = 'text', audience = 'urn:federation:MicrosoftOnline'] = process.argv;
const soap11 = process.env.SOAP === '11';
const state = process.env.FEDGATE_PEERS_DIR || (process.env.XDG_CACHE_HOME || process.env.HOME + '/.cache') + '/fedgate-peers';
const pem = (variable, name) => fs.readFileSync(process.env[variable] || `${state}/certs/${name}`);
const signing = {
  hasTimeStamp: true,
  signatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha256',
  additionalReferences: ['a:To', 'a:Action', 'a:MessageID'],
};

function usernameToken(passwordType, hasTimeStamp) {
  const hashed = passwordType === 'PasswordDigest';
  return new soap.WSSecurity(user, password, {
    passwordType,
    hasTimeStamp,
    hasTokenCreated: hashed,
    hasNonce: hashed,
    mustUnderstand: 1,
  });
}
const signature = () => new soap.WSSecurityCert(pem('KEY', 'client.key'), pem('CERT', 'client.crt'), '', signing);
const SECURITY = {
  text: () => usernameToken('PasswordText', true),
  digest: () => usernameToken('PasswordDigest', true),
  x509: signature,
  plus: () => new soap.WSSecurityPlusCert(usernameToken('PasswordText', false), signature()),
  mixed: () =>
    new soap.WSSecurityCertWithToken({
      username: user,
      password,
      privateKey: pem('KEY', 'client.key'),
      publicKey: pem('CERT', 'client.crt'),
      keyPassword: '',
      useToken: 'true',
      options: signing,
    }),
};

const escape = (text) => text.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`);
const headers =
  `<a:Action xmlns:a="${ADDRESSING}">${TRUST}/RST/Issue</a:Action>` +
  `<a:MessageID xmlns:a="${ADDRESSING}">urn:uuid:${crypto.randomUUID()}</a:MessageID>` +
  `<a:To xmlns:a="${ADDRESSING}">${escape(endpoint)}</a:To>`;
const request =
  `<t:RequestSecurityToken xmlns:t="${TRUST}"><t:RequestType>${TRUST}/Issue</t:RequestType>` +
  '<wsp:AppliesTo xmlns:wsp="http://schemas.xmlsoap.org/ws/2004/09/policy">' +
  `<a:EndpointReference xmlns:a="${ADDRESSING}"><a:Address>${escape(audience)}</a:Address></a:EndpointReference>` +
  `</wsp:AppliesTo><t:KeyType>${TRUST}/Bearer</t:KeyType></t:RequestSecurityToken>`;

async function main() {
  const options = { forceSoap12Headers: !soap11, disableCache: true };
  const client = await soap.createClientAsync(process.env.WSDL, options, endpoint);
  client.addSoapHeader(headers);
  client.setSecurity(SECURITY[mode]());
  const port = client.Service[soap11 ? 'Port11' : 'Port12'];
  const raw = await new Promise((resolve, reject) =>
    port.Issue({ _xml: request }, (error, result, body) => (error ? reject(error) : resolve(body))),
  );
  const token = (/<((?:\w+:)?Assertion)[ >][\s\S]*<\/\1>/.exec(raw) || [null])[0];
  console.log(JSON.stringify({ type: token && /urn:oasis:names:tc:SAML:[12].0:assertion/.exec(token)[0], token }));
  return token ? 0 : 3;
}

main().then(
  (status) => (process.exitCode = status),
  (error) => {
    console.log(JSON.stringify({ error: String(error.message), answer: String(error.body || '').slice(0, 2000) }));
    process.exitCode = 1;
  },
);
