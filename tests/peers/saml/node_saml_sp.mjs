// SPDX-License-Identifier: GPL-2.0-or-later
// node_saml_sp.mjs   @node-saml/node-saml as a SAML 2.0 SP over https; started by nodesaml.sh, which lists the environment.
// /metadata, /login[?force=1][&passive=1], /acs, /logout, /slo, / (JSON of the profile, 403 without a session). Errors: status 400 and their text.
import https from 'node:https';
import fs from 'node:fs';
import { SAML } from '@node-saml/node-saml';

const env = process.env;
const base = `https://${env.IP}:${env.PORT}`;
const read = (file) => fs.readFileSync(file, 'utf8');
const own = (name) => read(`${env.DIR}/${name}`);
const saml = new SAML({
  issuer: base + '/sp',
  callbackUrl: base + '/acs',
  entryPoint: env.IDP_SSO,
  logoutUrl: env.IDP_SLO,
  logoutCallbackUrl: base + '/slo',
  idpIssuer: env.IDP_ENTITY,
  audience: base + '/sp',
  idpCert: read(env.IDP_CERT),
  privateKey: own('sign.key'),
  publicCert: own('sign.crt'),
  decryptionPvk: own('sign.key'),
  signatureAlgorithm: 'sha256',
  digestAlgorithm: 'sha256',
  wantAssertionsSigned: env.WAS !== '0',
  wantAuthnResponseSigned: env.WRS === '1',
  skipRequestCompression: env.BINDING === 'HTTP-POST', // bindings 3.5.4: only addresses are deflated
  authnRequestBinding: env.BINDING || 'HTTP-Redirect',
  validateInResponseTo: env.IRT || 'ifPresent',
  acceptedClockSkewMs: 5000,
  disableRequestedAuthnContext: true,
  identifierFormat: env.NIDF || 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient',
  signMetadata: false,
});
const sessions = new Map();
// what a request asks for, beside what the settings say
const wish = (query) => {
  saml.options.forceAuthn = query.get('force') === '1';
  saml.options.passive = query.get('passive') === '1';
};
https
  .createServer({ key: own('tls.key'), cert: own('tls.crt') }, async (req, res) => {
    let body = '';
    for await (const chunk of req) body += chunk;
    const url = new URL(req.url, base);
    const form = Object.fromEntries(new URLSearchParams(body));
    const sid = /NSP=([^;]+)/.exec(req.headers.cookie || '')?.[1];
    const out = (status, text, type = 'application/json', headers = {}) => {
      res.writeHead(status, { 'Content-Type': type, ...headers });
      res.end(text);
    };
    try {
      if (url.pathname == '/metadata')
        return out(
          200,
          saml.generateServiceProviderMetadata(own('sign.crt'), own('sign.crt')),
          'application/samlmetadata+xml',
        );
      if (url.pathname == '/login') wish(url.searchParams);
      if (url.pathname == '/login')
        return env.BINDING == 'HTTP-POST'
          ? out(200, await saml.getAuthorizeFormAsync('rs1'), 'text/html')
          : out(302, '', 'text/plain', { Location: await saml.getAuthorizeUrlAsync('rs1', env.IP, {}) });
      if (url.pathname == '/acs') {
        const { profile } = await saml.validatePostResponseAsync(form);
        if (!profile) return out(403, 'nobody is signed in there'); // NoPassive below Responder, which it takes for no failure
        profile.relayState = form.RelayState;
        const id = Math.random().toString(36).slice(2);
        sessions.set(id, profile);
        return out(303, '', 'text/plain', {
          Location: '/',
          'Set-Cookie': `NSP=${id}; Path=/; Secure; SameSite=None`,
        });
      }
      if (url.pathname == '/logout') {
        const p = sessions.get(sid);
        sessions.delete(sid);
        return out(302, '', 'text/plain', { Location: await saml.getLogoutUrlAsync(p, 'rs2', {}) });
      }
      if (url.pathname == '/slo') {
        const result = url.search
          ? await saml.validateRedirectAsync(Object.fromEntries(url.searchParams), url.search.slice(1))
          : form.SAMLRequest
            ? await saml.validatePostRequestAsync(form)
            : await saml.validatePostResponseAsync(form);
        if (result.loggedOut && result.profile) {
          sessions.clear();
          return out(302, '', 'text/plain', {
            Location: await saml.getLogoutResponseUrlAsync(
              result.profile,
              url.searchParams.get('RelayState') || '',
              {},
              true,
            ),
          });
        }
        return out(200, '{"loggedout":true}\n');
      }
      if (url.pathname == '/') {
        const p = sessions.get(sid);
        return out(p ? 200 : 403, JSON.stringify(p || { error: 'no session' }) + '\n');
      }
      out(404, 'no');
    } catch (error) {
      console.error(error);
      out(400, JSON.stringify({ error: String(error), name: error.name }) + '\n');
    }
  })
  .listen(+env.PORT, env.IP, () => console.log('ready', base));
