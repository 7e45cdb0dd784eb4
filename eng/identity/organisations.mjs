// Who may ask the development issuer for a token: one client per court and per managing association of the
// demonstration data, the two national bodies, and Jafer's own services. Nothing here is configured one by one.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Root of this checkout. */
export const root = resolve(import.meta.dirname, '..', '..');

/** Jafer's own services; each one calls the others under its own identity. */
export const services = ['directory', 'mesure', 'messaging', 'notification'];

/** Roles that this issuer knows, with what their organisations are keyed by. */
export const roles = {
  juridiction: 'a court code, such as tj69123',
  espace: 'a managing association, such as A01-1',
  operateur: 'national',
  statisticien: 'sser',
  systeme: `one of ${services.join(', ')}`,
};

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
  for (const file of ['tribunaux.csv', 'er-associations-synthetiques.csv'])
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
  const add = (role, key, name, label) =>
    clients.set(`${role}.${key}`, { clientId: `${role}.${key}`, role, key, organisation: organisationId(`jafer:organisation:${name}`), label });

  for (const court of rows(join(folder, 'tribunaux.csv')))
    add('juridiction', court.code, `court:${court.code}`, court.nom);
  for (const association of rows(join(folder, 'er-associations-synthetiques.csv')))
    add('espace', association.association_id, `gestionnaire:demo:${association.association_id}`,
      `fictive association of département ${association.departement}`);
  add('operateur', 'national', 'operateur:national', 'national operator');
  add('statisticien', 'sser', 'statisticien:sser', 'national statistician');
  for (const service of services)
    add('systeme', service, `service:${service}`, `service ${service}`);
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
