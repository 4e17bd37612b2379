// SPDX-License-Identifier: GPL-2.0-or-later
// op.mjs   oidc-provider as an OpenID provider; started by op.sh, which lists the environment.
// Login page: fields login (any name) and password (any, not empty), deny=1 refuses. Consent is given unless CONSENT=1.
import Provider, { interactionPolicy } from 'oidc-provider';
import https from 'node:https';
import fs from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';

const env = process.env;
const issuer = env.ISSUER;
const issuerUrl = new URL(issuer);
const clients = [
  {
    client_id: env.CLIENT_ID,
    client_secret: ['none', 'private_key_jwt'].includes(env.TOKEN_AUTH) ? undefined : env.CLIENT_SECRET,
    redirect_uris: env.REDIRECT_URIS.split(','),
    post_logout_redirect_uris: (env.POST_LOGOUT_URIS || '').split(',').filter(Boolean),
    token_endpoint_auth_method: env.TOKEN_AUTH || 'client_secret_basic',
    id_token_signed_response_alg: env.ALG || 'RS256',
    id_token_encrypted_response_alg: env.ENC_ALG,
    id_token_encrypted_response_enc: env.ENC_ALG && env.ENC,
    jwks_uri: env.JWKS_URI,
    grant_types: ['authorization_code', 'refresh_token', ...(env.TOKEN_AUTH === 'none' ? [] : ['client_credentials'])],
    response_types: ['code'],
    backchannel_logout_uri: env.BACKCHANNEL_URI,
    backchannel_logout_session_required: !!env.BACKCHANNEL_URI,
  },
];
// a kid says which algorithm, and which generation of keys
const jwk = (type, options, alg) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }),
  alg,
  use: 'sig',
  kid: alg + (env.GENERATION || ''),
});
const keys = [
  jwk('rsa', { modulusLength: 2048 }, 'RS256'),
  jwk('rsa', { modulusLength: 2048 }, 'PS256'),
  jwk('ec', { namedCurve: 'P-256' }, 'ES256'),
  jwk('ed25519', {}, 'EdDSA'),
];
// {"NAME": null (there is no such account any more) or {claim: value}}, read whenever an account is looked up
const accounts = () => (env.ACCOUNTS && fs.existsSync(env.ACCOUNTS) ? JSON.parse(fs.readFileSync(env.ACCOUNTS)) : {});
const policy = interactionPolicy.base();
if (env.CONSENT !== '1') policy.remove('consent');
const provider = new Provider(issuer, {
  clients,
  jwks: { keys },
  interactions: { policy, url: (c, i) => `/interaction/${i.uid}` },
  cookies: { keys: ['k1'] },
  claims: {
    openid: ['sub'],
    email: ['email', 'email_verified'],
    profile: ['name', 'given_name', 'family_name', 'preferred_username', 'locale'],
    groups: ['groups'],
  },
  scopes: ['openid', 'offline_access', 'email', 'profile', 'groups'],
  // Node's own fetch: it trusts NODE_EXTRA_CA_CERTS
  fetch: (url, init) => {
    const { dispatcher, ...rest } = init || {};
    return globalThis.fetch(url, rest);
  },
  conformIdTokenClaims: env.ID_TOKEN_CLAIMS !== '1',
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA', 'HS256'] },
  responseTypes: ['code'],
  pkce: { required: () => env.REQUIRE_PKCE === '1' },
  clientBasedCORS: () => true,
  issueRefreshToken: async (c, cl, code) =>
    cl.grantTypeAllowed('refresh_token') && (code.scopes.has('offline_access') || env.REFRESH === '1'),
  rotateRefreshToken: () => env.REFRESH === '1',
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => false,
      getResourceServerInfo: (ctx, resource) => ({ scope: 'api', audience: resource, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } }),
    },
    encryption: { enabled: true },
    revocation: { enabled: true },
    rpInitiatedLogout: { enabled: true },
    userinfo: { enabled: true },
    claimsParameter: { enabled: true },
  },
  async findAccount(ctx, id) {
    const more = accounts()[id];
    if (more === null) return undefined;
    const capitalized = id[0].toUpperCase() + id.slice(1);
    return {
      accountId: id,
      claims: async () => ({
        sub: id,
        email: `${id}@op.test`,
        email_verified: true,
        name: `${capitalized} Ängström`,
        given_name: capitalized,
        family_name: 'Ängström',
        preferred_username: id,
        locale: 'en',
        groups: ['staff', 'engineers'],
        ...more,
      }),
    };
  },
  async loadExistingGrant(ctx) {
    const grantId = ctx.oidc.result?.consent?.grantId || ctx.oidc.session.grantIdFor(ctx.oidc.client.clientId);
    if (grantId) return ctx.oidc.provider.Grant.find(grantId);
    if (env.CONSENT === '1') return undefined;
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope('openid email profile groups offline_access');
    await grant.save();
    return grant;
  },
});
provider.proxy = false;
const handleProtocol = provider.callback();
const handle = async (req, res) => {
  if (/^\/(\.well-known|jwks)/.test(req.url)) console.log('asked', req.url);
  const interaction = /^\/interaction\/([^/?]+)(\/login)?/.exec(req.url);
  if (!interaction) return handleProtocol(req, res);
  try {
    const details = await provider.interactionDetails(req, res);
    if (!interaction[2]) {
      res.setHeader('Content-Type', 'text/html');
      return res.end(
        `<form method="post" action="/interaction/${details.uid}/login"><input name="login"><input type="password" name="password"><button type="submit">Sign-in (${details.prompt.name})</button></form>`,
      );
    }
    let body = '';
    for await (const chunk of req) body += chunk;
    const form = new URLSearchParams(body);
    if (form.get('deny'))
      return provider.interactionFinished(
        req,
        res,
        { error: 'access_denied', error_description: 'denied' },
        { mergeWithLastSubmission: false },
      );
    if (details.prompt.name === 'consent') {
      const grant = new provider.Grant({ accountId: details.session.accountId, clientId: details.params.client_id });
      grant.addOIDCScope(details.params.scope);
      return provider.interactionFinished(
        req,
        res,
        { consent: { grantId: await grant.save() } },
        { mergeWithLastSubmission: true },
      );
    }
    if (!form.get('login') || !form.get('password')) {
      res.statusCode = 400;
      return res.end('bad login');
    }
    return provider.interactionFinished(
      req,
      res,
      { login: { accountId: form.get('login'), acr: 'urn:test:pw', amr: ['pwd'] } },
      { mergeWithLastSubmission: false },
    );
  } catch (error) {
    res.statusCode = 400;
    res.end(String(error) + '\n');
  }
};
for (const event of [
  'server_error',
  'grant.error',
  'authorization.error',
  'userinfo.error',
  'end_session.error',
  'backchannel.error',
  'revocation.error',
])
  provider.on(event, (context, error) =>
    console.error(
      event,
      error?.message,
      error?.error_description,
      error?.error_detail || '',
      error?.cause?.message || '',
      error?.cause?.code || '',
    ),
  );
for (const event of ['refresh_token.consumed', 'refresh_token.destroyed', 'grant.revoked']) provider.on(event, () => console.log(event));
https
  .createServer({ key: fs.readFileSync(env.KEY), cert: fs.readFileSync(env.CERT) }, handle)
  .listen(+issuerUrl.port, '127.0.0.1', () => console.log('ready', issuer));
