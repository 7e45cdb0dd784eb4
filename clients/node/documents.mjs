// The documents of a mesure, in Node.js: a court attaches the decision, and prints what each parent takes home.
//
//   node clients/node/documents.mjs [DECISION.pdf]      alone; it writes the printed documents into a new folder
//
// Same environment as journey.mjs, whose connection it uses.
import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { refusal } from './errors.mjs';
import { authenticate, call, child, connect, date, directory, gestionnaire, jafer, mesures, metadata, person, report, run } from './journey.mjs';

const documents = connect('mesure', jafer.mesure.v1.DocumentService);
const sha256 = (bytes) => createHash('sha256').update(bytes).digest();

// --- Up: the first request announces the file, all of them carry bytes, at most 1 MiB each. A real client sends the same
// request_id again when it does not know whether an answer was lost: the file is stored once.
function attach(mesure_id, file, request_id) {
  return new Promise((resolve, reject) => {
    const stream = documents.AttachDecision(metadata(), { deadline: Date.now() + 60_000 }, (error, answer) => (error ? reject(refusal('AttachDecision', error)) : resolve(answer)));
    stream.write({ mesure_id, size_bytes: file.length, sha256: sha256(file), request_id });
    for (let at = 0; at < file.length; at += 1 << 20) stream.write({ data: file.subarray(at, at + (1 << 20)) });
    stream.end();
  });
}

// --- Down: what is known of the file first, then its bytes. Compare the hash before you keep it.
async function read(mesure_id) {
  let document;
  const pieces = [];
  for await (const response of documents.GetDecisionDocument({ mesure_id }, metadata(), { deadline: Date.now() + 60_000 })) {
    document ??= response.document;
    pieces.push(response.data);
  }
  const file = Buffer.concat(pieces);
  if (!sha256(file).equals(document.sha256)) throw new Error('the bytes read are not those that were attached');
  return { document, file };
}

async function drafted() {
  const { communes: [commune] } = await call(directory, 'ListCommunes', { postal_code: '69100' });
  const { espaces: [espace] } = await call(directory, 'ListEspaces', { gestionnaire_id: gestionnaire });
  const { mesure } = await call(mesures, 'CreateMesure', { request_id: randomUUID(), espace_id: espace.espace_id,
    decision: { nature: 'DECISION_NATURE_JUGEMENT', rg_number: `26/${String(Date.now()).slice(-5)}`, modalite: 'MODALITE_VISITE',
      legal_basis: 'LEGAL_BASIS_ARTICLE_373_2_9', judge_name: 'Juge fictive', parental_authority: 'PARENTAL_AUTHORITY_JOINT', duration_months: 6,
      periodicity: { rencontre_count: 2, interval_count: 1, unit: 'PERIODICITY_UNIT_MONTH' }, rencontre_minutes: 60,
      decision_date: date(-1), contact_deadline: date(14) },
    parties: [person('HOTE', 'Camille', commune), person('VISITEUR', 'Dominique', commune)], children: [child('Alix', 4.5)] });
  await call(mesures, 'CompleteMesure', { mesure_id: mesure.mesure_id, request_id: randomUUID() });
  return mesure;
}

async function paper() {
  await authenticate();
  const { mesure_id, reference } = await drafted();
  const folder = mkdtempSync(join(tmpdir(), 'jafer-documents-'));
  const keep = (name, html, pdf) => { writeFileSync(join(folder, `${name}.html`), html); writeFileSync(join(folder, `${name}.pdf`), pdf); };

  // --- The notices, at the hearing: one call for each parent, never one paper for both.
  let file = process.argv[2] && readFileSync(process.argv[2]);
  for (const role of ['HOTE', 'VISITEUR']) {
    const notice = await call(documents, 'GetParentNotice', { mesure_id, party_role: `PARTY_ROLE_${role}` });
    if (!notice.directory_available) throw new Error('GetParentNotice: the directory did not answer');
    keep(`notice-${role.toLowerCase()}`, notice.html, notice.pdf);
    report(`notice for the ${role.toLowerCase()}: ${notice.html.length} characters, PDF of ${notice.pdf.length} bytes`);
    file ??= notice.pdf; // in place of a decision, when none was given
  }

  // --- The decision. What is no PDF is refused with the field that is wrong, and nothing of it is kept.
  const refused = await attach(mesure_id, Buffer.from('no PDF'), randomUUID()).then(() => ({}), (error) => error);
  if (refused.reason !== 'REQUEST_INVALID') throw refused.reason ? refused : new Error('AttachDecision took what is no PDF');
  report(`what is no PDF was refused: ${refused.reason} ${refused.named.join(', ')}`);
  const request_id = randomUUID();
  const { document } = await attach(mesure_id, file, request_id);
  const again = await attach(mesure_id, file, request_id);
  if (again.document.document_id !== document.document_id) throw new Error('attached twice by one request_id');
  report(`decision of ${reference} attached, ${document.size_bytes} bytes; sent twice with the same request_id, stored once`);
  await call(mesures, 'TransmitMesure', { mesure_id, request_id: randomUUID() });
  const { file: back } = await read(mesure_id);
  if (!back.equals(file)) throw new Error('GetDecisionDocument gave other bytes');
  report('read back, byte for byte');

  // --- The factual note: provisional until the mesure is closed.
  const { note, html, pdf } = await call(documents, 'GetFactualNote', { mesure_id });
  keep('note-factuelle', html, pdf);
  report(`factual note: ${note.rencontres.length} rencontres, ${note.held_minutes} minutes held; all of it in ${folder}`);
}
run(paper);
