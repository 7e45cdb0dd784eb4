// Calls in the name of whom one chooses, in Node.js: tokens of the development issuer, and refusals that are expected. In production
// everybody has a token of their own issuer, and a program is one caller.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import grpc from '@grpc/grpc-js';
import { refusal } from './errors.mjs';
import { report } from './journey.mjs';

const issue = join(import.meta.dirname, '..', '..', 'eng', 'token.mjs');

/** A token of an organisation of a role; after it --person NAME for one of its persons. */
export const tokenOf = (role, organisation, ...more) => execFileSync('node', [issue, role, organisation, ...more], { encoding: 'utf8' }).trim();

/** What a token says, as its caller may read it. */
export const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));

/** Calls with a token. */
export async function as(token, client, method, request) {
  try {
    return await promisify(client[method].bind(client))(request, grpc.Metadata.fromHttp2Headers({ authorization: `Bearer ${token}` }), { deadline: Date.now() + 10_000 });
  } catch (error) {
    throw refusal(method, error);
  }
}

/** Calls with a token, and fails unless it is refused for this reason. */
export async function refused(reason, ...asked) {
  const got = await as(...asked).then(() => 'OK', (error) => error.reason ?? Promise.reject(error));
  if (got !== reason) throw new Error(`${asked[2]}: ${got} instead of ${reason}`);
  report(`${asked[2]} refused: ${reason}`);
}
