// SPDX-License-Identifier: GPL-2.0-or-later
// openid_provider.mjs   npm oidc-provider as bench/openid.py measures it: everybody is alice, an ID token and a JWT as access token for
// each code, both signed with the same algorithm.   ISSUER=https://localhost:PORT  CERT, KEY (PEM)  ALG=RS256|ES256  SECRET  CALLBACK  RESOURCE
import { generateKeyPairSync } from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import Provider from 'oidc-provider';

const { ISSUER: issuer, ALG: alg, SECRET: secret, CALLBACK: callback, RESOURCE: resource } = process.env;
const pair = alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('rsa', { modulusLength: 2048 });
const provider = new Provider(issuer, {
  clients: [{ client_id: 'bench', client_secret: secret, redirect_uris: [callback], id_token_signed_response_alg: alg }],
  jwks: { keys: [{ ...pair.privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: 'bench' }] },
  cookies: { keys: ['bench'] },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, upn: 'alice@example.com', name: 'alice', role: ['Administrators', 'Staff'] }) }),
  claims: { openid: ['sub', 'upn', 'name', 'role'] },
  conformIdTokenClaims: false,
  features: {
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({ scope: 'openid', audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: 3600, jwt: { sign: { alg } } }),
    },
  },
  async loadExistingGrant({ oidc }) {
    const known = oidc.session.grantIdFor(oidc.client.clientId);
    if (known) return provider.Grant.find(known);
    const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope('openid');
    grant.addResourceScope(resource, 'openid');
    await grant.save();
    return grant;
  },
});
const own = provider.callback();
const options = { key: fs.readFileSync(process.env.KEY), cert: fs.readFileSync(process.env.CERT) };
https
  .createServer(options, (request, response) =>
    request.url.startsWith('/interaction/') ? provider.interactionFinished(request, response, { login: { accountId: 'alice' } }) : own(request, response),
  )
  .listen(+new URL(issuer).port, 'localhost', () => console.log('ready'));
