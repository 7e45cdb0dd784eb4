// The clients as the first thing that an integrator reads: run with `node --test clients/clients.test.mjs`, or by ./jafer test.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const folder = import.meta.dirname;
const read = (file) => readFileSync(join(folder, file), 'utf8');
const parts = ['node/callers.mjs', 'node/errors.mjs', 'python/errors.py']; // what programs have in common; nobody runs it
const programs = ['node', 'python'].flatMap((language) => readdirSync(join(folder, language))
  .filter((name) => /\.(mjs|py)$/.test(name)).map((name) => `${language}/${name}`)).filter((name) => !parts.includes(name));

test('Clients_OfBothLanguages_AreThere', () => {
  assert.deepEqual(programs.sort(), [
    'node/catch-up.mjs', 'node/documents.mjs', 'node/journal.mjs', 'node/journey.mjs', 'node/judge.mjs', 'node/lost-slot.mjs', 'node/members.mjs', 'node/prefecture.mjs',
    'node/search.mjs', 'node/survey.mjs', 'node/waits.mjs', 'node/webhook-receiver.mjs',
    'python/attachments.py', 'python/bounces.py', 'python/conversation.py', 'python/difficulty.py', 'python/directory.py', 'python/espace.py', 'python/watch.py']);
});

for (const program of [...programs, ...parts]) {
  const lines = read(program).trimEnd().split('\n');

  test(`${program}_AsCommitted_HasAtMost150Lines`, () => {
    assert.ok(lines.length <= 150, `${lines.length} lines`);
    // Nor are lines made longer instead.
    for (const [i, line] of lines.entries()) assert.ok(line.length <= 180, `line ${i + 1} has ${line.length} characters`);
  });
}

for (const program of programs) {
  test(`${program}_Beginning_SaysInAComment_WhatItDoesAndHowItIsRun`, () => {
    const [, opening] = program.endsWith('.py') ? read(program).match(/^#!.*\n"""([^]*?)"""/) ?? [] : read(program).match(/^((?:\/\/.*\n)+)/) ?? [];
    assert.ok(opening, 'no comment opens the file');
    assert.match(opening.split('\n')[0], /, in (Node\.js|Python): /);
    assert.ok(opening.includes(`clients/${program}`), 'how it is run is not said');
    assert.match(opening, /environment/i);
  });
}

test('Node_AProtectedAddress_IsNeverGivenToTheSearchAsACommune', () => {
  for (const program of programs.filter((name) => name.startsWith('node/')))
    assert.doesNotMatch(read(program), /hote_commune_insee:/, program);
});

test('Clients_ReadMe_NamesEachProgram', () => {
  for (const program of [...programs, ...parts]) assert.ok(read('README.md').includes(`\`${program}\``), program);
});

test('Clients_Python_Compiles', () => {
  for (const program of [...programs, ...parts].filter((name) => name.endsWith('.py')))
    execFileSync('python3', ['-c', 'import ast, sys; ast.parse(sys.stdin.read())'], { input: read(program) });
});

// google.rpc.Status as a service of Jafer sends it: ErrorInfo with metadata, PreconditionFailure with one rule.
const refused = 'CAkSB3JlZnVzZWQaVQoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLkVycm9ySW5mbxIpCg1SVUxFX1ZJT0xBVEVEEgVqYWZlchoRCgVzdGF0ZRIIT1JET05ORUUaoQEK'
  + 'MnR5cGUuZ29vZ2xlYXBpcy5jb20vZ29vZ2xlLnJwYy5QcmVjb25kaXRpb25GYWlsdXJlEmsKaQoTUEVSSU9ESUNJVFlfTUlTU0lORxIUZGVjaXNpb24ucGVyaW9kaWNpdHkaPFRo'
  + 'ZSBkZWNpc2lvbiBkb2VzIG5vdCBmaXggdGhlIHBlcmlvZGljaXR5IG9mIHRoZSByZW5jb250cmVzLg==';

test('Errors_OfARefusal_AreReadAlikeInBothLanguages', async () => {
  const { reasonOf, refusal } = await import('./node/errors.mjs');
  const error = { code: 9, details: 'refused', metadata: { get: () => [Buffer.from(refused, 'base64')] } };
  assert.deepEqual(reasonOf(error), { reason: 'RULE_VIOLATED', named: ['PERIODICITY_MISSING'] });
  assert.equal(refusal('CompleteMesure', error).message, 'CompleteMesure: RULE_VIOLATED PERIODICITY_MISSING: refused');
  assert.equal(refusal('CompleteMesure', { code: 14, details: 'away' }).message, 'CompleteMesure: UNAVAILABLE: away'); // by the transport
  const python = execFileSync('python3', ['-B', '-c', `
import base64, sys
sys.path.insert(0, sys.argv[1])
from errors import explain
class Refused:
    def trailing_metadata(self): return (("grpc-status-details-bin", base64.b64decode(sys.argv[2])),)
    def details(self): return "refused"
print(explain(Refused()))`, join(folder, 'python'), refused], { encoding: 'utf8' });
  assert.equal(python.trim(), 'RULE_VIOLATED PERIODICITY_MISSING: refused');
});
