// What the development issuer keeps on this machine: one master secret, from which every client's secret is derived,
// and its own signing key. Both are made once, readable by their owner alone, and never leave the ignored folder.
import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './organisations.mjs';

/** Folder of the keys: JAFER_IDENTITY_KEYS, or identity/ in the state folder (JAFER_STATE, or .jafer of this checkout). */
export const keysFolder = (environment = process.env) =>
  environment.JAFER_IDENTITY_KEYS ?? join(environment.JAFER_STATE ?? join(root, '.jafer'), 'identity');

/** The master secret as the text of its file (base64url of 32 random bytes), made at the first call. */
export const masterSecret = (folder) =>
  once(folder, 'master.secret', () => `${randomBytes(32).toString('base64url')}\n`).trim();

/**
 * A client's secret: HMAC-SHA256 keyed with the master secret's text over the client id, as base64url without padding.
 * Whoever may read the master secret (the AppHost, ./jafer token) derives the same value in three lines.
 */
export const clientSecret = (master, clientId) => createHmac('sha256', master).update(clientId).digest('base64url');

/** The issuer's private key set (one RS256 key), made at the first call. */
export const signingKeys = (folder) => JSON.parse(once(folder, 'jwks.json', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const kid = randomBytes(9).toString('base64url');
  return `${JSON.stringify({ keys: [{ ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' }] })}\n`;
}));

/** Content of a file made by whoever comes first: written aside, then linked, so nobody reads half of it. */
function once(folder, name, make) {
  const file = join(folder, name);
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  // The parents keep the usual mode: other servers' users pass through the state folder.
  mkdirSync(dirname(folder), { recursive: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const aside = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(aside, make(), { mode: 0o600, flag: 'wx' });
  try {
    linkSync(aside, file);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  } finally {
    rmSync(aside);
  }
  return readFileSync(file, 'utf8');
}
