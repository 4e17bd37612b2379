// SPDX-License-Identifier: GPL-2.0-or-later
// adal_driver.js MEX_URL USER PASSWORD [AUDIENCE]     run it with common/node.sh
// Microsoft adal-node as a WS-Trust client: metadata exchange, then RST (2005/02 or 1.3, as the policy says).
// TRUST=13 or 2005 in the environment: adal, which prefers 1.3, sees only the bindings of that version.
// V=1 in the environment: adal's own log on stderr. Prints JSON: endpoint, version, type, type_known_to_adal, token (or error).
// Exit status: 0 a token of a type adal knows; 2 no endpoint in the MEX document; 3 fault; 4 token of an unknown type.
const lib = 'adal-node/lib/';
require(lib + 'adal');
const Mex = require(lib + 'mex');
const WSTrustRequest = require(lib + 'wstrust-request');
const log = require(lib + 'log');

const KNOWN_TYPES = ['urn:oasis:names:tc:SAML:1.0:assertion', 'urn:oasis:names:tc:SAML:2.0:assertion'];
const [, , mexUrl, user, password, audience = 'urn:federation:MicrosoftOnline'] = process.argv;
if (process.env.V) {
  log.Logging.setLoggingOptions({ level: 3, log: (l, message) => console.error(message), loggingWithPII: true });
}
if (process.env.TRUST) {
  const matching = Mex.prototype._getMatchingBindings;
  Mex.prototype._getMatchingBindings = function (policies) {
    const bindings = Object.entries(matching.call(this, policies) || {});
    return Object.fromEntries(bindings.filter(([, binding]) => binding.version === 'wstrust' + process.env.TRUST));
  };
}
const context = { _logContext: log.createLogContext(), options: {} };

// adal-node calls back more than once after some errors: the first call counts
let finished = false;
function finish(status, result) {
  if (finished) return;
  finished = true;
  console.log(JSON.stringify(result));
  process.exitCode = status;
}

const mex = new Mex(context, mexUrl);
mex.discover((error) => {
  if (error) return finish(2, { error: 'MEX: ' + (error.message || error) });
  const policy = mex.usernamePasswordPolicy;
  if (!policy || !policy.url) return finish(2, { error: 'no WS-Trust endpoint in MEX' });
  const where = { endpoint: policy.url, version: policy.version };
  const request = new WSTrustRequest(context, policy.url, audience, policy.version);
  request.acquireToken(user, password, (failure, answer) => {
    if (failure) {
      const raw =
        typeof answer === 'string'
          ? answer.slice(0, 400)
          : answer && { code: answer.errorCode, fault: answer.faultMessage };
      return finish(3, { ...where, error: String(failure.message || failure), raw });
    }
    const known = KNOWN_TYPES.includes(answer.tokenType);
    finish(known ? 0 : 4, { ...where, type: answer.tokenType, type_known_to_adal: known, token: answer.token });
  });
});
