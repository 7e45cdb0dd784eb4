// ./jafer token ROLE ORGANISATION [--person NAME | --for NAME] [--secret]: a token of the running system on standard output.
//
// Reads the endpoints file (JAFER_ENDPOINTS, default .jafer/endpoints.json) for the issuer's address, derives the
// client's secret as the development issuer does, and asks for a token as any caller does: client credentials.
// --person NAME  the token says that a (fictive) person acts, e.g. greffe-1; without it, software acts
// --for NAME     software acts on behalf of a (fictive) person
// --secret       prints the client's secret instead, for a program that takes its tokens itself
// Exit status: 0 printed, 1 the system does not run or refused, 2 wrong arguments.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readClients, referenceData, roles, root } from './identity/organisations.mjs';
import { clientSecret, keysFolder, masterSecret } from './identity/secrets.mjs';

const usage = `Usage: ./jafer token ROLE ORGANISATION [--person NAME | --for NAME] [--secret]
${Object.entries(roles).map(([role, key]) => `  ${role.padEnd(13)} ORGANISATION is ${key}`).join('\n')}`;

class Refusal extends Error {
  constructor(message, status) { super(message); this.status = status; }
}

try {
  console.log(await run(process.argv.slice(2)));
} catch (error) {
  console.error(error instanceof Refusal ? error.message : `token: ${error.message}`);
  process.exitCode = error.status ?? 1;
}

async function run(args) {
  let parsed;
  try {
    parsed = parseArgs({ args, allowPositionals: true, options: { person: { type: 'string' }, for: { type: 'string' }, secret: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } });
  } catch (error) {
    throw new Refusal(`${error.message}\n${usage}`, 2);
  }
  const { positionals: [role, organisation, ...rest], values: { person, for: forPerson, secret, help } } = parsed;
  if (help) return usage;
  if (!role || !organisation || rest.length > 0) throw new Refusal(usage, 2);

  const client = find(readClients(referenceData()), role, organisation);
  const folder = keysFolder();
  if (secret) return clientSecret(masterSecret(folder), client.clientId);

  const file = resolve(process.env.JAFER_ENDPOINTS ?? join(process.env.JAFER_STATE ?? join(root, '.jafer'), 'endpoints.json'));
  if (!existsSync(file))
    throw new Refusal(`Jafer is not running: there is no ${file}. Start it with ./jafer run.`, 1);
  const issuer = JSON.parse(readFileSync(file, 'utf8')).identity?.issuer;
  if (!issuer) throw new Refusal(`${file} names no identity.issuer: start Jafer again with ./jafer run.`, 1);

  const form = new URLSearchParams({ grant_type: 'client_credentials', ...(person && { person }), ...(forPerson && { on_behalf_of: forPerson }) });
  let response, answer;
  try {
    response = await fetch(`${issuer.replace(/\/$/, '')}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${client.clientId}:${clientSecret(masterSecret(folder), client.clientId)}`)}` },
      body: form,
      signal: AbortSignal.timeout(10_000),
    });
    answer = await response.json();
  } catch (error) {
    throw new Refusal(`The issuer at ${issuer} does not answer (${error.cause?.code ?? error.name}): `
      + `Jafer is not running, or ${file} is of an earlier run. Start it with ./jafer run.`, 1);
  }
  if (!response.ok)
    throw new Refusal(`The issuer refused: ${answer.error_description ?? answer.error}`
      + (answer.error === 'invalid_client' ? `. Its keys are not those in ${folder}: set JAFER_IDENTITY_KEYS to its folder.` : ''), 1);
  return answer.access_token;
}

/** The client of a role and an organisation's code in any case; else a refusal that names the nearest ones. */
function find(clients, role, organisation) {
  if (!Object.hasOwn(roles, role))
    throw new Refusal(`Unknown role "${role}".${near(role, Object.keys(roles))}\n${usage}`, 2);
  const known = [...clients.values()].filter((client) => client.role === role);
  const wanted = fold(organisation);
  const client = known.find(({ key }) => fold(key) === wanted);
  if (client) return client;

  const named = known.filter(({ label }) => wanted.length > 2 && fold(label).includes(wanted)).slice(0, 5);
  const suggestion = named.length > 0
    ? ` Did you mean ${named.map(({ key, label }) => `${key} (${label})`).join(', ')}?`
    : near(organisation, known.map(({ key }) => key));
  throw new Refusal(`Unknown organisation "${organisation}" for the role ${role}.${suggestion}`, 2);
}

/** " Did you mean …?" with the candidates nearest by edit distance, or nothing when none is near. */
function near(word, candidates) {
  const limit = Math.max(2, Math.ceil(word.length / 3));
  const best = candidates.map((name) => ({ name, distance: distance(fold(word), fold(name)) }))
    .filter((candidate) => candidate.distance <= limit)
    .sort((a, b) => a.distance - b.distance).slice(0, 3);
  return best.length > 0 ? ` Did you mean ${best.map(({ name }) => name).join(', ')}?` : '';
}

/** Edits from one word to the other; two neighbours swapped, the commonest slip in a code, count as one. */
function distance(a, b) {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    rows[i] = [i];
    for (let j = 1; j <= b.length; j++) {
      rows[i][j] = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        rows[i][j] = Math.min(rows[i][j], rows[i - 2][j - 2] + 1);
    }
  }
  return rows[a.length][b.length];
}

function fold(text) {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}
