// The national survey, in Node.js: a gestionnaire's return computed from its mesures, and from a total to the events behind it in three calls.
//
//   node clients/node/survey.mjs                               alone: generates the return of this year and of the last, and follows one figure
//   node clients/node/survey.mjs campaign 2025                 everybody in turn: opens the campaign of a year, validates one return, closes it
//   node clients/node/survey.mjs national 2025 CODE            as the statistician: the total of a figure, and what it is of each gestionnaire
//   node clients/node/survey.mjs mesures 2025 CODE A69-1       as the gestionnaire: the mesures behind its part
//   node clients/node/survey.mjs events MESURE_ID A69-1        as the gestionnaire: what happened in one of them
//
// Same environment as journey.mjs, whose connection it uses; the tokens come from the development issuer. It may be run again and again.
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { as, claims, refused, tokenOf } from './callers.mjs';
import { connect, date, mesures, report, run } from './journey.mjs';
import { readClients, referenceData } from '../../eng/identity/organisations.mjs';

const root = join(import.meta.dirname, '..', '..');
const { jafer } = grpc.loadPackageDefinition(loadSync('jafer/mesure/v1/survey_service.proto',
  { includeDirs: [join(root, 'protos')], keepCase: true, enums: String, longs: Number, defaults: true, oneofs: true }));
const survey = connect('mesure', jafer.mesure.v1.SurveyService);
const [espace, statistician] = [tokenOf('espace', 'A69-1'), tokenOf('statisticien', 'sser')];
const gestionnaire_id = claims(espace).organisation;
function must(holds, otherwise) { if (!holds) throw new Error(otherwise); }

async function national(year, code) {
  const { totals, asked_count, provisional } = await as(statistician, survey, 'GetNationalSurvey', { year });
  const total = totals.find((t) => t.code === code);
  must(total, `nobody has a return of ${year} with ${code}; node clients/node/survey.mjs makes some`);
  report(`${code} ${year}: ${total._value ? total.value : 'unknown'}${provisional ? ', provisional' : ''}, of ${asked_count} gestionnaires`
    + total.published_figures.map(({ value, unit, remark }) => `; published: ${value} ${unit} ${remark}`).join(''));
  const keys = new Map([...readClients(referenceData()).values()].filter(({ role }) => role === 'espace').map(({ organisation, key }) => [organisation, key]));
  const parts = [];
  for (let page_token = ''; ;) {
    const page = await as(statistician, survey, 'ListSserReturns', { year, figure_code: code, page_size: 200, page_token });
    parts.push(...page.sser_returns.map(({ gestionnaire_id: id, figures, state, source }) => ({ key: keys.get(id) ?? id, value: figures[0]?.value ?? 0, state, source })));
    if (!(page_token = page.next_page_token)) break;
  }
  for (const { key, value, state } of parts.sort((a, b) => b.value - a.value)) report(`  ${key} ${value} ${state.replace('SSER_RETURN_STATE_', '')}`);
  // What was typed in or imported has no mesures behind it.
  const counted = parts.find(({ value, source }) => value > 0 && source === 'SSER_RETURN_SOURCE_COMPUTED');
  console.log(counted ? `next: node clients/node/survey.mjs mesures ${year} ${code} ${counted.key}` : 'no return was computed from mesures: nothing is behind this total here');
}

async function behind(year, figure_code, key = 'A69-1') {
  const own = tokenOf('espace', key);
  const { mesures: found, total } = await as(own, survey, 'ListSurveyMesures', { gestionnaire_id: claims(own).organisation, year, figure_code, page_size: 500 });
  report(`${figure_code} ${year} of ${key}: ${total}`);
  for (const { mesure_id, count } of found) report(`  ${mesure_id} ${count}`);
  if (found.length > 0) console.log(`next: node clients/node/survey.mjs events ${found[0].mesure_id} ${key}`);
}

async function events(mesure_id, key = 'A69-1') {
  const history = await as(tokenOf('espace', key), mesures, 'ListMesureEvents', { mesure_id, page_size: 500 });
  for (const { act, occurred_time } of history.events) report(`  ${new Date(occurred_time.seconds * 1000).toISOString()} ${act.replace('MESURE_ACT_', '')}`);
}

// As somebody does who reads docs/statistics.md: each command is the one that the last printed.
function trace(year, code) {
  const printed = [];
  for (let words = ['national', String(year), code]; words; words = printed.at(-1).match(/^next: node clients\/node\/survey\.mjs (.+)$/m)?.[1].split(' '))
    printed.push(execFileSync(process.execPath, [import.meta.filename, ...words], { encoding: 'utf8' }));
  must(printed.length === 3 && /TRANSMIT|REGISTER/.test(printed[2]), `${code} of ${year} does not lead to events in three commands:\n${printed.join('')}`);
  report(`from the total ${code} of ${year} to the events of one mesure in three commands, ${printed[2].trim().split('\n').length} events`);
}

async function campaign(year) {
  const person = tokenOf('statisticien', 'sser', '--person', 'nicole');
  const { year: y, month, day } = date(60);
  await as(person, survey, 'OpenSurveyCampaign', { year, due_date: { year: y, month, day }, request_id: randomUUID() });
  const { sser_return: { etag } } = await as(espace, survey, 'GenerateSserReturn', { gestionnaire_id, year, request_id: randomUUID() });
  await as(tokenOf('espace', 'A69-1', '--person', 'dominique'), survey, 'ValidateSserReturn', { gestionnaire_id, year, etag, request_id: randomUUID() });
  const { campaign: closed } = await as(person, survey, 'CloseSurveyCampaign', { year, request_id: randomUUID() });
  report(`campaign of ${year} closed: ${closed.states.map(({ state, count }) => `${count} ${state.replace('SSER_RETURN_STATE_', '')}`).join(', ')}`);
}

async function alone() {
  const year = new Date().getUTCFullYear();
  for (const of of [year - 1, year]) {
    // Of a year whose campaign is closed the return stands as it was told.
    const { sser_return: { figures, equation: e, flags, provisional } } = await as(espace, survey, 'GenerateSserReturn', { gestionnaire_id, year: of, request_id: randomUUID() })
      .catch((error) => error.reason === 'STATE_FORBIDS' ? as(espace, survey, 'GetSserReturn', { gestionnaire_id, year: of }) : Promise.reject(error));
    const value = (code) => figures.find((f) => f.code === code)?.value ?? 'unknown';
    report(`return of ${of}${provisional ? ', provisional' : ''}: ${e.opening} + ${e.received} - ${e.closed} = ${e.closing - e.difference}, in stock ${e.closing}`
      + ` (${value('MESURES_EN_COURS')} under way, ${value('MESURES_EN_ATTENTE')} wait, ${value('MESURES_NON_CONTACTEES')} not contacted), unexplained ${e.unexplained}; `
      + `${value('RENCONTRES_REALISEES')} of ${value('RENCONTRES_PROGRAMMEES')} rencontres held; ${flags.length} flags`);
    must(e.unexplained === 0, 'the stocks do not follow from each other');
  }

  // --- From a total to the events behind it.
  const { mesures: [first], total } = await as(espace, survey, 'ListSurveyMesures', { gestionnaire_id, year, figure_code: 'MESURES_NOUVELLES' });
  must(first, 'no mesure is new this year');
  const history = await as(espace, mesures, 'ListMesureEvents', { mesure_id: first.mesure_id });
  report(`behind ${total} new mesures: ${first.mesure_id} and ${total - 1} others, with ${history.events.length} events in the first`);

  // --- Which mesures they are is nobody's affair but the gestionnaire's, the statistician's neither.
  await refused('CALLER_FORBIDDEN', statistician, survey, 'ListSurveyMesures', { gestionnaire_id, year, figure_code: 'MESURES_NOUVELLES' });
  trace(year, 'MESURES_NOUVELLES');
}

const [what, ...of] = process.argv.slice(2);
run({
  campaign: () => campaign(Number(of[0])), national: () => national(Number(of[0]), of[1]), mesures: () => behind(Number(of[0]), of[1], of[2]), events: () => events(of[0], of[1]),
}[what] ?? alone);
