// SPDX-License-Identifier: GPL-2.0-or-later
// rp.js   Auth0's passport-wsfed-saml2 as a WS-Federation relying party; started by rp.sh, which lists the environment.
// GET /secure: the profile (JSON, or a page with it for a browser), or a redirect to the IdP; /login; POST /login/callback = wreply;
// GET /login/callback?wa=wsignoutcleanup1.0: forgets the session, answers an image; /logout: signs out at the IdP, back to /.
// A refused token: status 500 and "RP ERROR: reason".
// passport-wsfed-saml2 decrypts SAML 2.0 protocol responses only: with DECRYPTION_KEY the wresult is decrypted before it, by the
// xml-encryption package that it uses itself.
const fs = require('fs');
const https = require('https');
const express = require('express');
const session = require('express-session');
const passport = require('passport');
const bodyParser = require('body-parser');
const { Strategy } = require('passport-wsfed-saml2');
const xmlenc = require(require.resolve('xml-encryption', { paths: [require.resolve('passport-wsfed-saml2')] }));

const port = +process.env.PORT;
const base = process.env.ORIGIN;
const secure = base.startsWith('https:');
const cookie = { secure, sameSite: secure ? 'none' : 'lax' };
const options = {
  path: '/login/callback',
  realm: process.env.REALM,
  homeRealm: process.env.WHR || '',
  identityProviderUrl: process.env.IDP_URL,
  wreply: process.env.WREPLY || base + '/login/callback',
  state: process.env.WCTX_CHECK !== '0',
};
if (process.env.THUMBPRINT) options.thumbprints = [process.env.THUMBPRINT];
else
  options.cert = fs
    .readFileSync(process.env.CERT)
    .toString()
    .replace(/-----[^-]+-----/g, '')
    .replace(/\s/g, '');
passport.use(new Strategy(options, (profile, done) => done(null, profile)));
passport.serializeUser((user, done) => done(null, user));
passport.deserializeUser((user, done) => done(null, user));
const decryptionKey = process.env.DECRYPTION_KEY && fs.readFileSync(process.env.DECRYPTION_KEY);
function decrypt(req, res, next) {
  const wresult = (req.body && req.body.wresult) || '';
  const data = /<((?:\w+:)?EncryptedData)\b.*<\/\1>/s.exec(wresult);
  const wrapped = /<((?:\w+:)?EncryptedAssertion)\b.*<\/\1>/s.exec(wresult);
  if (!decryptionKey) return next();
  if (!data) return next(new Error('the token is not encrypted'));
  xmlenc.decrypt(data[0], { key: decryptionKey }, (error, assertion) => {
    if (!error) req.body.wresult = wresult.replace((wrapped || data)[0], () => assertion);
    next(error);
  });
}
const app = express();
app.use(
  bodyParser.urlencoded({ extended: false, limit: '1mb' }),
  // loaded from another site's sign-out page, it must come along there
  session({ name: 'rp-' + port, secret: 'x', resave: false, saveUninitialized: false, cookie }),
  passport.initialize(),
  passport.session(),
);
// fresh options each time: the strategy keeps wctx in them
app.get('/login', (req, res, next) => passport.authenticate('wsfed-saml2', {})(req, res, next));
app.post('/login/callback', decrypt, passport.authenticate('wsfed-saml2', { failWithError: true }), (req, res) =>
  res.redirect('/secure'),
);
// WS-Federation 1.2 section 13.2.4: the IdP's sign-out page loads this in the person's browser
app.get('/login/callback', (req, res, next) => {
  if (req.query.wa !== 'wsignoutcleanup1.0') return next();
  req.logout(() => res.type('gif').send(Buffer.from('R0lGODlhAQABAAAAACwAAAAAAQABAAACAkQBADs=', 'base64')));
});
app.get('/', (req, res) => res.type('text').send(req.user ? 'signed in' : 'not signed in'));
app.get('/favicon.ico', (req, res) => res.status(204).end());
app.get('/secure', (req, res) => (req.user ? res.json(req.user) : res.redirect('/login')));
app.get('/logout', (req, res) =>
  res.redirect(options.identityProviderUrl + '?wa=wsignout1.0&wreply=' + encodeURIComponent(base + '/')),
);
app.use((error, req, res, next) =>
  res
    .status(error.status || 500)
    .type('text')
    .send('RP ERROR: ' + (error.stack || error)),
);
const certs = process.env.FEDGATE_PEERS_DIR + '/certs/';
const server = secure
  ? https.createServer({ key: fs.readFileSync(certs + 'server.key'), cert: fs.readFileSync(certs + 'server.crt') }, app)
  : app;
server.listen(port, '127.0.0.1', () => console.error('wsfed rp on', base));
