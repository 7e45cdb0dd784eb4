// The judiciary system and its judge, in Node.js: a draft that the check refuses, and a difficulty answered by redesignation.
//
//   node clients/node/judge.mjs            beside it, as the espace's software: /usr/bin/python3 clients/python/difficulty.py
// Same environment as journey.mjs, whose connection it uses.
import { randomUUID } from 'node:crypto';
import { authenticate, call, child, codes, connect, date, directory, french, gestionnaire, jafer, mesures, person, redesignations, report, run, watch } from './journey.mjs';

const noticeService = connect('notification', jafer.notification.v1.NoticeService);

async function judge() {
  await authenticate();
  const { communes: [hote] } = await call(directory, 'ListCommunes', { postal_code: '69100' });
  const { communes: [visiteur] } = await call(directory, 'ListCommunes', { name_prefix: 'bourgoin' });
  const profile = { modalite: 'MODALITE_VISITE', child_ages: [4], visiteur_commune_insee: visiteur.insee, decision_date: date(-1) };
  const { espaces } = await call(directory, 'ListEspaces', { gestionnaire_id: gestionnaire });
  const { results: [chosen] } = await call(directory, 'SearchEspaces', { mesure: profile, espace_ids: espaces.map(({ espace_id }) => espace_id) });

  // --- Before the decision is rendered, what the law asks for and is missing blocks: the judge can still write it.
  const draft = { nature: 'DECISION_NATURE_JUGEMENT', rg_number: `26/${String(Date.now()).slice(-5)}`, modalite: 'MODALITE_VISITE',
    legal_basis: 'LEGAL_BASIS_ARTICLE_373_2_9', judge_name: 'Juge fictive', parental_authority: 'PARENTAL_AUTHORITY_JOINT',
    duration_months: 6, terms_left_to_service: true }; // "selon les modalités du service" is neither periodicity nor length
  const { mesure: { mesure_id, reference } } = await call(mesures, 'CreateMesure', { request_id: randomUUID(), decision: draft,
    espace_id: chosen.espace_id, parties: [person('HOTE', 'Camille', hote), person('VISITEUR', 'Dominique', visiteur)], children: [child('Alix', 4.5)] });
  const { findings, completable } = await call(mesures, 'CheckMesure', { mesure_id });
  const violations = findings.filter(({ severity }) => severity === 'FINDING_SEVERITY_VIOLATION');
  if (completable || violations.length === 0) throw new Error('the check let a draft pass that lacks its periodicity');
  report(`${reference} checked: ${violations.map(({ code, source }) => `${code} (${source})`).join(', ')}`);
  const refused = await call(mesures, 'CompleteMesure', { mesure_id, request_id: randomUUID() }).then(() => ({}), (error) => error);
  if (refused.reason !== 'RULE_VIOLATED') throw refused.reason ? refused : new Error('CompleteMesure took what the check refuses');
  report(`CompleteMesure refused it too: ${refused.reason} ${refused.named.join(', ')}`);

  // --- The judge writes what was missing and renders the decision; the greffe transmits.
  const decision = { ...draft, terms_left_to_service: false, rencontre_minutes: 60, decision_date: date(-1),
    periodicity: { rencontre_count: 2, interval_count: 1, unit: 'PERIODICITY_UNIT_MONTH' } };
  await call(mesures, 'UpdateMesure', { mesure_id, decision, request_id: randomUUID() });
  await call(mesures, 'CompleteMesure', { mesure_id, request_id: randomUUID() });
  await call(mesures, 'TransmitMesure', { mesure_id, request_id: randomUUID() });
  report(`${reference} completed and transmitted to ${chosen.name}`);

  // --- A difficulty arrives: acknowledged at once, so that the espace knows that somebody has it.
  let told;
  for await (const event of watch()) if (event.aggregate_id === mesure_id && (told = event).type === 'mesure.difficulty-reported.v1') break;
  const { mesure: { difficulties: [difficulty], summary: { etag } } } = await call(mesures, 'GetMesure', { mesure_id });
  await call(mesures, 'AcknowledgeDifficulty', { mesure_id, difficulty_id: difficulty.difficulty_id, etag, request_id: randomUUID() });
  report(`difficulty ${difficulty.reason.replace('DIFFICULTY_REASON_', '')} acknowledged`);

  // --- What the other side was told of the transmission, by what, and how far that came. Ours was just opened: an interface says so
  // when somebody follows the link of a mail, or, as here, what the feed told.
  await call(noticeService, 'MarkNoticeOpened', { notice_id: told.event_id, request_id: randomUUID() });
  const { notices } = await call(noticeService, 'ListNotices', { mesure_id });
  if (!notices.some(({ event_id, state }) => event_id === told.event_id && state === 'NOTICE_STATE_OPENED')) throw new Error('the opening was not kept');
  const theirs = notices.filter(({ type, organisation_id }) => type === 'mesure.mesure-transmitted.v1' && organisation_id === gestionnaire);
  const way = ({ channel, state }) => `${channel} ${state}`.replace('NOTICE_CHANNEL_', '').replace('NOTICE_STATE_', '');
  report(`the espace was told of the transmission: ${codes('', theirs.map(way))}`);
  const { actions } = await call(mesures, 'ListAvailableActions', { mesure_id });
  report(`the judge can now: ${codes('jafer.mesure.v1.MesureService/', actions.map(({ rpc }) => rpc))}`);

  // --- Alternatives: where this mesure can go on, as the directory knows it today; protected addresses are left out there. The judge
  // compares wait, its age and the ways, and takes the first of another gestionnaire. The file goes there at once.
  const { alternatives, present, total_count: count } = await call(redesignations, 'ListAlternativeEspaces', { mesure_id });
  report(`${count} alternatives; against the present espace stands ${codes('DESIGNATION_RULE_', present.findings.map(({ rule }) => rule))}`);
  const { espace: other } = alternatives.find(({ gestionnaire_id }) => gestionnaire_id !== gestionnaire);
  const { declared_wait: wait, visiteur_travel: travel } = other;
  report(`chosen: ${other.name}, wait ${wait ? `${wait.days} days${wait.stale ? ', an old figure' : ''}` : 'not declared'}, ${travel?.minutes ?? '?'} minutes for the visiteur`);
  const { mesure, successor } = await call(mesures, 'AnswerDifficulty', { mesure_id, difficulty_id: difficulty.difficulty_id,
    answer: 'DIFFICULTY_ANSWER_REDESIGNATE', redesignation: { espace_id: other.espace_id, decision_date: date(0) }, request_id: randomUUID() });
  if (mesure.state !== 'MESURE_STATE_CLOTUREE' || successor.predecessor_mesure_id !== mesure_id) throw new Error('it does not go on');
  report(`${successor.reference} goes on at ${other.name}, first rencontre expected ${french(other.expected_first_visit_date)}`);
}
run(judge);
