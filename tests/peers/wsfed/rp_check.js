// SPDX-License-Identifier: GPL-2.0-or-later
// rp_check.js WRESULT.xml REALM CERT.pem [RECIPIENT]     run it with common/node.sh
// What passport-wsfed-saml2 makes of one wresult, in process. Prints ACCEPT and the claims, or REFUSE and the reason.
// Exit status: 0 accepted; 1 refused.
const fs = require('fs');
const { Strategy } = require('passport-wsfed-saml2');

const [, , file, realm, certFile, recipientUrl = 'https://localhost:18083/login/callback'] = process.argv;
const pem = fs.readFileSync(certFile, 'utf8');
const cert = pem.replace(/-----[^-]+-----/g, '').replace(/\s/g, '');
const strategy = new Strategy(
  { path: '/cb', realm, identityProviderUrl: 'http://127.0.0.1/', recipientUrl, cert },
  (profile, done) => done(null, profile),
);
function refuse(reason) {
  console.log('REFUSE', reason);
  process.exitCode = 1;
}
strategy.error = (error) => refuse(error.message);
strategy.fail = (error) => refuse((error && error.message) || error);
strategy.success = (user) => console.log('ACCEPT', JSON.stringify(user));
const body = { wresult: fs.readFileSync(file, 'utf8'), wa: 'wsignin1.0' };
strategy.authenticate({ body, method: 'POST', protocol: 'http', get: () => 'x', originalUrl: '/cb' }, {});
