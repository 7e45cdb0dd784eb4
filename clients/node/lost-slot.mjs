// The software of an espace, in Node.js: a rencontre is cancelled, its slot is offered within seconds and taken by a family that waits.
//
//   node clients/node/lost-slot.mjs      alone
//
// Same environment as journey.mjs, whose connection it uses; the tokens come from the development issuer. It may be run again and again.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { as, claims, refused, tokenOf } from './callers.mjs';
import { child, connect, date, directory, mesures, notification, person, report, run } from './journey.mjs';

const root = join(import.meta.dirname, '..', '..');
const { jafer } = grpc.loadPackageDefinition(loadSync('jafer/mesure/v1/rencontre_service.proto',
  { includeDirs: [join(root, 'protos')], keepCase: true, enums: String, longs: Number, defaults: true }));
const rencontres = connect('mesure', jafer.mesure.v1.RencontreService);
const [court, espace] = [tokenOf('juridiction', 'tj69123'), tokenOf('espace', 'A69-1')];
const request_id = () => randomUUID();
const startIn = (days) => ({ seconds: Math.floor(Date.now() / 86_400_000 + days) * 86_400 + 9 * 3600 });

async function waiting(chosen, hote, visiteur, name) { // a mesure that the espace could schedule
  const decision = { nature: 'DECISION_NATURE_JUGEMENT', rg_number: `26/${String(Math.random()).slice(2, 7)}`, modalite: 'MODALITE_VISITE',
    legal_basis: 'LEGAL_BASIS_ARTICLE_373_2_9', judge_name: 'Juge fictive', parental_authority: 'PARENTAL_AUTHORITY_JOINT', duration_months: 12,
    periodicity: { rencontre_count: 2, interval_count: 1, unit: 'PERIODICITY_UNIT_MONTH' }, rencontre_minutes: 60, decision_date: date(-1) };
  const { mesure: { mesure_id } } = await as(court, mesures, 'CreateMesure', { request_id: request_id(), espace_id: chosen.espace_id, decision,
    parties: [person('HOTE', `Camille ${name}`, hote), person('VISITEUR', `Dominique ${name}`, visiteur)], children: [child(`Alix ${name}`, 4.5)] });
  for (const act of ['CompleteMesure', 'TransmitMesure']) await as(court, mesures, act, { mesure_id, request_id: request_id() });
  for (const act of ['AcknowledgeMesure', 'TakeCharge']) await as(espace, mesures, act, { mesure_id, request_id: request_id() });
  await as(espace, mesures, 'RecordContact', { mesure_id, party_role: 'PARTY_ROLE_HOTE', outcome: 'CONTACT_OUTCOME_REACHED', request_id: request_id() });
  return mesure_id;
}

async function lostSlot() {
  const { communes: [hote] } = await as(court, directory, 'ListCommunes', { postal_code: '69100' });
  const { communes: [visiteur] } = await as(court, directory, 'ListCommunes', { name_prefix: 'bourgoin' });
  const { espaces } = await as(court, directory, 'ListEspaces', { gestionnaire_id: claims(espace).organisation });
  const { results: [chosen] } = await as(court, directory, 'SearchEspaces', { espace_ids: espaces.map(({ espace_id }) => espace_id),
    mesure: { modalite: 'MODALITE_VISITE', child_ages: [4], visiteur_commune_insee: visiteur.insee, decision_date: date(-1) } });
  const unique = randomUUID().slice(0, 4);
  const [loses, gains] = [await waiting(chosen, hote, visiteur, `A${unique}`), await waiting(chosen, hote, visiteur, `B${unique}`)];
  const booked = await as(espace, mesures, 'ScheduleRencontre', { mesure_id: loses, start_time: startIn(9), duration_minutes: 60, over_capacity: true, request_id: request_id() });
  report(`two families wait at ${chosen.name}; one has a rencontre`);

  // --- It is lost. The feed, or a webhook, brings the offer of its slot.
  const lost = { mesure_id: loses, rencontre_id: booked.rencontre_id, outcome: 'RENCONTRE_OUTCOME_CANCELLED_BY_VISITEUR', request_id: request_id() };
  const { free_slots: [{ free_slot_id }] } = await as(espace, rencontres, 'CancelRencontre', lost);
  let offer, page_token = '';
  for (let i = 0; !offer && i < 200; i++) {
    const page = await as(espace, notification, 'ListEvents', { types: ['mesure.slot-offered.v1'], page_size: 200, resume_token: page_token });
    offer = page.events.find(({ aggregate_id }) => aggregate_id === free_slot_id);
    page_token = page.resume_token || page_token;
    if (!offer && page.events.length === 0) await delay(100);
  }
  if (!offer) throw new Error('the lost slot was not offered');
  report('the lost slot is offered on the feed');

  // --- Who it fits, in the order in which to call them, and the one that says yes has it by one call.
  const { candidates } = await as(espace, rencontres, 'ListSlotCandidates', { free_slot_id, page_size: 100 });
  if (!candidates.some(({ mesure }) => mesure.mesure_id === gains)) throw new Error('the family that waits is no candidate');
  const take = { free_slot_id, mesure_id: gains, request_id: request_id() };
  const taken = await as(espace, rencontres, 'TakeFreeSlot', take);
  if ((await as(espace, rencontres, 'TakeFreeSlot', take)).rencontre_id !== taken.rencontre_id) throw new Error('taken twice by one request_id');
  report(`${candidates.length} candidates; ${taken.mesure.reference} took it, ${taken.duration_minutes} minutes`);
  await refused('SLOT_TAKEN', espace, rencontres, 'TakeFreeSlot', { ...take, mesure_id: loses, request_id: request_id() });
}
run(lostSlot);
