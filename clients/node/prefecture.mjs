// A préfecture, in Node.js: an operator says of which département it is, it sees whose agrément ends, records a decision, and is refused elsewhere.
//
//   node clients/node/prefecture.mjs      alone
//
// Same environment as journey.mjs, whose connection it uses; the tokens come from the development issuer. It may be run again and again.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { as, claims, refused, tokenOf } from './callers.mjs';
import { connect, date, directory, report, run } from './journey.mjs';

const root = join(import.meta.dirname, '..', '..');
const { jafer } = grpc.loadPackageDefinition(loadSync('jafer/directory/v1/territory_service.proto',
  { includeDirs: [join(root, 'protos')], keepCase: true, longs: Number, defaults: true }));
const territories = connect('directory', jafer.directory.v1.TerritoryService);

const departement = '42', elsewhere = '69';

async function agrements() {
  const [operator, prefecture] = [tokenOf('operateur', 'national', '--person', 'exploitante'), tokenOf('prefecture', departement)];

  // --- Without a territory a préfecture may read the directory and nothing else.
  await refused('CALLER_FORBIDDEN', tokenOf('prefecture', elsewhere), directory, 'ListUpkeepItems', { page_size: 1 });
  const { territory } = await as(operator, territories, 'SetTerritory', { request_id: randomUUID(),
    territory: { organisation_id: claims(prefecture).organisation, display_name: `Préfecture fictive (${departement})`, departements: [departement] } });
  report(`the préfecture is competent for ${territory.departements}`);

  // --- What needs it: agréments that end within six months, and espaces without one.
  const { items, total_count } = await as(prefecture, directory, 'ListUpkeepItems', { page_size: 10 });
  for (const { espace_name, kind, due_date } of items) report(`${kind} ${due_date.day}/${due_date.month}/${due_date.year}: ${espace_name}`);
  report(`${total_count} in all`);

  // --- A decision takes the place of the agrément as it was read; a renewal would come without replaced_agrement.
  const { espaces } = await as(prefecture, directory, 'ListEspaces', { departement, page_size: 50 });
  const granted = ({ state, number }) => state === 'AGREMENT_STATE_ACCORDE' && number;
  const espace = espaces.find((e) => e.agrements.some(granted));
  const held = espace.agrements.find(granted);
  const decision = { espace_id: espace.espace_id, replaced_agrement: held, agrement: { ...held, decision_date: date(0) }, etag: espace.etag, request_id: randomUUID() };
  const { espace: now } = await as(prefecture, directory, 'RecordAgrement', decision);
  const { changes: [last] } = await as(prefecture, directory, 'ListEspaceChanges', { espace_id: espace.espace_id, group: 'ESPACE_GROUP_AGREMENT', page_size: 1 });
  if (last.organisation_id !== claims(prefecture).organisation) throw new Error('the history names another');
  report(`agrément ${held.number} of ${now.name} recorded; the history names the préfecture`);

  // --- From now on nobody else changes it, and what lies elsewhere is told from nothing by no answer.
  const { agrements: [first, ...others] } = now;
  await refused('REQUEST_INVALID', operator, directory, 'UpdateEspace', { espace: { espace_id: now.espace_id, agrements: [{ ...first, number: 'autre' }, ...others] },
    update_mask: { paths: ['agrements'] }, request_id: randomUUID() });
  const { espaces: [other] } = await as(prefecture, directory, 'ListEspaces', { departement: elsewhere, page_size: 1 });
  for (const espace_id of [other.espace_id, randomUUID()])
    await refused('CALLER_FORBIDDEN', prefecture, directory, 'RecordAgrement', { ...decision, espace_id, request_id: randomUUID() });
}
run(agrements);
