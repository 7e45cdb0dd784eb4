// A court and an espace take over files that went on paper, in Node.js: from then on Jafer observes the espace's wait and forecasts the next.
//
//   node clients/node/waits.mjs      alone
//
// Same environment as journey.mjs, whose connection it uses; the tokens come from the development issuer. It may be run again and again.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { as, claims, tokenOf } from './callers.mjs';
import { child, codes, connect, date, directory, french, mesures, person, report, run } from './journey.mjs';

const root = join(import.meta.dirname, '..', '..');
const { jafer } = grpc.loadPackageDefinition(loadSync(['jafer/mesure/v1/intake_service.proto', 'jafer/directory/v1/wait_service.proto'],
  { includeDirs: [join(root, 'protos')], keepCase: true, enums: String, longs: Number, defaults: true }));
const [intake, waits] = [connect('mesure', jafer.mesure.v1.IntakeService), connect('directory', jafer.directory.v1.WaitService)];
const [court, espace] = [tokenOf('juridiction', 'tj69123'), tokenOf('espace', 'A69-1')];
const request_id = () => randomUUID();
const ago = (days) => ({ seconds: Math.floor(Date.now() / 1000) - days * 86_400 });
function must(holds, otherwise) { if (!holds) throw new Error(otherwise); }

async function draft(espace_id, hote, visiteur, decided) { // a mesure with names of its own: no duplicate of another
  const name = randomUUID().slice(0, 6);
  const { mesure: { mesure_id } } = await as(court, mesures, 'CreateMesure', { request_id: request_id(), espace_id,
    decision: { nature: 'DECISION_NATURE_JUGEMENT', rg_number: `26/${String(Math.random()).slice(2, 7)}`, modalite: 'MODALITE_VISITE', duration_months: 12,
      legal_basis: 'LEGAL_BASIS_ARTICLE_373_2_9', judge_name: 'Juge fictive', parental_authority: 'PARENTAL_AUTHORITY_JOINT', decision_date: date(-decided),
      periodicity: { rencontre_count: 2, interval_count: 1, unit: 'PERIODICITY_UNIT_MONTH' }, rencontre_minutes: 60 },
    parties: [person('HOTE', `Camille ${name}`, hote), person('VISITEUR', `Dominique ${name}`, visiteur)], children: [child(`Alix ${name}`, 4.5)] });
  return mesure_id;
}

async function takenOver(espace_id, hote, visiteur, transmitted, waited) { // waited: days until the first rencontre held; none while it waits
  const mesure_id = await draft(espace_id, hote, visiteur, transmitted + 1);
  await as(court, mesures, 'CompleteMesure', { mesure_id, request_id: request_id() });
  await as(court, mesures, 'TransmitMesure', { mesure_id, occurred_time: ago(transmitted), request_id: request_id() });
  const { mesure: { children: [{ child_id }] } } = await as(court, mesures, 'GetMesure', { mesure_id });
  const acts = [[1, { acknowledged: {} }], [2, { charge_taken: {} }], [9, { contact: { party_role: 'PARTY_ROLE_HOTE', outcome: 'CONTACT_OUTCOME_REACHED' } }],
    [9, { contact: { party_role: 'PARTY_ROLE_VISITEUR', outcome: 'CONTACT_OUTCOME_REACHED' } }]];
  if (waited) {
    acts.push([waited - 14, { rencontre_scheduled: { external_rencontre_id: 'r1', start_time: ago(transmitted - waited), duration_minutes: 60 } }]);
    acts.push([waited + 1, { rencontre_outcome: { external_rencontre_id: 'r1', outcome: 'RENCONTRE_OUTCOME_HELD', visiteur_present: true, present_child_ids: [child_id] } }]);
  }
  return acts.map(([day, what], i) => (
    { source_system: 'paper', external_id: `${mesure_id}/${i + 1}`, sequence: i + 1, mesure_id, occurred_time: ago(transmitted - day), ...what }));
}

async function observed() {
  const { communes: [hote] } = await as(court, directory, 'ListCommunes', { postal_code: '69100' });
  const { communes: [visiteur] } = await as(court, directory, 'ListCommunes', { name_prefix: 'bourgoin' });
  const { espaces } = await as(court, directory, 'ListEspaces', { gestionnaire_id: claims(espace).organisation });
  const mesure = { modalite: 'MODALITE_VISITE', child_ages: [4], visiteur_commune_insee: visiteur.insee, decision_date: date(-1) };
  const only = espaces.map(({ espace_id }) => espace_id);
  const { results: [{ espace_id, name }] } = await as(court, directory, 'SearchEspaces', { espace_ids: only, mesure });

  // --- Ten families that met after 50 to 77 days, and two that wait.
  const items = (await Promise.all([...Array.from({ length: 10 }, (_, i) => takenOver(espace_id, hote, visiteur, 400 - 30 * i, 50 + 3 * i)),
    takenOver(espace_id, hote, visiteur, 30), takenOver(espace_id, hote, visiteur, 12)])).flat();
  const { results } = await as(espace, intake, 'ReportStatus', { request_id: request_id(), items });
  const refusedItem = results.find(({ result }) => result !== 'INTAKE_RESULT_APPLIED');
  must(!refusedItem, `ReportStatus: ${refusedItem?.result} ${refusedItem?.description}`);
  report(`12 files of ${name} taken over from paper, with ${items.length} acts of the past`);

  // --- What was observed, as soon as the directory has heard of it.
  const asked = { espace_id, modalite: 'MODALITE_VISITE', start: 'WAIT_START_TRANSMISSION', end: 'WAIT_END_HELD' };
  let row;
  for (let i = 0; !row?.median && i < 200; i++, await delay(100)) ({ rows: [row] } = await as(court, waits, 'GetObservedWaits', asked));
  must(row?.median, 'the wait is not observed');
  report(`observed: half of the families met within ${row.median.days} days (95 in 100: ${row.median.low_days} to ${row.median.high_days}), `
    + `nine in ten within ${row.p90?.days ?? '?'}; ${row.counts_withheld ? 'how many is withheld: few wait' : `${row.passed_count} met, ${row.waiting_count} wait`}`);

  // --- What it means for the next one, in the search and in the check of a draft.
  const { results: [{ expected_first_visit_date: expected, forecast, observed_wait }] } = await as(court, directory, 'SearchEspaces', { espace_ids: [espace_id], mesure });
  must(observed_wait && forecast?.basis.includes('QUEUE'), `SearchEspaces: the forecast comes from ${forecast?.basis}`);
  report(`forecast for the next: ${french(expected)}, eight in ten between ${french(forecast.earliest_date)} and ${french(forecast.latest_date)}, `
    + `from ${codes('FORECAST_BASIS_', [forecast.basis])}, learned from ${forecast.past_forecast_count} earlier ones`);
  const checked = await as(court, mesures, 'CheckMesure', { mesure_id: await draft(espace_id, hote, visiteur, 1) });
  must(checked.forecast_available && checked.first_visit_earliest_date && checked.first_visit_latest_date, 'CheckMesure: no forecast');
  report(`CheckMesure says the same: ${french(checked.expected_first_visit_date)}, ${french(checked.first_visit_earliest_date)} to ${french(checked.first_visit_latest_date)}`);
}
run(observed);
