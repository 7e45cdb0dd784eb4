// Who opened a file, in Node.js: a court reads a mesure and says why, a stranger is refused, and the journal has a line of both.
//
//   node clients/node/journal.mjs      alone, once there is a mesure (journey.mjs makes one)
//
// Same environment as journey.mjs, whose connection it uses; the stranger's token comes from the development issuer.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { refusal } from './errors.mjs';
import { authenticate, call, connect, mesures, metadata, report, run } from './journey.mjs';

const root = join(import.meta.dirname, '..', '..');
const { jafer } = grpc.loadPackageDefinition(loadSync('jafer/journal/v1/journal_service.proto',
  { includeDirs: [join(root, 'protos')], keepCase: true, enums: String, longs: Number, defaults: true }));
const journal = connect('mesure', jafer.journal.v1.JournalService);

// --- The purpose is a code of the caller's own, in the metadata of any call. It is for the journal and decides nothing.
async function read(mesure_id, change) {
  const headers = metadata();
  change(headers);
  try {
    return await promisify(mesures.GetMesure.bind(mesures))({ mesure_id }, headers, { deadline: Date.now() + 10_000 });
  } catch (error) {
    throw refusal('GetMesure', error);
  }
}

async function whoOpened() {
  await authenticate();
  const { mesures: [mesure] } = await call(mesures, 'ListMesures', { page_size: 1 });
  if (!mesure) throw new Error('the court has no mesure yet: run journey.mjs first');
  const { mesure_id, reference } = mesure;
  const begin = new Date();
  await read(mesure_id, (headers) => headers.set('jafer-purpose', 'AUDIENCE'));
  report(`${reference} read, for AUDIENCE`);

  const free = await read(mesure_id, (headers) => headers.set('jafer-purpose', 'for Mrs Fictif')).then(() => ({}), (error) => error);
  if (free.reason !== 'REQUEST_INVALID') throw new Error('a purpose in free text was taken');
  report(`a purpose in free text was refused: ${free.reason} ${free.named.join(', ')}`);

  const stranger = execFileSync('node', [join(root, 'eng', 'token.mjs'), 'juridiction', 'tj01053'], { encoding: 'utf8' }).trim();
  const refused = await read(mesure_id, (headers) => headers.set('authorization', `Bearer ${stranger}`)).then(() => ({}), (error) => error);
  if (refused.reason !== 'CALLER_FORBIDDEN') throw new Error('a stranger was not refused');
  report(`a court that is a stranger to it was refused: ${refused.reason}`);

  // --- The journal names the own people; of others the organisation and the role.
  const { accesses } = await call(journal, 'ListAccesses', { mesure_id, from_time: { seconds: Math.floor(begin / 1000) - 5, nanos: 0 } });
  const mine = accesses.find((access) => access.rpc.endsWith('/GetMesure') && access.outcome === 'OK' && access.purpose === 'AUDIENCE');
  const theirs = accesses.find((access) => access.rpc.endsWith('/GetMesure') && access.outcome === 'DENIED');
  if (!mine?.subject) throw new Error('the journal does not tell who read the mesure');
  if (!theirs || theirs.subject) throw new Error(theirs ? 'the journal names people of another organisation' : 'the journal does not tell of the stranger');
  report(`journal: ${mine.subject} ${mine.rpc.split('/')[1]} ${mine.outcome} ${mine.purpose}; ${theirs.role} ${theirs.organisation_id} ${theirs.outcome}`);
}
run(whoOpened);
