// SPDX-License-Identifier: GPL-2.0-or-later
// rp.mjs   openid-client as an OpenID Connect relying party; started by rp.sh, which lists the environment.
// ORIGIN/login[?name=value: added to the authorization request], /cb, / (JSON {claims, userinfo, …}; 403 before a login), /refresh,
// /userinfo, /tokens (as they are), /logout, /bye, /backchannel (checks the logout token and ends its sessions), /metadata.
// /frontchannel ends the session of that sid, /jwks has its public key.
// Errors: status 400 {error, description, cause}.
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { createRemoteJWKSet, importJWK, jwtVerify } from 'jose';
import * as client from 'openid-client';

const { env } = process;
const origin = new URL(env.ORIGIN);
const callback = env.ORIGIN + '/cb';
const sessions = new Map();
let ended = 0;

async function privateKey() {
  const jwk = JSON.parse(fs.readFileSync(env.JWK));
  return { key: await importJWK(jwk), kid: jwk.kid };
}

const keys = env.DPOP ? await client.randomDPoPKeyPair('ES256', { extractable: true }) : undefined;
let handle;
const dpop = (config) => (keys ? { DPoP: (handle ||= client.getDPoPHandle(config, keys)) } : {});

async function authentication() {
  switch (env.AUTH || 'basic') {
    case 'none':
      return client.None();
    case 'post':
      return client.ClientSecretPost(env.CLIENT_SECRET);
    case 'jwt':
      return client.PrivateKeyJwt(await privateKey());
    default:
      return client.ClientSecretBasic(env.CLIENT_SECRET);
  }
}

let discovered;
async function configuration() {
  discovered ||= discover();
  return discovered;
}

async function discover() {
  const metadata = env.ALG ? { id_token_signed_response_alg: env.ALG } : {};
  const config = await client.discovery(new URL(env.ISSUER), env.CLIENT_ID, metadata, await authentication());
  if (env.DECRYPT_JWK) {
    const jwk = JSON.parse(fs.readFileSync(env.DECRYPT_JWK));
    client.enableDecryptingResponses(config, [env.ENC], { key: await importJWK(jwk), kid: jwk.kid });
  }
  return config;
}

async function login(config, session, query) {
  session.verifier = client.randomPKCECodeVerifier();
  session.state = client.randomState();
  session.nonce = client.randomNonce();
  session.resource = query.get('resource');
  const parameters = {
    redirect_uri: callback,
    scope: env.SCOPE || 'openid profile email offline_access',
    state: session.state,
    nonce: session.nonce,
    code_challenge: await client.calculatePKCECodeChallenge(session.verifier),
    code_challenge_method: 'S256',
    ...Object.fromEntries(query),
  };
  if (env.RESPONSE_MODE) parameters.response_mode = env.RESPONSE_MODE;
  if (env.PAR) return (await client.buildAuthorizationUrlWithPAR(config, parameters, dpop(config))).href;
  if (env.JAR) return (await client.buildAuthorizationUrlWithJAR(config, parameters, await privateKey())).href;
  return client.buildAuthorizationUrl(config, parameters).href;
}

async function receive(config, session, url, request, body) {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const answer = request.method === 'POST' ? new Request(url, { method: 'POST', body, headers }) : url;
  const checks = { expectedState: session.state, expectedNonce: session.nonce, pkceCodeVerifier: session.verifier, idTokenExpected: true };
  session.tokens = await client.authorizationCodeGrant(config, answer, checks, {}, dpop(config));
  session.claims = session.tokens.claims();
  if (!session.resource) session.userinfo = await client.fetchUserInfo(config, session.tokens.access_token, session.claims.sub, dpop(config));
}

function describe(session) {
  return {
    claims: session.claims,
    userinfo: session.userinfo,
    token_type: session.tokens?.token_type,
    expires_in: session.tokens?.expires_in,
    scope: session.tokens?.scope,
    refresh: !!session.tokens?.refresh_token,
    ended,
  };
}

// back-channel logout 1.0 §2.6
async function backchannel(config, body) {
  const metadata = config.serverMetadata();
  const { payload } = await jwtVerify(new URLSearchParams(body).get('logout_token'), createRemoteJWKSet(new URL(metadata.jwks_uri)), {
    issuer: metadata.issuer,
    audience: env.CLIENT_ID,
    typ: 'logout+jwt',
    requiredClaims: ['iat', 'jti', 'events', 'sid'],
  });
  if (!payload.events['http://schemas.openid.net/event/backchannel-logout'] || 'nonce' in payload) throw new Error('no logout token');
  for (const [id, session] of sessions)
    if (session.claims?.sid === payload.sid) {
      sessions.delete(id);
      ended++;
    }
}

const serve = async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  const url = new URL(request.url, env.ORIGIN);
  const id = /RPSID=([^;]+)/.exec(request.headers.cookie || '')?.[1] || client.randomState();
  let session = sessions.get(id);
  if (!session) sessions.set(id, (session = {}));
  const answer = (status, content, headers = {}) => {
    const cookie = `RPSID=${id}; Path=/; HttpOnly` + (origin.protocol === 'https:' ? '; Secure; SameSite=None' : '');
    response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', 'Set-Cookie': cookie, ...headers });
    response.end(JSON.stringify(content, null, 1) + '\n');
  };
  const redirect = (location) => answer(303, {}, { Location: location });
  if (url.pathname === '/favicon.ico') return response.writeHead(204).end();
  if (url.pathname === '/jwks') {
    console.log('jwks asked');
    const { d, ...open } = JSON.parse(fs.readFileSync(env.JWK));
    return answer(200, { keys: [open] });
  }
  try {
    const config = await configuration();
    switch (url.pathname) {
      case '/login':
        return redirect(await login(config, session, url.searchParams));
      case '/cb':
        await receive(config, session, url, request, body);
        return redirect('/');
      case '/':
        return answer(session.claims ? 200 : 403, describe(session));
      case '/refresh':
        Object.assign(session.tokens, await client.refreshTokenGrant(config, session.tokens.refresh_token, {}, dpop(config)));
        return answer(200, describe(session));
      case '/userinfo':
        return answer(200, await client.fetchUserInfo(config, session.tokens.access_token, session.claims.sub, dpop(config)));
      case '/tokens':
        return answer(200, session.tokens || {});
      case '/logout': {
        const parameters = { post_logout_redirect_uri: env.ORIGIN + '/bye', id_token_hint: session.tokens.id_token, state: 'bye1' };
        if (!url.searchParams.has('stay')) sessions.delete(id);
        return redirect(client.buildEndSessionUrl(config, parameters).href);
      }
      case '/bye':
        return answer(200, { bye: url.searchParams.get('state') });
      case '/backchannel':
        await backchannel(config, body);
        return answer(200, {});
      case '/frontchannel':
        for (const [id, other] of sessions)
          if (url.searchParams.get('iss') === env.ISSUER && other.claims?.sid === url.searchParams.get('sid')) {
            sessions.delete(id);
            ended++;
          }
        return answer(200, {});
      case '/metadata':
        return answer(200, config.serverMetadata());
      default:
        return answer(404, {});
    }
  } catch (error) {
    console.error(error);
    answer(400, {
      error: error.error || error.code || error.name,
      description: error.error_description || error.message,
      cause: String(error.cause?.message || error.cause || ''),
    });
  }
};

const server =
  origin.protocol === 'https:'
    ? https.createServer({ key: fs.readFileSync(env.KEY), cert: fs.readFileSync(env.CERT) }, serve)
    : http.createServer(serve);
server.listen(+origin.port, 'localhost', () => console.log('ready', env.ORIGIN));
