// node --test eng/identity: the development issuer as its callers meet it, over HTTP, on a free port.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createPublicKey, verify } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { organisationId, readClients, referenceData, root } from './organisations.mjs';
import { clientSecret, masterSecret, signingKeys } from './secrets.mjs';
import { startProvider } from './provider.mjs';

const data = referenceData();
const run = promisify(execFile);
const lines = [];
let folder, keys, provider;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'jafer-identity-'));
  keys = join(folder, 'identity');
  provider = await startProvider({ keys, data, log: (line) => lines.push(line) });
});

after(async () => {
  await provider?.close();
  rmSync(folder, { recursive: true, force: true });
});

const secretOf = (clientId) => clientSecret(masterSecret(keys), clientId);

async function ask(clientId, secret = secretOf(clientId), form = {}) {
  const response = await fetch(`${provider.issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${clientId}:${secret}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', ...form }),
  });
  return { status: response.status, body: await response.json() };
}

/** Verifies a token by the published key, as a service does, and returns header and claims. */
async function verified(token) {
  const discovery = await (await fetch(`${provider.issuer}/.well-known/openid-configuration`)).json();
  const { keys: published } = await (await fetch(discovery.jwks_uri)).json();
  const [head, claims, signature] = token.split('.');
  const header = JSON.parse(Buffer.from(head, 'base64url'));
  const jwk = published.find(({ kid }) => kid === header.kid);
  assert.ok(jwk, 'the key of the token is published');
  assert.equal(jwk.d, undefined, 'the private part is not published');
  assert.ok(verify('RSA-SHA256', Buffer.from(`${head}.${claims}`), createPublicKey({ key: jwk, format: 'jwk' }), Buffer.from(signature, 'base64url')));
  return { header, discovery, claims: JSON.parse(Buffer.from(claims, 'base64url')) };
}

// Whatever else derives these ids, in any language, must give these values.
const organisations = {
  'court:tj69123': 'f6b209d2-5f20-8c1d-a7db-bd1327b7a4fd',
  'court:tj01053': 'b155d2d1-620b-8132-9283-cd1497f00a41',
  'gestionnaire:demo:A01-1': '67f80d41-426c-861b-a68f-46b78b78b167',
  'gestionnaire:demo:A69-1': '8bd6b0ae-f7c6-8d10-9791-a3c76a27b9ea',
  'operateur:national': '91141436-262f-83e3-bd3c-b30ed9574494',
  'statisticien:sser': '117c8618-fda2-884b-8e84-099de7faebe1',
  'partenaire:cnaf': '3e6cb314-93ca-8391-96db-986f18cbb1e2',
  'prefecture:69': '9ec12405-5716-8274-a554-83a94c4df249',
  'service:directory': 'd10439a6-662d-8463-8e7a-1daf9da8ff13',
  'service:mesure': '53fab534-e0f8-855f-95d8-ee2558f2bf43',
  'service:messaging': '6b63e3e5-afc7-849a-9180-1135c7dc23b0',
  'service:notification': '9f1547e8-7296-8d7c-94e3-74c268d4d569',
};

test('OrganisationId_KnownNames_EqualTheFixedTable', () => {
  for (const [name, expected] of Object.entries(organisations))
    assert.equal(organisationId(`jafer:organisation:${name}`), expected, name);
});

test('Clients_DemonstrationData_OnePerOrganisationWithDistinctIds', () => {
  const clients = [...readClients(data).values()];
  const count = (role) => clients.filter((client) => client.role === role).length;
  assert.deepEqual(['juridiction', 'espace', 'operateur', 'statisticien', 'systeme', 'partenaire', 'prefecture'].map(count), [174, 197, 1, 1, 4, 1, 109]);
  assert.equal(new Set(clients.map(({ organisation }) => organisation)).size, clients.length);
});

test('Clients_EveryRoleOfTheAccessTable_HasOne', () => {
  const header = readFileSync(join(root, 'ServiceDefaults', 'Access', 'access.csv'), 'utf8').split('\n').find((line) => line.startsWith('rpc,'));
  const known = new Set([...readClients(data).values()].map(({ role }) => role));
  assert.deepEqual([...known].sort(), header.split(',').slice(1).sort());
});

for (const [clientId, role, name] of [
  ['juridiction.tj69123', 'juridiction', 'court:tj69123'],
  ['espace.A01-1', 'espace', 'gestionnaire:demo:A01-1'],
  ['operateur.national', 'operateur', 'operateur:national'],
  ['statisticien.sser', 'statisticien', 'statisticien:sser'],
  ['systeme.mesure', 'systeme', 'service:mesure'],
  ['partenaire.cnaf', 'partenaire', 'partenaire:cnaf'],
  ['prefecture.69', 'prefecture', 'prefecture:69'],
])
  test(`Token_${clientId}_CarriesItsClaimsUnderAValidSignature`, async () => {
    const { status, body } = await ask(clientId);
    assert.equal(status, 200);
    assert.equal(body.token_type, 'Bearer');
    const { header, claims, discovery } = await verified(body.access_token);
    assert.equal(header.alg, 'RS256');
    assert.equal(discovery.issuer, provider.issuer);
    const { iat, exp, jti, ...rest } = claims;
    assert.deepEqual(rest, {
      iss: provider.issuer, aud: role === 'systeme' ? clientId.slice('systeme.'.length) : 'jafer', sub: clientId, client_id: clientId, role,
      organisation: organisations[name], actor: 'software', development: true,
    });
    assert.equal(exp - iat, 3600);
    assert.ok(Math.abs(iat - Date.now() / 1000) < 5);
    assert.match(jti, /^.{20,}$/);
  });

test('Token_PersonActs_SubjectAndActorAreThePersons', async () => {
  const { body } = await ask('juridiction.tj69123', undefined, { person: 'greffe-1' });
  const { claims } = await verified(body.access_token);
  assert.equal(claims.actor, 'person');
  assert.equal(claims.sub, 'personne.juridiction.tj69123.greffe-1');
  assert.equal(claims.client_id, 'juridiction.tj69123');
  assert.equal(claims.organisation, organisations['court:tj69123']);
});

test('Token_ServiceAsksAnother_AudienceIsTheOther', async () => {
  const { body } = await ask('systeme.mesure', undefined, { resource: 'urn:jafer:directory', audience: 'directory' });
  assert.equal((await verified(body.access_token)).claims.aud, 'directory');
});

test('Token_SoftwareForAPerson_NamesThePersonAndStaysSoftware', async () => {
  const { body } = await ask('juridiction.tj69123', undefined, { on_behalf_of: 'greffe-1' });
  const { claims } = await verified(body.access_token);
  assert.deepEqual([claims.sub, claims.actor, claims.on_behalf_of], ['juridiction.tj69123', 'software', 'personne.juridiction.tj69123.greffe-1']);
});

test('Token_SecretInTheForm_IsAcceptedToo', async () => {
  const response = await fetch(`${provider.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: 'espace.A01-1', client_secret: secretOf('espace.A01-1') }),
  });
  assert.equal(response.status, 200);
});

for (const [name, clientId, secret, form, status, error] of [
  ['WrongSecret', 'juridiction.tj69123', () => 'x'.repeat(43), {}, 401, 'invalid_client'],
  ['AnotherClientsSecret', 'juridiction.tj69123', () => secretOf('juridiction.tj01053'), {}, 401, 'invalid_client'],
  ['UnknownClient', 'juridiction.tj00000', () => secretOf('juridiction.tj00000'), {}, 401, 'invalid_client'],
  ['OtherCaseOfTheClientId', 'juridiction.TJ69123', () => secretOf('juridiction.TJ69123'), {}, 401, 'invalid_client'],
  ['OtherGrant', 'juridiction.tj69123', undefined, { grant_type: 'password' }, 400, 'unsupported_grant_type'],
  ['ServiceForOutside', 'systeme.mesure', undefined, { resource: 'urn:jafer' }, 400, 'invalid_target'],
  ['OutsideForAService', 'juridiction.tj69123', undefined, { resource: 'urn:jafer:mesure' }, 400, 'invalid_target'],
  ['OtherAudience', 'juridiction.tj69123', undefined, { resource: 'urn:elsewhere' }, 400, 'invalid_target'],
  ['PersonWithASpace', 'juridiction.tj69123', undefined, { person: 'Jean Dupont' }, 400, 'invalid_request'],
])
  test(`Token_${name}_IsRefused`, async () => {
    const answer = await ask(clientId, secret?.(), form);
    assert.equal(answer.status, status);
    assert.equal(answer.body.error, error);
    assert.equal(answer.body.access_token, undefined);
  });

test('Log_AfterAllOfThis_HoldsNoSecretAndNoToken', async () => {
  const { body } = await ask('espace.A01-1');
  const log = lines.join('\n');
  assert.match(log, /token issued to espace\.A01-1/);
  for (const secret of [masterSecret(keys), secretOf('espace.A01-1'), body.access_token, 'tj00000'])
    assert.ok(!log.includes(secret));
});

test('Keys_SecondRead_AreTheSameAndPrivate', () => {
  const files = ['master.secret', 'jwks.json'].map((name) => join(keys, name));
  const contents = files.map((file) => readFileSync(file, 'utf8'));
  assert.equal(`${masterSecret(keys)}\n`, contents[0]);
  assert.deepEqual(signingKeys(keys), JSON.parse(contents[1]));
  for (const file of files) assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('Keys_FolderMadeWithItsParents_IsPrivateAndTheParentsAreNot', () => {
  masterSecret(join(folder, 'state', 'identity'));
  assert.equal(statSync(join(folder, 'state', 'identity')).mode & 0o777, 0o700);
  assert.equal(statSync(join(folder, 'state')).mode & 0o055, 0o055 & ~process.umask());
});

test('Process_Started_IsReadyWithLittleWorkWithoutAWarningAndStopsOnTerm', async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'provider.mjs')],
    { env: { ...process.env, NODE_ENV: '', PORT: '0', ISSUER: 'http://localhost:4/', JAFER_IDENTITY_KEYS: keys } });
  let out = '', errors = '';
  child.stderr.on('data', (chunk) => { errors += chunk; });
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => { out += chunk; if (out.includes('\n')) resolve(); });
    child.once('exit', () => reject(new Error(errors)));
  });
  // Processor time, not the clock: about 0.25 s, on a busy machine too. Hundredths of a second, where /proc tells them.
  const spent = process.platform === 'linux'
    ? readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ').slice(11, 13).reduce((sum, ticks) => sum + Number(ticks), 0)
    : 0;
  assert.ok(spent < 150, `${spent} hundredths of a second`);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  assert.equal(await ended, 0);
  assert.match(out, /^identity: ready at http:\/\/localhost:4 for 487 clients\n$/);
  assert.equal(errors, '');
});

test('Process_InProduction_RefusesToStart', async () => {
  await assert.rejects(
    run(process.execPath, [join(import.meta.dirname, 'provider.mjs')], { env: { ...process.env, NODE_ENV: 'production', JAFER_IDENTITY_KEYS: keys } }),
    (error) => error.code === 1 && /does not start in production/.test(error.stderr));
});

test('Health_Ready_Answers200', async () => {
  assert.equal((await fetch(`${provider.issuer}/health`)).status, 200);
});

const tokenCommand = (args, env = {}) => run(process.execPath, [join(import.meta.dirname, '..', 'token.mjs'), ...args],
  { env: { ...process.env, JAFER_IDENTITY_KEYS: keys, JAFER_ENDPOINTS: join(folder, 'endpoints.json'), ...env } });

test('TokenCommand_RunningSystem_PrintsAValidToken', async () => {
  writeFileSync(join(folder, 'endpoints.json'), JSON.stringify({ identity: { issuer: provider.issuer } }));
  const { stdout } = await tokenCommand(['espace', 'a01-1', '--person', 'accueil']);
  const { claims } = await verified(stdout.trim());
  assert.equal(claims.client_id, 'espace.A01-1');
  assert.equal(claims.actor, 'person');
});

test('TokenCommand_Prefecture_PrintsATokenOfItsDepartement', async () => {
  writeFileSync(join(folder, 'endpoints.json'), JSON.stringify({ identity: { issuer: provider.issuer } }));
  const { claims } = await verified((await tokenCommand(['prefecture', '69'])).stdout.trim());
  assert.deepEqual([claims.role, claims.organisation], ['prefecture', organisations['prefecture:69']]);
});

for (const [name, args, env, code, message] of [
  ['NotRunning', ['operateur', 'national'], { JAFER_ENDPOINTS: '/nowhere/endpoints.json' }, 1, /not running.*\.\/jafer run/],
  ['UnknownRole', ['juge', 'tj69123'], {}, 2, /Unknown role "juge"/],
  ['NearCode', ['juridiction', 'tj69132'], {}, 2, /Did you mean tj69123/],
  ['NameOfTheTown', ['juridiction', 'lyon'], {}, 2, /Did you mean tj69123 \(Tribunal judiciaire de Lyon\)/],
  ['NoArguments', [], {}, 2, /Usage: \.\/jafer token/],
])
  test(`TokenCommand_${name}_FailsSayingWhatToDo`, async () => {
    await assert.rejects(tokenCommand(args, env),
      (error) => error.code === code && message.test(error.stderr) && error.stdout === '');
  });

test('TokenCommand_IssuerGone_SaysSo', async () => {
  const file = join(folder, 'gone.json');
  writeFileSync(file, JSON.stringify({ identity: { issuer: 'http://127.0.0.1:9' } }));
  await assert.rejects(tokenCommand(['operateur', 'national'], { JAFER_ENDPOINTS: file }),
    (error) => error.code === 1 && /does not answer/.test(error.stderr));
});
