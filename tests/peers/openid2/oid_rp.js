// SPDX-License-Identifier: GPL-2.0-or-later
// oid_rp.js   npm openid as an OpenID 2.0 relying party; started by node.sh.
// BASE/login?id=IDENTIFIER[&immediate=1], then BASE/ret: JSON {authenticated, claimedIdentifier, attributes}, or 403 {error}.
const http = require('http');
const openid = require('openid');

const base = process.env.BASE;
const extensions = [
  new openid.SimpleRegistration({ nickname: true, email: true, fullname: true, language: true }),
  new openid.AttributeExchange({
    'http://axschema.org/contact/email': 'required',
    'http://axschema.org/namePerson': 'optional',
    'http://axschema.org/namePerson/first': 'required',
  }),
  new openid.UserInterface(),
];
const stateless = process.env.STATELESS === '1';
const strict = process.env.STRICT === '1';
const relyingParty = new openid.RelyingParty(base + '/ret', base + '/', stateless, strict, extensions);

function send(res, status, object, headers = {}) {
  if (res.headersSent) return;
  res.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', ...headers });
  res.end(JSON.stringify(object) + '\n');
}

function login(url, res) {
  const immediate = url.searchParams.get('immediate') === '1';
  relyingParty.authenticate(url.searchParams.get('id'), immediate, (error, location) =>
    error ? send(res, 400, { error: error.message }) : send(res, 302, {}, { Location: location }),
  );
}

function verify(assertion, res) {
  relyingParty.verifyAssertion(assertion, (error, result) =>
    error ? send(res, 403, { error: error.message }) : send(res, result.authenticated ? 200 : 403, result),
  );
}

const server = http.createServer(async (req, res) => {
  const url = new URL(req.url, base);
  if (url.pathname === '/login') return login(url, res);
  if (url.pathname !== '/ret') return send(res, 404, {});
  if (req.method !== 'POST') return verify(base + req.url, res);
  let body = '';
  for await (const chunk of req) body += chunk;
  req.body = Object.fromEntries(new URLSearchParams(body));
  return verify(req, res);
});
const { hostname, port } = new URL(base);
server.listen(+port, hostname, () => console.log('ready', base));
