// The clients as the first thing that an integrator reads: run with `node --test clients/clients.test.mjs`, or by ./jafer test.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const folder = import.meta.dirname;
const read = (file) => readFileSync(join(folder, file), 'utf8');
const programs = ['node', 'python'].flatMap((language) => readdirSync(join(folder, language))
  .filter((name) => /\.(mjs|py)$/.test(name)).map((name) => `${language}/${name}`));

test('Clients_OfBothLanguages_AreThere', () => {
  assert.deepEqual(programs.sort(), [
    'node/catch-up.mjs', 'node/documents.mjs', 'node/journey.mjs', 'node/judge.mjs', 'node/search.mjs', 'node/webhook-receiver.mjs',
    'python/difficulty.py', 'python/directory.py', 'python/espace.py']);
});

for (const program of programs) {
  const lines = read(program).trimEnd().split('\n');

  test(`${program}_AsCommitted_HasAtMost150Lines`, () => {
    assert.ok(lines.length <= 150, `${lines.length} lines`);
    // Nor are lines made longer instead.
    for (const [i, line] of lines.entries()) assert.ok(line.length <= 180, `line ${i + 1} has ${line.length} characters`);
  });

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
  for (const program of programs) assert.ok(read('README.md').includes(`\`${program}\``), program);
});

test('Clients_Python_Compiles', () => {
  for (const program of programs.filter((name) => name.endsWith('.py')))
    execFileSync('python3', ['-c', 'import ast, sys; ast.parse(sys.stdin.read())'], { input: read(program) });
});
