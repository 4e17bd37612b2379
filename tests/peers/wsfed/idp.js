// SPDX-License-Identifier: GPL-2.0-or-later
// idp.js   Auth0's wsfed as a WS-Federation identity provider; started by idp.sh, which lists the environment.
// GET /wsfed: wsignin1.0 (a form with one button for pat, then the answer), wsignout1.0 (a page that loads every relying party's
// clean-up in a frame); /FederationMetadata/2007-06/FederationMetadata.xml; /: who is signed in.
// wsfed writes SAML 1.1 in the shape of 2005; for the others its saml package makes the assertion and the shape is made here.
const crypto = require('crypto');
const fs = require('fs');
const https = require('https');
const express = require('express');
const session = require('express-session');
const bodyParser = require('body-parser');
const wsfed = require('wsfed');
const { Saml11, Saml20 } = require('saml');

const { ISSUER: issuer, ORIGIN: base, TOKEN: token, TRUST: trust, HASH: hash } = process.env;
const port = +process.env.PORT;
const key = fs.readFileSync(process.env.KEY);
const cert = fs.readFileSync(process.env.CERT);
const claims = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/';
const role = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role';
const user = {
  id: 'pat',
  displayName: 'Pat Partner',
  name: { givenName: 'Pat', familyName: 'Partner' },
  emails: [{ value: 'pat@partner.test' }],
};
const signing = {
  issuer,
  key,
  cert,
  // the saml package writes AuthenticationInstant = now + lifetime: a long one looks like a login in the future
  lifetimeInSeconds: +process.env.LIFE,
  signatureAlgorithm: 'rsa-' + hash,
  digestAlgorithm: hash,
};
if (process.env.ENC) {
  signing.encryptionCert = fs.readFileSync(process.env.ENC);
  signing.encryptionPublicKey = crypto.createPublicKey(signing.encryptionCert).export({ type: 'spki', format: 'pem' });
}
const escape = (text) =>
  String(text || '').replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);

const own = wsfed.auth({
  ...signing,
  getUserFromRequest: () => user,
  getPostURL: (wtrealm, wreply, req, callback) => callback(null, wreply),
});
const shapes = {
  2005: (context, assertion) =>
    `<t:RequestSecurityTokenResponse Context="${context}" xmlns:t="http://schemas.xmlsoap.org/ws/2005/02/trust"><t:RequestedSecurityToken>${assertion}</t:RequestedSecurityToken></t:RequestSecurityTokenResponse>`,
  13: (context, assertion) =>
    `<trust:RequestSecurityTokenResponseCollection xmlns:trust="http://docs.oasis-open.org/ws-sx/ws-trust/200512">\n  <trust:RequestSecurityTokenResponse Context="${context}">\n    <trust:RequestedSecurityToken>\n      ${assertion}\n    </trust:RequestedSecurityToken>\n  </trust:RequestSecurityTokenResponse>\n</trust:RequestSecurityTokenResponseCollection>`,
};
function answer(req, res, next) {
  const { wtrealm, wreply, wctx } = req.query;
  const options = {
    ...signing,
    audiences: wtrealm,
    recipient: wreply,
    nameIdentifier: user.id,
    nameIdentifierFormat: 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified',
    attributes: { [claims + 'name']: user.displayName, [claims + 'emailaddress']: user.emails[0].value, [role]: ['Partners', 'Guests'] },
  };
  (token === 'saml20' ? Saml20 : Saml11).create(options, (error, assertion) => {
    if (error) return next(error);
    const field = (name, value) => `<input type="hidden" name="${name}" value="${escape(value)}">`;
    const fields = field('wa', 'wsignin1.0') + field('wresult', shapes[trust](escape(wctx), assertion)) + field('wctx', wctx);
    res.type('html').send(`<form method="post" action="${escape(wreply)}">${fields}</form><script>document.forms[0].submit()</script>`);
  });
}

const app = express();
app.use(
  bodyParser.urlencoded({ extended: false }),
  // its sign-out page may stand in a relying party's frame
  session({ name: 'idp-' + port, secret: 'x', resave: false, saveUninitialized: false, cookie: { secure: true, sameSite: 'none' } }),
);
app.get('/favicon.ico', (req, res) => res.status(204).end());
app.get('/FederationMetadata/2007-06/FederationMetadata.xml', wsfed.metadata({ issuer, cert: cert.toString(), endpointPath: '/wsfed' }));
app.get('/', (req, res) => res.type('text').send(req.session.user ? 'signed in' : 'not signed in'));
app.post('/login', (req, res) => {
  req.session.user = 'pat';
  req.session.fresh = true;
  res.redirect('/wsfed?' + req.body.query);
});
app.get('/wsfed', (req, res, next) => {
  const { wa, wreply, wfresh } = req.query;
  if (wa === 'wsignout1.0') {
    const frames = (req.session.replies || []).map((url) => `<iframe src="${escape(url)}?wa=wsignoutcleanup1.0"></iframe>`);
    return req.session.destroy(() => res.type('html').send('<h1>signed out at the partner</h1>' + frames.join('')));
  }
  if (!req.session.user || (wfresh === '0' && !req.session.fresh)) {
    const query = escape(new URLSearchParams(req.query));
    const button = '<button type="submit">Sign in as Pat</button>';
    return res.type('html').send(`<h1>The partner</h1><form method="post" action="/login"><input type="hidden" name="query" value="${query}">${button}</form>`);
  }
  req.session.fresh = false;
  req.session.replies = [...new Set([...(req.session.replies || []), wreply])];
  req.session.save(() => (token === 'saml11' && trust === '2005' ? own : answer)(req, res, next));
});
app.use((error, req, res, next) => res.status(500).type('text').send('IDP ERROR: ' + (error.stack || error)));
const certs = process.env.FEDGATE_PEERS_DIR + '/certs/';
https
  .createServer({ key: fs.readFileSync(certs + 'server.key'), cert: fs.readFileSync(certs + 'server.crt') }, app)
  .listen(port, '127.0.0.1', () => console.error('wsfed idp on', base, 'issuer', issuer, token, trust));
