// Who may ask the development issuer for a token: one client per court, managing association and préfecture of the
// reference data, a few national bodies, and Jafer's own services. Nothing here is configured one by one; a role that the
// access table gains has a client at once.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Root of this checkout. */
export const root = resolve(import.meta.dirname, '..', '..');

/** Jafer's own services; each one calls the others under its own identity. */
export const services = ['directory', 'mesure', 'messaging', 'notification'];

/**
 * What the organisations of each role are: `key` says it to people, `name` begins what the id is made of, and they are
 * the lines of a file of the reference data (`file`, `column`) or those listed (`only`).
 */
const kinds = {
  juridiction: { key: 'a court code, such as tj69123', name: 'court', file: 'tribunaux.csv', column: 'code', label: ({ nom }) => nom },
  espace: { key: 'a managing association, such as A01-1', name: 'gestionnaire:demo', file: 'er-associations-synthetiques.csv', column: 'association_id',
    label: ({ departement }) => `fictive association of département ${departement}` },
  operateur: { key: 'national', only: ['national'] },
  statisticien: { key: 'sser', only: ['sser'] },
  systeme: { key: `one of ${services.join(', ')}`, name: 'service', only: services },
  partenaire: { key: 'cnaf', only: ['cnaf'] },
  prefecture: { key: "a département's code, such as 69", file: 'departements.csv', column: 'code', label: ({ nom }) => `préfecture of ${nom}` },
};

/** The roles of the access table: one without a kind of its own has the organisation `demo`. */
const columns = readFileSync(join(root, 'ServiceDefaults', 'Access', 'access.csv'), 'utf8').split(/\r?\n/)
  .find((line) => line.startsWith('rpc,')).split(',').slice(1).map((cell) => cell.trim());
const kindOf = (role) => kinds[role] ?? { key: 'demo', only: ['demo'] };

/** Roles that this issuer knows, with what their organisations are keyed by. */
export const roles = Object.fromEntries(columns.map((role) => [role, kindOf(role).key]));

/**
 * The organisation id that every service derives from the same external key: a UUID version 8 made of the first
 * 16 bytes of the SHA-256 of the name (version nibble 8, RFC 4122 variant).
 */
export function organisationId(name) {
  const bytes = createHash('sha256').update(name, 'utf8').digest().subarray(0, 16);
  bytes[6] = (bytes[6] & 0x0f) | 0x80;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Folder of the reference data: JAFER_REFERENCE_DATA, or where this repository keeps it. */
export function referenceData(environment = process.env) {
  const folder = environment.JAFER_REFERENCE_DATA ?? join(root, 'data', 'reference');
  for (const { file } of Object.values(kinds).filter((kind) => kind.file))
    if (!existsSync(join(folder, file)))
      throw new Error(`${file} is not in ${folder}: set JAFER_REFERENCE_DATA to the folder of the reference data`);
  return folder;
}

/**
 * Reads the demonstration organisations.
 * @returns {Map<string, {clientId, role, key, organisation, label}>} by client id; `label` is for messages only
 * and never goes into a token.
 */
export function readClients(folder) {
  const clients = new Map();
  for (const role of columns) {
    const { name = role, file, column, label = () => role, only } = kindOf(role);
    for (const row of only?.map((key) => ({ key })) ?? rows(join(folder, file))) {
      const key = row[only ? 'key' : column];
      clients.set(`${role}.${key}`, { clientId: `${role}.${key}`, role, key, organisation: organisationId(`jafer:organisation:${name}:${key}`), label: label(row) });
    }
  }
  return clients;
}

/** Rows of a comma-separated file with a header line, as objects; quoted fields may hold commas and doubled quotes. */
function* rows(file) {
  const lines = readFileSync(file, 'utf8').replace(/^\ufeff/, '').split(/\r?\n/).filter((line) => line !== '');
  const cells = (line) => [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)]
    .map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain);
  const header = cells(lines[0]);
  for (const line of lines.slice(1))
    yield Object.fromEntries(cells(line).map((cell, i) => [header[i], cell]));
}
