// SPDX-License-Identifier: GPL-2.0-or-later
// agent.mjs ACTION JSON   one request of openid-client (npm), as programs without a browser send them; run by common/node.sh.
//   ISSUER  CLIENT_ID  CLIENT_SECRET  AUTH=basic|post|none|jwt|secret_jwt|tls  JWK (file with its private JSON Web Key, for jwt)
//   CERT, KEY (PEM files of the connection's client certificate)  DPOP (file that holds its key pair; made if it is not there)
// ACTION: credentials, grant {grant_type, …}, introspect {token}, revoke {token}, userinfo {token, sub}, fetch {token, url, method},
//   register {token, …metadata}, device {scope}, poll {what device printed}, par {…}, jar {…}; assertion {key, kid, claims} signs a JWT with
//   jose, encrypt {token, jwk, alg, enc} encrypts one, saml {…} is an assertion of SAML 2.0 with Auth0's saml.
// Prints the answer as JSON; exit 1: {error, description} of a refusal.
import crypto from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import { createRequire } from 'node:module';
import { CompactEncrypt, importJWK, SignJWT } from 'jose';
import * as client from 'openid-client';

const { env } = process;
const [action, text] = process.argv.slice(2);
const input = JSON.parse(text || '{}');
const tls = env.CERT ? { cert: fs.readFileSync(env.CERT), key: fs.readFileSync(env.KEY) } : {};

// fetch has no client certificates
const ownFetch = (url, { method = 'GET', headers = {}, body } = {}) =>
  new Promise((resolve, reject) => {
    const request = https.request(url, { ...tls, method, headers: Object.fromEntries(new Headers(headers)), agent: false }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => {
        const answer = new Headers();
        for (const [name, value] of Object.entries(response.headers)) for (const one of [value].flat()) answer.append(name, one);
        resolve(new Response(chunks.length ? Buffer.concat(chunks) : null, { status: response.statusCode, headers: answer }));
      });
    });
    request.on('error', reject);
    request.end(body ? String(body) : undefined);
  });

const privateKey = async () => {
  const jwk = JSON.parse(fs.readFileSync(env.JWK));
  return { key: await importJWK(jwk), kid: jwk.kid };
};

async function authentication() {
  switch (env.AUTH || 'basic') {
    case 'none':
      return client.None();
    case 'post':
      return client.ClientSecretPost(env.CLIENT_SECRET);
    case 'secret_jwt':
      return client.ClientSecretJwt(env.CLIENT_SECRET);
    case 'jwt':
      return client.PrivateKeyJwt(await privateKey());
    case 'tls':
      return client.TlsClientAuth();
    default:
      return client.ClientSecretBasic(env.CLIENT_SECRET);
  }
}

async function dpopKeys() {
  const { subtle } = crypto.webcrypto;
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  if (!fs.existsSync(env.DPOP)) {
    const pair = await subtle.generateKey(algorithm, true, ['sign', 'verify']);
    fs.writeFileSync(env.DPOP, JSON.stringify(await Promise.all([pair.privateKey, pair.publicKey].map((key) => subtle.exportKey('jwk', key)))));
  }
  const [own, open] = JSON.parse(fs.readFileSync(env.DPOP));
  return {
    privateKey: await subtle.importKey('jwk', own, algorithm, false, ['sign']),
    publicKey: await subtle.importKey('jwk', open, algorithm, true, ['verify']),
  };
}

async function describe(response) {
  return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() };
}

async function run() {
  if (action === 'assertion') {
    const jwk = JSON.parse(fs.readFileSync(input.key));
    return new SignJWT(input.claims).setProtectedHeader({ alg: 'ES256', kid: jwk.kid, typ: 'JWT' }).sign(await importJWK(jwk));
  }
  if (action === 'encrypt') {
    const { token, jwk, alg, enc } = input;
    const header = { alg, enc, cty: 'JWT', kid: jwk.kid };
    return new CompactEncrypt(new TextEncoder().encode(token)).setProtectedHeader(header).encrypt(await importJWK(jwk, alg));
  }
  if (action === 'saml') {
    const { Saml20 } = createRequire(import.meta.url)('saml');
    const [key, cert] = [fs.readFileSync(input.key), fs.readFileSync(input.cert)];
    const made = Saml20.create({ ...input.options, key, cert, signatureAlgorithm: 'rsa-sha256', digestAlgorithm: 'sha256' });
    return Buffer.from(made).toString('base64url');
  }
  if (action === 'register') {
    const { token: initialAccessToken, ...metadata } = input;
    const options = { initialAccessToken, [client.customFetch]: ownFetch };
    return (await client.dynamicClientRegistration(new URL(env.ISSUER), metadata, await authentication(), options)).clientMetadata();
  }
  const config = await client.discovery(new URL(env.ISSUER), env.CLIENT_ID, {}, await authentication(), { [client.customFetch]: ownFetch });
  const options = env.DPOP ? { DPoP: client.getDPoPHandle(config, await dpopKeys()) } : {};
  switch (action) {
    case 'credentials':
      return client.clientCredentialsGrant(config, input, options);
    case 'grant': {
      const { grant_type: type, ...parameters } = input;
      return client.genericGrantRequest(config, type, parameters, options);
    }
    case 'refresh':
      return client.refreshTokenGrant(config, input.token, {}, options);
    case 'introspect':
      return client.tokenIntrospection(config, input.token);
    case 'revoke':
      return (await client.tokenRevocation(config, input.token)) || {};
    case 'userinfo':
      return client.fetchUserInfo(config, input.token, input.sub || client.skipSubjectCheck, options);
    case 'fetch':
      return describe(await client.fetchProtectedResource(config, input.token, new URL(input.url), input.method || 'GET', undefined, undefined, options));
    case 'device':
      return client.initiateDeviceAuthorization(config, input);
    case 'poll':
      return client.pollDeviceAuthorizationGrant(config, input, undefined, options);
    case 'par':
      return (await client.buildAuthorizationUrlWithPAR(config, input, options)).href;
    case 'jar':
      return (await client.buildAuthorizationUrlWithJAR(config, input, await privateKey())).href;
    default:
      throw new Error('no such action');
  }
}

try {
  console.log(JSON.stringify(await run()));
} catch (error) {
  const challenges = error.cause?.map?.((challenge) => challenge.parameters?.error).filter(Boolean);
  console.log(JSON.stringify({ error: error.error || challenges?.[0] || error.code || error.name, description: error.error_description || error.message, status: error.status }));
  process.exit(1);
}
