// The scripts of eng/ themselves: run with `node --test eng/scripts.test.mjs`, or by ./jafer test.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

const root = resolve(import.meta.dirname, '..');
const run = (command, ...args) => spawnSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

test('Jafer_UnknownSubcommand_ListsTheKnownOnesAndFails', () => {
  const { status, stderr } = run('./jafer', 'nonsense');
  assert.equal(status, 2);
  assert.match(stderr, /no sub-command named nonsense/);
  for (const known of ['run', 'check', 'test', 'bench', 'token']) assert.match(stderr, new RegExp(`\\./jafer ${known}\\b`));
});

test('Jafer_EverySubcommandOfItsHelp_HasAFileThatRuns', () => {
  const names = [...run('./jafer', 'help').stdout.matchAll(/^ {2}\.\/jafer ([\w-]+)/gm)].map(([, name]) => name).filter((name) => name !== 'help');
  const files = new Map([...readFileSync(join(root, 'jafer'), 'utf8').matchAll(/^ {2}([\w |-]+)\) exec (?:node )?"\$eng\/([^"]+)"/gm)]
    .flatMap(([, commands, file]) => commands.split(' | ').map((command) => [command, file.replace('$command', command)])));
  assert.ok(names.length >= 8);
  assert.deepEqual([...files.keys()].sort(), [...names].sort());
  for (const file of new Set(files.values())) execFileSync(file.endsWith('.sh') ? 'bash' : 'node', [file.endsWith('.sh') ? '-n' : '--check', join(root, 'eng', file)]);
});

test('LockFile_AsCommitted_NamesNoRegistry', () => {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  assert.deepEqual(Object.entries(packages).filter(([, entry]) => entry.resolved).map(([name]) => name), []);
});

test('LockFile_AsCommitted_SuitsPackageJson', () => {
  const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const locked = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages[''];
  for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies']) {
    assert.deepEqual(locked[kind], own[kind], kind);
    for (const [name, version] of Object.entries(own[kind])) assert.match(version, /^\d+\.\d+\.\d+$/, `${name} is not pinned exactly`);
  }
});

test('Feed_FileThatIsNoBundle_IsRefusedWithItsName', () => {
  const folder = mkdtempSync(join(tmpdir(), 'jafer-feed-'));
  try {
    writeFileSync(join(folder, 'not-a-bundle'), 'x'.repeat(100));
    const { status, stderr } = run('dotnet', 'run', 'eng/feed/feed.cs', '--', join(folder, 'not-a-bundle'), join(folder, 'out'));
    assert.equal(status, 1);
    assert.match(stderr, /not-a-bundle: not a \.NET single-file bundle/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

for (const [name, log, served] of [
  ['UnknownVersion', 'error NU1102: Unable to find package Google.Protobuf with version (= 3.34.1)\n  - Found 15 version(s) in nuget.org', 'no'],
  ['UnknownSdk', 'error :   Unable to find package Aspire.AppHost.Sdk with version (= 13.5.2)\nerror MSB4236: The SDK could not be found.', 'no'],
  ['NoNetwork', 'error NU1301: Unable to load the service index for source https://registry.test/v3/index.json.', 'unknown'],
  ['NetworkGoneInTheMiddle', 'error NU1101: Unable to find package Grpc.\nerror NU1301: Failed to retrieve information.', 'unknown'],
  ['SomethingElse', 'error : No space left on device', 'unknown'],
])
  test(`Registry_${name}_IsToldFromOneThatCouldNotBeAsked`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'jafer-probe-'));
    try {
      writeFileSync(join(folder, 'log'), log);
      const { status, stderr } = run('bash', '-c', '. eng/env.sh && says_not_served "$1"', '-', join(folder, 'log'));
      assert.equal(status, served === 'no' ? 0 : 1, stderr);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

test('Journey_NothingAnswers_FailsAndSaysWhoseSoftwareDidNotComeToTheEnd', () => {
  const folder = mkdtempSync(join(tmpdir(), 'jafer-journey-'));
  try {
    const services = Object.fromEntries(['directory', 'mesure', 'messaging', 'notification'].map((name) => [name, { grpc: 'http://127.0.0.1:9' }]));
    writeFileSync(join(folder, 'endpoints.json'), JSON.stringify({ services, identity: { issuer: 'http://127.0.0.1:9' } }));
    const { status, stderr } = spawnSync('AppHost/scripts/journey.sh', { cwd: root, encoding: 'utf8', env: { ...process.env, JAFER_ENDPOINTS: join(folder, 'endpoints.json') } });
    assert.equal(status, 1, stderr);
    assert.match(stderr, /the journey failed: the court's software ended with [1-9]\d*, the espace's with [1-9]\d*/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('Servers_KilledAndStartedAgain_KeepPortAndPasswordAndAnswer', () => {
  const servers = (...args) => run('eng/servers.sh', ...args, '--instance', `self-${process.pid}`);
  try {
    const started = servers('start', 'postgres');
    assert.equal(started.status, 0, started.stderr);
    const before = servers('env').stdout;
    assert.match(before, /^export JAFER_TEST_POSTGRES='Host=127\.0\.0\.1;Port=\d+;Username=postgres;Password=[0-9a-f]{32};/m);
    assert.match(before, /^export JAFER_TEST_RABBITMQ='amqp:\/\/jafer:[0-9a-f]{32}@127\.0\.0\.1:\d+'$/m);

    assert.equal(servers('kill', 'postgres').status, 0);
    assert.match(servers('status', 'postgres').stdout, /postgres is stopped/);
    assert.equal(servers('start', 'postgres').status, 0);
    assert.match(servers('status', 'postgres').stdout, /postgres runs/);
    assert.equal(servers('env').stdout, before);
  } finally {
    servers('purge');
  }
});

test('Sbom_OfThisCheckout_KeepsTheSchemaAndTellsWhatRunsFromWhatBuilds', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'jafer-sbom-'));
  try {
    const file = join(folder, 'sbom.json');
    const { status, stderr } = run('./jafer', 'sbom', file);
    assert.equal(status, 0, stderr);
    const text = readFileSync(file, 'utf8');
    const { Spec, Validation } = await import('@cyclonedx/cyclonedx-library');
    assert.equal(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text), null);
    assert.notEqual(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text.replace('"CycloneDX"', '"Cyclone"')), null);

    const { components, dependencies } = JSON.parse(text);
    const scope = (name) => components.find((c) => c.name === name)?.scope;
    assert.deepEqual(
      ['Npgsql', 'MassTransit.RabbitMQ', '@grpc/grpc-js', 'System.CommandLine', 'Grpc.Tools', 'xunit.v3', 'playwright-core'].map(scope),
      ['required', 'required', 'optional', 'optional', 'excluded', 'excluded', 'excluded'],
    );
    const refs = new Set(components.map((c) => c['bom-ref']));
    assert.equal(refs.size, components.length);
    for (const { dependsOn } of dependencies) for (const ref of dependsOn) assert.ok(refs.has(ref), ref);
    for (const own of Object.keys(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).dependencies)) assert.ok(scope(own), own);

    // The same commit and packages give the same file.
    assert.equal(run('./jafer', 'sbom', file, '--no-restore').status, 0);
    assert.equal(readFileSync(file, 'utf8'), text);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('Licences_OfThisCheckout_AreAcceptedEachByName', () => {
  const { status, stdout, stderr } = run('./jafer', 'licences', '--no-restore');
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^MIT \(\d+\): /m);
  assert.doesNotMatch(stdout, /none named/);
});
