// The judiciary system, in Node.js: what a court's software does with Jafer, from the search to the first rencontre held.
//
//   node clients/node/journey.mjs          beside it, as the espace's software: /usr/bin/python3 clients/python/espace.py
// Afterwards read search.mjs: the directory in depth, by the same connection.
// Environment, all optional on a developer's machine:
//   JAFER_ENDPOINTS      the addresses, a JSON file that ./jafer run writes (default .jafer/endpoints.json)
//   JAFER_CLIENT_ID      the court's client at the issuer (default juridiction.tj69123), JAFER_CLIENT_SECRET its secret
//   JAFER_GESTIONNAIRE   designate the best espace of this gestionnaire; empty: simply the best one
//   TRACEPARENT          W3C trace context to continue, so that one trace shows the whole way
import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { refusal } from './errors.mjs';

const root = resolve(import.meta.dirname, '..', '..');
const file = process.env.JAFER_ENDPOINTS ?? join(root, '.jafer', 'endpoints.json');
if (!existsSync(file)) { console.error(`juridiction: FAILED, there is no ${file}: start Jafer with ./jafer run`); process.exit(1); }
export const endpoints = JSON.parse(readFileSync(file, 'utf8'));
export const clientId = process.env.JAFER_CLIENT_ID ?? 'juridiction.tj69123';
export const gestionnaire = process.env.JAFER_GESTIONNAIRE ?? '8bd6b0ae-f7c6-8d10-9791-a3c76a27b9ea'; // the fictive A69-1
const trace = process.env.TRACEPARENT?.split('-')[1] ?? randomBytes(16).toString('hex');

// --- Contracts: straight from the .proto files, no code generation. Field names and enum values are those of the files.
export const { jafer } = grpc.loadPackageDefinition(loadSync(['directory/v1/directory', 'messaging/v1/messaging', 'notification/v1/notification', 'mesure/v1/mesure',
  'mesure/v1/interview', 'mesure/v1/document', 'mesure/v1/redesignation'].map((name) => `jafer/${name}_service.proto`).concat('jafer/notification/v1/notices.proto'),
  { includeDirs: [join(root, 'protos')], keepCase: true, enums: String, longs: Number, defaults: true }));
// In clear text on the loopback interface; everywhere else with TLS (grpc.credentials.createSsl()).
export const connect = (name, Service) => new Service(new URL(endpoints.services[name].grpc).host, grpc.credentials.createInsecure());
export const directory = connect('directory', jafer.directory.v1.DirectoryService);
export const [mesures, interviews, redesignations] = ['Mesure', 'Interview', 'Redesignation'].map((name) => connect('mesure', jafer.mesure.v1[`${name}Service`]));
const messaging = connect('messaging', jafer.messaging.v1.MessagingService);
export const notification = connect('notification', jafer.notification.v1.NotificationService);
// --- Token: client credentials of any OpenID Connect issuer; renewed when a service no longer accepts it.
let token;
export async function authenticate() {
  const secret = process.env.JAFER_CLIENT_SECRET // in development it is derived, never copied about:
    ?? execFileSync('node', [join(root, 'eng', 'token.mjs'), ...clientId.split('.'), '--secret'], { encoding: 'utf8' }).trim();
  const discovery = await (await fetch(`${endpoints.identity.issuer}/.well-known/openid-configuration`)).json();
  const answer = await (await fetch(discovery.token_endpoint, { method: 'POST', body: 'grant_type=client_credentials', headers:
    { authorization: `Basic ${btoa(`${clientId}:${secret}`)}`, 'content-type': 'application/x-www-form-urlencoded' } })).json();
  if (answer.error) throw new Error(`the issuer refused: ${answer.error}`);
  token = answer.access_token;
}
export const metadata = () => grpc.Metadata.fromHttp2Headers(
  { authorization: `Bearer ${token}`, traceparent: `00-${trace}-${randomBytes(8).toString('hex')}-01` });
// --- A call: with a deadline, and repeated when it may have failed on the way. The request, its request_id included, stays
// the same on every attempt: if the first did reach Jafer, the next is given the first one's answer and changes nothing.
const transient = [grpc.status.UNAVAILABLE, grpc.status.DEADLINE_EXCEEDED];
export async function call(client, method, request) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await promisify(client[method].bind(client))(request, metadata(), { deadline: Date.now() + 10_000 });
    } catch (error) {
      if (error.code === grpc.status.UNAUTHENTICATED && attempt === 1) await authenticate();
      else if (transient.includes(error.code) && attempt < 6) await delay(100 * 2 ** attempt * Math.random());
      else throw refusal(method, error); // with its reason, such as STATE_FORBIDS
    }
  }
}
// --- The feed: a stream that may end at any time is taken up again after the last token received. No event is lost.
// Real software stores that token with its own data and begins there; here the past is read again and passed over.
export async function* watch(resumeToken = '') {
  for (let failures = 0; failures < 6; failures++) {
    const stream = notification.WatchEvents({ resume_token: resumeToken }, metadata());
    try {
      for await (const response of stream) {
        [resumeToken, failures] = [response.resume_token, 0];
        if (response.event) yield response.event; // without an event it is a heartbeat
      }
    } catch (error) {
      if (error.code === grpc.status.UNAUTHENTICATED) await authenticate();
      else if (!transient.includes(error.code)) throw error;
    } finally { stream.cancel(); }
    await delay(200 * 2 ** failures);
  }
  throw new Error('WatchEvents: the stream cannot be kept open');
}
let last = performance.now();
export const report = (text) => { console.log(`juridiction ${(performance.now() - last).toFixed(0).padStart(6)} ms  ${text}`); last = performance.now(); };
export function date(days) { // that many days from today
  const [year, month, day] = new Date(Date.now() + days * 86_400_000).toISOString().split(/[-T]/).map(Number);
  return { year, month, day };
}
export const french = (day) => (day ? `${day.day}/${day.month}/${day.year}` : 'unknown');
export const codes = (prefix, values) => values.map((value) => value.replace(prefix, '')).join(', ') || 'nothing';
export function run(job) { // as a program of its own: exit status 0 or 1, after 60 s at the latest
  setTimeout(() => { console.error('juridiction: FAILED, not all steps arrived within 60 s'); process.exit(1); }, 60_000);
  job().then(() => process.exit(0), (error) => { console.error(`juridiction: FAILED, ${error.message}`); process.exit(1); });
}
export const person = (role, given_name, { insee }) => ({ role: `PARTY_ROLE_${role}`, kind: 'PARTY_KIND_PARENT', given_name,
  family_name: 'Fictif', phone: '06 39 98 00 00', address: '1 rue Fictive', commune_insee: insee, address_protected: role === 'HOTE' });
export const child = (given_name, age) => ({ given_name, family_name: 'Fictif', birth_date: date(-age * 365.25) });

async function journey() {
  await authenticate();
  report(`token of ${endpoints.identity.issuer} for ${clientId}`);
  const { communes: [hote] } = await call(directory, 'ListCommunes', { postal_code: '69100' });
  const { communes: [visiteur] } = await call(directory, 'ListCommunes', { name_prefix: 'bourgoin' });
  const decided = { modalite: 'MODALITE_VISITE', periodicity: { rencontre_count: 2, interval_count: 1, unit: 'PERIODICITY_UNIT_MONTH' },
    rencontre_minutes: 60, duration_months: 6, decision_date: date(-1) };
  // The hôte's address is protected: their commune is left out of the search, and so nothing is said of their way.
  const mesure = { ...decided, child_ages: [4, 9], court_code: clientId.split('.')[1], visiteur_commune_insee: visiteur.insee };
  // All espaces of one gestionnaire side by side, or with an empty list all espaces of France; search.mjs asks for more.
  const { espaces } = gestionnaire ? await call(directory, 'ListEspaces', { gestionnaire_id: gestionnaire }) : { espaces: [] };
  const { results: [chosen] } = await call(directory, 'SearchEspaces', { mesure, espace_ids: espaces.map(({ espace_id }) => espace_id) });
  if (!chosen || (gestionnaire && espaces.length === 0)) throw new Error('no espace of this gestionnaire can take it (search.mjs: why)');
  const { designable, findings: against, warnings } = await call(directory, 'CheckDesignation', { espace_id: chosen.espace_id, mesure });
  if (!designable) throw new Error(`CheckDesignation: ${against.map(({ rule }) => rule)}`);
  report(`designated: ${chosen.name}, first rencontre expected ${french(chosen.expected_first_visit_date)}; `
    + `to know: ${codes('RESULT_WARNING_CODE_', warnings.map(({ code }) => code))}`);

  const draft = { request_id: randomUUID(), espace_id: chosen.espace_id,
    decision: { ...decided, nature: 'DECISION_NATURE_JUGEMENT', rg_number: `26/${String(Date.now()).slice(-5)}`,
      legal_basis: 'LEGAL_BASIS_ARTICLE_373_2_9', judge_name: 'Juge fictif', parental_authority: 'PARENTAL_AUTHORITY_JOINT' },
    parties: [person('HOTE', 'Camille', hote), person('VISITEUR', 'Dominique', visiteur)],
    children: [child('Alix', 4.5), child('Lou', 9.5)] };
  const { mesure: { mesure_id, reference } } = await call(mesures, 'CreateMesure', draft);
  if ((await call(mesures, 'CreateMesure', draft)).mesure.mesure_id !== mesure_id) throw new Error('created twice by one request_id');
  report(`${reference} drafted; sent twice with the same request_id, created once`);
  const { findings, completable } = await call(mesures, 'CheckMesure', { mesure_id });
  if (!completable) throw new Error(`CheckMesure: not completable, ${findings.map(({ code }) => code)}`);
  const { mesure: { etag } } = await call(mesures, 'CompleteMesure', { mesure_id, request_id: randomUUID() });
  report(`checked (found: ${codes('', findings.map(({ code }) => code))}) and completed`);
  let slot; // for a first interview: the espace's software publishes it; parents leave the hearing with that date
  for (let i = 0; !slot && i < 200; i++, await delay(100)) [slot] = (await call(interviews, 'ListInterviewSlots', { espace_id: chosen.espace_id })).slots;
  const { slot: { slot_id } } = await call(interviews, 'HoldInterviewSlot', { mesure_id, slot_id: slot.slot_id, request_id: randomUUID() });
  await call(mesures, 'TransmitMesure', { mesure_id, etag, interview_slot_ids: [slot_id], request_id: randomUUID() });
  report(`${reference} transmitted, first interview booked for ${new Date(slot.start_time.seconds * 1000).toISOString()}`);
  const awaited = new Set(['mesure.interview-booked.v1', 'mesure.mesure-acknowledged.v1', 'mesure.charge-taken.v1', 'mesure.contact-recorded.v1',
    'mesure.interview-recorded.v1', 'mesure.rencontre-scheduled.v1', 'mesure.rencontre-held.v1', 'messaging.message-posted.v1']);
  for await (const event of watch()) {
    if (event.aggregate_id !== mesure_id) continue;
    report(`event ${event.type}${event.action_required ? ', for us to act' : ''}`);
    if (awaited.delete(event.type) && awaited.size === 0) break;
  }
  const { messages } = await call(messaging, 'ListMessages', { mesure_id });
  const question = messages.filter(({ author_kind }) => author_kind === 'AUTHOR_KIND_ESPACE').at(-1);
  await call(messaging, 'MarkThreadRead', { mesure_id, message_id: question.message_id, request_id: randomUUID() });
  const answer = await call(messaging, 'PostMessage', { mesure_id, body: 'Bien reçu, merci.', request_id: randomUUID() });
  report(`message ${question.position} of the thread read, answered by message ${answer.position}`);
  const { mesure: { summary } } = await call(mesures, 'GetMesure', { mesure_id });
  if (summary.state !== 'MESURE_STATE_EN_COURS') throw new Error(`${reference} is ${summary.state}`);
  report(`${reference} is EN_COURS; whole way ${(performance.now() / 1000).toFixed(1)} s, trace ${trace}`);
}
if (process.argv[1].endsWith('journey.mjs')) run(journey);
