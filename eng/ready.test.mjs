// eng/ready.mjs with the real compiler, where set-up found one: run with `node --test eng/ready.test.mjs`, or by ./jafer test.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

const root = resolve(import.meta.dirname, '..');
const known = join(root, '.jafer', 'ready', 'compiler.json');
const packages = existsSync(known) ? JSON.parse(readFileSync(known, 'utf8')).Properties.NuGetPackageRoot : '';
// Two small assemblies without dependencies of their own, of different content, from NuGet's cache.
const [small, other] = ['grpc.core.api', 'microsoft.identitymodel.abstractions'].map((id) => newest(join(packages, id)));
const skip = !existsSync(known) || !small || !other ? 'the package registry served no ahead-of-time compiler' : false;

function newest(folder) {
  if (!existsSync(folder)) return undefined;
  const candidates = readdirSync(folder, { recursive: true }).filter((f) => /lib.(net10\.0|net8\.0|netstandard2\.1)..*\.dll$/.test(f)).sort();
  return candidates.length > 0 ? join(folder, candidates.at(-1)) : undefined;
}

function workshop(t) {
  const folder = mkdtempSync(join(tmpdir(), 'jafer-ready-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'state', 'ready'), { recursive: true });
  mkdirSync(join(folder, 'state', 'logs'));
  copyFileSync(known, join(folder, 'state', 'ready', 'compiler.json'));
  for (const program of ['One', 'Two']) {
    mkdirSync(join(folder, 'artifacts', 'bin', program, 'release'), { recursive: true });
    cpSync(small, join(folder, 'artifacts', 'bin', program, 'release', 'Small.dll'), { preserveTimestamps: true });
    writeFileSync(join(folder, 'artifacts', 'bin', program, 'release', 'appsettings.json'), '{}');
  }
  return {
    built: (program, file) => join(folder, 'artifacts', 'bin', program, 'release', file),
    ready: (program, file) => join(folder, 'artifacts', 'ready', program, 'release', file),
    images: () => readdirSync(join(folder, 'state', 'ready', 'images')),
    run: () => execFileSync('node', [join(root, 'eng', 'ready.mjs'), 'Release', 'One', 'Two'], {
      encoding: 'utf8', env: { ...process.env, JAFER_ROOT: folder, JAFER_STATE: join(folder, 'state') },
    }).trim(),
  };
}

const isCompiled = (path) => readFileSync(path).includes('RTR\0'); // the header of a ReadyToRun image begins so

test('Ready_TwoProgramsWithOneAssembly_CompilesItOnceAndLeavesTheBuiltOnes', { skip }, (t) => {
  const { built, ready, images, run } = workshop(t);

  assert.equal(run(), '1 of 1 assemblies');

  assert.ok(isCompiled(ready('One', 'Small.dll')));
  assert.ok(!isCompiled(built('One', 'Small.dll')));
  assert.equal(statSync(ready('One', 'Small.dll')).ino, statSync(ready('Two', 'Small.dll')).ino);
  assert.equal(readFileSync(ready('Two', 'appsettings.json'), 'utf8'), '{}');
  assert.equal(images().length, 1);
});

test('Ready_NothingChanged_TouchesNothing', { skip }, (t) => {
  const { ready, run } = workshop(t);
  run();
  const before = ['Small.dll', 'appsettings.json'].map((file) => statSync(ready('One', file)));

  assert.equal(run(), 'nothing new');

  assert.deepEqual(['Small.dll', 'appsettings.json'].map((file) => statSync(ready('One', file))).map((s) => [s.ino, s.mtimeMs]), before.map((s) => [s.ino, s.mtimeMs]));
});

test('Ready_ChangedAssembly_LeavesARunningProgramWhatItHasOpenAndForgetsTheOldImage', { skip }, (t) => {
  const { built, ready, images, run } = workshop(t);
  run();
  const open = openSync(ready('One', 'Small.dll'));
  const [first, before] = [images(), readFileSync(ready('One', 'Small.dll'))];
  for (const program of ['One', 'Two']) copyFileSync(other, built(program, 'Small.dll'));
  writeFileSync(built('Two', 'appsettings.json'), '{"changed":true}');
  rmSync(built('One', 'appsettings.json'));

  assert.equal(run(), '1 of 1 assemblies');

  assert.ok(readFileSync(open).equals(before));
  assert.ok(!readFileSync(ready('One', 'Small.dll')).equals(before));
  assert.equal(images().length, 1);
  assert.notDeepEqual(images(), first);
  assert.equal(readFileSync(ready('Two', 'appsettings.json'), 'utf8'), '{"changed":true}');
  assert.ok(!existsSync(ready('One', 'appsettings.json')));
});

test('Ready_AssemblyThatCannotBeCompiled_IsTakenAsItIs', { skip }, (t) => {
  const { built, ready, run } = workshop(t);
  writeFileSync(built('One', 'Broken.dll'), 'no assembly');

  assert.equal(run(), '1 of 2 assemblies (the others: .jafer/logs/ready.log)');

  assert.equal(readFileSync(ready('One', 'Broken.dll'), 'utf8'), 'no assembly');
  appendFileSync(ready('One', 'Broken.dll'), ', changed'); // a copy, not the built file under a second name
  assert.equal(readFileSync(built('One', 'Broken.dll'), 'utf8'), 'no assembly');
});
