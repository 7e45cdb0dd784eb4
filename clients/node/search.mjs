// The directory in depth, in Node.js: how a court's software finds the espace for a mesure, and why it is that one.
//
//   node clients/node/search.mjs           beside it, as the espace's software: /usr/bin/python3 clients/python/directory.py
//
// Same environment as journey.mjs, whose connection it uses. Nothing here is personal data: ages, communes, needs.
import { randomUUID } from 'node:crypto';
import { authenticate, call, clientId, codes, date, directory, french, gestionnaire, report, run, watch } from './journey.mjs';

const court_code = clientId.split('.')[1];
const ids = (espaces) => espaces.map(({ espace_id }) => espace_id);
const rules = (findings) => findings.map(({ rule, legal_source }) => `${codes('DESIGNATION_RULE_', [rule])} (${legal_source})`).join(', ');
function must(holds, otherwise) { if (!holds) throw new Error(otherwise); }

async function search() {
  await authenticate();
  const { courts } = await call(directory, 'ListCourts', { departement: court_code.slice(2, 4) });
  const { communes: [visiteur] } = await call(directory, 'ListCommunes', { name_prefix: 'bourgoin' });
  report(`${courts.find(({ code }) => code === court_code)?.name}; the visiteur lives in ${visiteur.name}`);

  // --- All that is known of the mesure. An ordonnance de protection: the hôte's address is protected, so hote_commune_insee
  // stays empty, and of that parent's way nothing is computed or said.
  const mesure = { modalite: 'MODALITE_VISITE', child_ages: [4, 9], court_code, visiteur_commune_insee: visiteur.insee,
    situations: ['SITUATION_PARTICULIERE_VIOLENCES_INTRAFAMILIALES'], protection_order: true, languages: ['ara'],
    besoins: ['BESOIN_ACCUEIL_PARENTS_SEPARES', 'BESOIN_ACCUEIL_SANS_VOITURE'], decision_date: date(0), rencontre_minutes: 60,
    duration_months: 6, periodicity: { rencontre_count: 2, interval_count: 1, unit: 'PERIODICITY_UNIT_MONTH' } };
  const request = { mesure, page_size: 5, explain: true, facets: true };
  const first = await call(directory, 'SearchEspaces', request);
  must(first.results.length > 0, `no espace can take it: ${codes('SEARCH_NOTE_CODE_', first.notes.map(({ code }) => code))}`);
  must(first.results.every(({ hote_travel }) => hote_travel === null), 'SearchEspaces: something is said of a protected parent');
  const count = (kind) => first.facets.filter((facet) => facet.kind === `FACET_KIND_${kind}`).map(({ value, count }) => `${value} ${count}`);
  report(`${first.total_count} espaces can take it: ${count('CAPACITY_STATUS').join(', ')}; in ${count('DEPARTEMENT').length} départements`);
  for (const { name, expected_first_visit_date, forecast, declared_wait, observed_wait, visiteur_travel, capacity_status, reasons, warnings } of first.results.slice(0, 3)) {
    // A travel time is an order of magnitude and a wait has a date: show the range and the age, never the bare figure.
    const between = forecast ? `eight in ten between ${french(forecast.earliest_date)} and ${french(forecast.latest_date)}` : 'nobody knows';
    report(`${name}: first rencontre ${french(expected_first_visit_date)} (${between}), wait said ${declared_wait?.age_days ?? '?'} days ago`
      + `${declared_wait?.stale ? ' (stale)' : ''}, ${observed_wait ? `${observed_wait.median_days} days observed on ${observed_wait.sample_size} mesures` : 'none observed yet'}, `
      + `${visiteur_travel.min_minutes} to ${visiteur_travel.max_minutes} min, ${codes('CAPACITY_STATUS_', [capacity_status])}; `
      + `because of ${codes('RANKING_REASON_CODE_', reasons.map(({ code }) => code))}; to know: ${codes('RESULT_WARNING_CODE_', warnings.map(({ code }) => code))}`);
  }

  // --- One further page: the same arguments with the token. A token of another search is refused.
  if (first.next_page_token) {
    const second = await call(directory, 'SearchEspaces', { ...request, page_token: first.next_page_token });
    must(!ids(second.results).some((id) => ids(first.results).includes(id)), 'SearchEspaces: an espace stands on two pages');
    report(`the next ${second.results.length} on a further page`);
  }

  // --- Who was left out, the nearest first, with every rule and where it comes from: a judge is told, not left to guess.
  for (const { name, findings } of first.excluded_espaces.slice(0, 2)) report(`left out: ${name}, ${rules(findings)}`);

  // --- A shortlist side by side, and the decision's subsidiary espace: the best one without the first choice.
  const shortlist = ids(first.results.slice(0, 3));
  const { results: sideBySide } = await call(directory, 'SearchEspaces', { mesure, espace_ids: shortlist });
  must(ids(sideBySide).join() === shortlist.join(), 'SearchEspaces: a shortlist has another order');
  const [chosen] = first.results;
  const { results: [subsidiary] } = await call(directory, 'SearchEspaces', { mesure, excluding_espace_ids: [chosen.espace_id], page_size: 1 });
  must(subsidiary?.espace_id === first.results[1]?.espace_id, 'SearchEspaces: the subsidiary espace is not the second best');
  report(`first choice ${chosen.name}, subsidiary ${subsidiary?.name ?? 'none'}`);
  // What weighs more is the court's to say: days of waiting for one hour more of travel; 0 looks at the wait alone.
  const { results: [soonest] } = await call(directory, 'SearchEspaces', { mesure, days_per_travel_hour: 0, page_size: 1 });
  report(`whatever the way, the first rencontre is soonest at ${soonest.name}, ${french(soonest.expected_first_visit_date)}`);

  // --- One espace, the same rules: findings stand against it, warnings do not.
  const { designable, findings: none } = await call(directory, 'CheckDesignation', { espace_id: chosen.espace_id, mesure });
  must(designable && none.length === 0, 'CheckDesignation: what was found cannot be designated');
  const before = { ...mesure, decision_date: { year: 1999, month: 1, day: 1 } }; // the agrément counts on the decision date
  const { findings } = await call(directory, 'CheckDesignation', { espace_id: chosen.espace_id, mesure: before });
  must(findings.some(({ rule }) => rule === 'DESIGNATION_RULE_AGREMENT_VALID'), 'CheckDesignation: no agrément was needed in 1999');
  report(`designable today; in 1999 not: ${rules(findings)}`);

  // --- Is there room? Anonymous: no commune. The directory answers while its data are fresh; else the espace is asked, and its
  // answer comes through the feed. Here the espace of directory.py is asked, which said nothing for long.
  const { espaces } = gestionnaire ? await call(directory, 'ListEspaces', { gestionnaire_id: gestionnaire }) : { espaces: [] };
  const asked = espaces[0] ?? chosen;
  const ask = () => call(directory, 'RequestCapacity', { espace_id: asked.espace_id, request_id: randomUUID(),
    mesure: { modalite: 'MODALITE_VISITE', child_ages: [4, 9] } });
  let { enquiry } = await ask();
  const pending = enquiry.state === 'ENQUIRY_STATE_PENDING';
  report(`room at ${asked.name}? ${codes('ENQUIRY_STATE_', [enquiry.state])}`);
  if (pending) {
    for await (const event of watch())
      if (event.type === 'directory.capacity-enquiry-answered.v1' && event.aggregate_id === enquiry.enquiry_id) break;
    ({ enquiry } = await call(directory, 'GetCapacityEnquiry', { enquiry_id: enquiry.enquiry_id }));
  }
  report(`${codes('CAPACITY_ANSWER_', [enquiry.answer])}, answered by ${codes('ENQUIRY_ANSWERED_BY_', [enquiry.answered_by])}`);
  if (pending) { // what an espace says to one it says to all: nobody is asked twice
    ({ enquiry } = await ask());
    must(enquiry.answered_by === 'ENQUIRY_ANSWERED_BY_DIRECTORY', 'RequestCapacity: the espace is asked again');
    report(`asked again: ${codes('CAPACITY_ANSWER_', [enquiry.answer])}, answered by the directory`);
  }
}
run(search);
