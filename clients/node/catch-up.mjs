// An espace's software after an interruption, in Node.js: it tells Jafer everything that happened meanwhile, out of order and twice.
//
//   node clients/node/catch-up.mjs         alone: it plays the court too, which transmits the mesures beforehand
//
// Same environment as journey.mjs, whose contracts and addresses it uses; JAFER_ESPACE_ID is the espace's client at the issuer
// (default espace.A69-1) and JAFER_ESPACE_SECRET its secret. What a real one does besides is in docs/intake.md.
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { refusal } from './errors.mjs';
import { authenticate, call, clientId, date, directory, endpoints, gestionnaire, mesures, report, run } from './journey.mjs';

const root = resolve(import.meta.dirname, '..', '..');
const espaceClient = process.env.JAFER_ESPACE_ID ?? 'espace.A69-1';
const source_system = 'catch-up';
const { jafer } = grpc.loadPackageDefinition(loadSync('jafer/mesure/v1/intake_service.proto',
  { includeDirs: [join(root, 'protos')], keepCase: true, enums: String, longs: Number, defaults: true }));
const intake = new jafer.mesure.v1.IntakeService(new URL(endpoints.services.mesure.grpc).host, grpc.credentials.createInsecure());
function must(holds, otherwise) { if (!holds) throw new Error(otherwise); }
const shuffled = (list) => list.map((item) => [Math.random(), item]).sort(([a], [b]) => a - b).map(([, item]) => item);
const short = (value) => value.replace('INTAKE_RESULT_', '');

// --- The court's part, as in journey.mjs: some mesures for this espace, transmitted while its software was offline.
async function transmit(count) {
  await authenticate();
  const { espaces: [{ espace_id }] } = await call(directory, 'ListEspaces', { gestionnaire_id: gestionnaire });
  const person = (role) => ({ role: `PARTY_ROLE_${role}`, kind: 'PARTY_KIND_PARENT', given_name: 'Camille', family_name: 'Fictif' });
  return Promise.all(Array.from({ length: count }, async (_, i) => {
    const { mesure: { mesure_id } } = await call(mesures, 'CreateMesure', { request_id: randomUUID(), espace_id,
      decision: { nature: 'DECISION_NATURE_JUGEMENT', rg_number: `26/${10000 + i}`, decision_date: date(-60), duration_months: 12,
        legal_basis: 'LEGAL_BASIS_ARTICLE_373_2_9', judge_name: 'Juge fictif', parental_authority: 'PARENTAL_AUTHORITY_JOINT',
        periodicity: { rencontre_count: 2, interval_count: 1, unit: 'PERIODICITY_UNIT_MONTH' }, rencontre_minutes: 60, modalite: 'MODALITE_VISITE' },
      parties: [person('HOTE'), person('VISITEUR')], children: [{ given_name: 'Alix', family_name: 'Fictif', birth_date: date(-2000) }] });
    for (const act of ['CompleteMesure', 'TransmitMesure']) await call(mesures, act, { mesure_id, request_id: randomUUID() });
    const { mesure: { children: [{ child_id }] } } = await call(mesures, 'GetMesure', { mesure_id });
    return { mesure_id, child_id };
  }));
}

// --- The espace's journal: what happened, numbered for each mesure from 1, each under a name of its own that is no person's.
function journal({ mesure_id, child_id }) {
  const day = (n) => ({ seconds: Math.floor(Date.now() / 1000) - (40 - n) * 86_400 });
  const contact = (role) => ({ contact: { party_role: `PARTY_ROLE_${role}`, outcome: 'CONTACT_OUTCOME_REACHED' } });
  const acts = [{ acknowledged: {} }, { charge_taken: {} }, contact('HOTE'), contact('VISITEUR'), { interview: { party_role: 'PARTY_ROLE_VISITEUR' } }];
  for (const n of [1, 2, 3]) // a rencontre has a name of ours, by which the outcome finds it
    acts.push({ rencontre_scheduled: { external_rencontre_id: `r${n}`, start_time: day(5 + 5 * n), duration_minutes: 60 } });
  acts.push({ rencontre_outcome: { external_rencontre_id: 'r1', outcome: 'RENCONTRE_OUTCOME_HELD', visiteur_present: true, present_child_ids: [child_id] } });
  acts.push({ rencontre_outcome: { external_rencontre_id: 'r2', outcome: 'RENCONTRE_OUTCOME_VISITEUR_ABSENT' } });
  acts.push({ difficulty_reported: { reason: 'DIFFICULTY_REASON_INCIDENT', comment: 'Fictif.' } });
  return acts.map((what, i) => ({ source_system, external_id: `${mesure_id}/${i + 1}`, sequence: i + 1, mesure_id, occurred_time: day(20 + i), ...what }));
}

// --- The espace's token, taken as the court's is.
async function espaceToken() {
  const secret = process.env.JAFER_ESPACE_SECRET
    ?? execFileSync('node', [join(root, 'eng', 'token.mjs'), ...espaceClient.split('.'), '--secret'], { encoding: 'utf8' }).trim();
  const discovery = await (await fetch(`${endpoints.identity.issuer}/.well-known/openid-configuration`)).json();
  const answer = await (await fetch(discovery.token_endpoint, { method: 'POST', body: 'grant_type=client_credentials', headers:
    { authorization: `Basic ${btoa(`${espaceClient}:${secret}`)}`, 'content-type': 'application/x-www-form-urlencoded' } })).json();
  must(answer.access_token, `the issuer refused: ${answer.error}`);
  return grpc.Metadata.fromHttp2Headers({ authorization: `Bearer ${answer.access_token}` });
}

// --- One stream: batches are written without waiting, answers come in their order. Gives the answers that arrived before it ended.
async function stream(batches, metadata, cutAfter = Infinity) {
  const answers = [];
  const open = intake.StreamStatus(metadata);
  try {
    for (const batch of batches) open.write(batch);
    open.end();
    for await (const answer of open) {
      answers.push(answer);
      if (answers.length === cutAfter) open.cancel(); // as when the network goes away
    }
  } catch (error) {
    if (![grpc.status.CANCELLED, grpc.status.UNAVAILABLE].includes(error.code)) throw refusal('StreamStatus', error);
  }
  return answers;
}

function count(answers) {
  const counts = {};
  for (const { results, released_items } of answers) {
    for (const { result } of results) counts[short(result)] = (counts[short(result)] ?? 0) + 1;
    counts.released = (counts.released ?? 0) + released_items.length;
  }
  return JSON.stringify(counts);
}

async function catchUp() {
  const transmitted = await transmit(12);
  report(`${clientId} transmitted ${transmitted.length} mesures while the espace was offline`);
  const metadata = await espaceToken();

  // Every item once, one in three twice, in no order at all: the worst that a queue can do.
  const items = transmitted.flatMap(journal);
  const told = shuffled([...items, ...shuffled(items).slice(0, items.length / 3)]);
  const batches = Array.from({ length: Math.ceil(told.length / 20) }, (_, i) => ({ request_id: randomUUID(), items: told.slice(20 * i, 20 * i + 20) }));

  // The connection breaks; another stream goes on with the first batch without an answer, its request_id unchanged.
  const answers = await stream(batches, metadata, 3);
  report(`${answers.length} of ${batches.length} batches answered before the connection broke: ${count(answers)}`);
  for (let attempt = 1; answers.length < batches.length; attempt++) {
    must(attempt <= 5, 'StreamStatus: the stream cannot be kept open');
    answers.push(...await stream(batches.slice(answers.length), metadata));
  }
  report(`all ${told.length} items answered: ${count(answers)}`);

  // What is left to look at: nothing waits any more, nothing was refused.
  for (const result of ['INTAKE_RESULT_HELD', 'INTAKE_RESULT_REFUSED', 'INTAKE_RESULT_SUPERSEDED']) {
    const { items: left } = await list({ source_system, result, page_size: 500 }, metadata);
    const ours = left.filter(({ mesure_id }) => transmitted.some((m) => m.mesure_id === mesure_id));
    must(ours.length === 0, `${ours.length} items ${short(result)}: ${ours[0]?.description}`);
  }
  for (const { mesure_id } of transmitted) {
    const { mesure } = await call(mesures, 'GetMesure', { mesure_id });
    must(mesure.summary.state === 'MESURE_STATE_EN_COURS' && mesure.rencontres.length === 3 && mesure.difficulties.length === 1, `${mesure_id} is ${mesure.summary.state}`);
    const { events } = await call(mesures, 'ListMesureEvents', { mesure_id });
    must(events.filter((event) => event.source_system === source_system).length === journal({ mesure_id }).length, `${mesure_id} lacks a fact`);
  }
  report(`each of the ${transmitted.length} mesures is EN_COURS, with every fact once, as if told in order`);
}

const list = (request, metadata) => new Promise((done, fail) => {
  intake.ListIntakeItems(request, metadata, { deadline: Date.now() + 10_000 }, (error, answer) => (error ? fail(refusal('ListIntakeItems', error)) : done(answer)));
});
run(catchUp);
