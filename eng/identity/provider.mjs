// The OpenID Connect issuer of development: a certified provider with one client per demonstration organisation.
// In production any OpenID Connect provider takes its place; the services only know issuer, audience and claims.
//
// Environment: PORT (0 or absent = any free one), ISSUER (public url; default http://127.0.0.1:PORT),
// JAFER_IDENTITY_KEYS (folder of its keys), JAFER_REFERENCE_DATA (folder of the demonstration data).
// A token is asked for with the client credentials grant at ISSUER/token; its claims:
//   iss, exp (one hour), iat, jti, client_id
//   aud           `jafer`; for one of Jafer's services the service that it calls (form parameter `resource`, urn:jafer:NAME)
//   sub           the client id, or `personne.<client id>.<name>` when a person acts (form parameter `person`)
//   role          a role of the access table (ServiceDefaults/Access/access.csv)
//   organisation  UUID of the organisation that the caller belongs to
//   actor         `software` or `person`
//   on_behalf_of  a person for whom software acts (form parameter `on_behalf_of`)
//   development   true: no service takes such a token outside Development
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import { readClients, referenceData, services } from './organisations.mjs';
import { clientSecret, keysFolder, masterSecret, signingKeys } from './secrets.mjs';

const audience = 'jafer';
const resource = 'urn:jafer';
const resourceOf = (service) => `${resource}:${service}`;
const lifetimeSeconds = 3600;
const personName = /^[a-z0-9][a-z0-9-]{0,39}$/;

/**
 * Starts the issuer on the loopback interface.
 * @param {{port?: number, issuer?: string, keys: string, data: string, log?: (line: string) => void}} options
 * @returns {Promise<{issuer: string, port: number, close: () => Promise<void>}>}
 */
export async function startProvider({ port = 0, issuer, keys, data, log = console.log }) {
  if (process.env.NODE_ENV === 'production')
    throw new Error('the development issuer does not start in production: configure an OpenID Connect provider instead');
  const master = masterSecret(keys);
  const clients = readClients(data);
  const { Provider, errors } = await loadLibrary();

  const server = createServer();
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  issuer ??= `http://127.0.0.1:${server.address().port}`;

  const provider = new Provider(issuer, configuration({ clients, master, jwks: signingKeys(keys), errors }));
  // Messages of the library name what was wrong, never a secret or a token; unknown client ids are not repeated.
  const caller = (ctx) => clients.get(ctx.oidc?.client?.clientId)?.clientId ?? 'an unknown client';
  provider.on('grant.success', (ctx) => log(`identity: token issued to ${caller(ctx)}`));
  provider.on('grant.error', (ctx, error) => log(`identity: token refused to ${caller(ctx)}: ${error.error}`));
  provider.on('server_error', (ctx, error) => log(`identity: failed on ${ctx.path}: ${error.name}`));
  provider.on('error', (error) => log(`identity: failed: ${error.name}`));

  const answer = provider.callback();
  server.on('request', (request, response) => {
    if (request.url === '/health' || request.url === '/') {
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
      response.end(request.url === '/' ? `Jafer development issuer\n${issuer}/.well-known/openid-configuration\n` : 'Healthy\n');
    } else answer(request, response);
  });
  log(`identity: ready at ${issuer} for ${clients.size} clients`);
  return {
    issuer,
    port: server.address().port,
    close: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }),
  };
}

function configuration({ clients, master, jwks, errors }) {
  // Clients are derived when asked for; tokens are signed and self-contained, so nothing else is ever stored.
  const adapter = (model) => ({
    find: async (id) => model === 'Client' && clients.has(id) ? {
      client_id: id,
      client_secret: clientSecret(master, id),
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    } : undefined,
    upsert: async () => {},
    destroy: async () => {},
    consume: async () => {},
    revokeByGrantId: async () => {},
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
  });
  const named = (ctx, parameter) => {
    const name = ctx.oidc.body?.[parameter];
    if (name !== undefined && !(typeof name === 'string' && personName.test(name)))
      throw new errors.InvalidRequest(`${parameter} must be 1 to 40 lower-case letters, digits or hyphens`);
    return name;
  };
  const person = (ctx) => named(ctx, 'person');
  const subjectOf = (clientId, name) => `personne.${clientId}.${name}`;
  const serviceOf = (clientId) => clients.get(clientId)?.role === 'systeme' ? clients.get(clientId).key : undefined;
  return {
    adapter,
    jwks,
    clientAuthMethods: ['client_secret_basic', 'client_secret_post'],
    cookies: { keys: [createHmac('sha256', master).update('cookies').digest('base64url')] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: (ctx, client) => serviceOf(client.clientId) === undefined ? resource : resourceOf(serviceOf(client.clientId)),
        useGrantedResource: () => true,
        getResourceServerInfo: (ctx, indicator, client) => {
          // A service gets tokens for one service at a time, everybody else those of outside callers.
          const service = services.find((name) => indicator === resourceOf(name));
          if (serviceOf(client.clientId) === undefined ? indicator !== resource : service === undefined) throw new errors.InvalidTarget();
          return { audience: service ?? audience, scope: '', accessTokenFormat: 'jwt', accessTokenTTL: lifetimeSeconds, jwt: { sign: { alg: 'RS256' } } };
        },
      },
    },
    extraTokenClaims: (ctx, token) => {
      const { role, organisation } = clients.get(token.clientId);
      const forPerson = named(ctx, 'on_behalf_of');
      return {
        role, organisation, actor: person(ctx) === undefined ? 'software' : 'person', development: true,
        ...(forPerson !== undefined && { on_behalf_of: subjectOf(token.clientId, forPerson) }),
      };
    },
    formats: {
      customizers: {
        jwt: (ctx, token, { payload }) => {
          if (payload.actor === 'person') payload.sub = subjectOf(token.clientId, person(ctx));
        },
      },
    },
    responseTypes: ['none'],
    scopes: [],
    ttl: { ClientCredentials: lifetimeSeconds },
  };
}

/** The library warns on standard error about Node.js 20, which Jafer supports; every other warning stays. */
async function loadLibrary() {
  const { warn } = console;
  console.warn = (line, ...rest) => String(line).includes('Unsupported runtime') || warn(line, ...rest);
  try {
    return await import('oidc-provider');
  } finally {
    console.warn = warn;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    const started = startProvider({
      port: Number(process.env.PORT ?? 0),
      issuer: process.env.ISSUER?.replace(/\/$/, ''),
      keys: keysFolder(),
      data: referenceData(),
    });
    // Before it says that it is ready: whoever reads that may stop it at once.
    for (const signal of ['SIGINT', 'SIGTERM'])
      process.once(signal, () => started.then((provider) => provider.close()).then(() => process.exit(0)));
    await started;
  } catch (error) {
    console.error(`identity: ${error.message}`);
    process.exit(1);
  }
}
