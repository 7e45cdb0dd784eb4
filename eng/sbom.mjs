// ./jafer sbom [OUT.json] [--no-restore]   what Jafer is made of, as CycloneDX 1.6 JSON (default artifacts/sbom.json)
// ./jafer licences [--no-restore]          the licences of it, with their packages; fails on one that eng/licences.json does not accept
//
// NuGet's part is what restore resolved (project.assets.json), npm's what the lock file says; nothing is asked of a registry
// beyond the restore. Scope: required is what a service runs with, optional what the AppHost, the tools and the foreign clients
// need, excluded what only builds and tests.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const [command, ...rest] = process.argv.slice(2);
const options = rest.filter((a) => a.startsWith('-'));
const out = rest.find((a) => !a.startsWith('-')) ?? join(root, 'artifacts', 'sbom.json');
const unknown = options.filter((o) => o !== '--no-restore');
if (!['sbom', 'licences'].includes(command) || unknown.length > 0) {
  console.error(readFileSync(import.meta.filename, 'utf8').split('\n').slice(0, 2).map((l) => l.slice(3)).join('\n'));
  process.exit(2);
}

const scopes = ['excluded', 'optional', 'required'];
const components = new Map();
const edges = new Map();

function add(component, scope, needs = []) {
  const ref = component.purl;
  const known = components.get(ref);
  if (!known) components.set(ref, { type: 'library', 'bom-ref': ref, ...component, scope });
  else if (scopes.indexOf(scope) > scopes.indexOf(known.scope)) known.scope = scope;
  if (!edges.has(ref)) edges.set(ref, new Set());
  for (const need of needs) edges.get(ref).add(need);
}

const { accepted, 'accepted in tools and tests alone': acceptedInTools, 'read by a person, where a package names none': read } =
  JSON.parse(readFileSync(join(root, 'eng', 'licences.json'), 'utf8'));

function licences(name, expression) {
  expression = read[name] ?? expression;
  if (!expression) return [];
  return /^[\w.+-]+$/.test(expression) ? [{ license: { id: expression } }] : [{ expression }];
}

// NuGet.
function projects(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ['artifacts', 'node_modules', '.git', '.jafer'].includes(entry.name) ? [] : projects(path);
    return entry.name.endsWith('.csproj') ? [path] : [];
  });
}

// An expression, or the licence that an old package names by the address of its text.
function nuspecLicence(folders, path, files) {
  const nuspec = files.find((f) => f.endsWith('.nuspec'));
  const file = nuspec && folders.map((f) => join(f, path, nuspec)).find(existsSync);
  if (!file) return undefined;
  const xml = readFileSync(file, 'utf8');
  const expression = /<license type="expression"[^>]*>([^<]+)</.exec(xml)?.[1];
  if (expression) return expression.trim();
  const text = /<license type="file"[^>]*>([^<]+)</.exec(xml)?.[1];
  const body = text && existsSync(join(dirname(file), text)) ? readFileSync(join(dirname(file), text), 'utf8') : '';
  if (/Apache License\s+Version 2\.0/.test(body)) return 'Apache-2.0';
  if (/Permission is hereby granted, free of charge, to any person obtaining a copy/.test(body)) return 'MIT';
  if (/Redistribution and use in source and binary forms/.test(body)) return /(Neither the name|may be used to endorse)/.test(body) ? 'BSD-3-Clause' : 'BSD-2-Clause';
  const url = /<licenseUrl>([^<]+)</.exec(xml)?.[1] ?? '';
  if (/licenses\/LICENSE-2\.0|apache\.org/i.test(url)) return 'Apache-2.0';
  return /opensource\.org\/licenses\/MIT/i.test(url) ? 'MIT' : undefined;
}

const nuget = (name, version) => `pkg:nuget/${name}@${version}`;
const missing = [];
const all = projects(root);
if (!options.includes('--no-restore')) {
  execFileSync('dotnet', ['restore', join(root, 'Jafer.sln'), '-v', 'q', '-nologo'], { stdio: ['ignore', 'ignore', 'inherit'] });
}
for (const project of all) {
  const path = relative(root, project).split(sep).join('/');
  const assets = join(root, 'artifacts', 'obj', path.split('/').at(-1).replace(/\.csproj$/, ''), 'project.assets.json');
  if (!existsSync(assets)) {
    missing.push(path);
    continue;
  }

  const { targets, libraries, packageFolders } = JSON.parse(readFileSync(assets, 'utf8'));
  const scope = path.startsWith('services/') ? 'required' : path.startsWith('tests/') ? 'excluded' : 'optional';
  for (const target of Object.values(targets)) {
    const versions = new Map(Object.keys(target).map((key) => key.split('/')));
    for (const [key, resolved] of Object.entries(target).filter(([, r]) => r.type === 'package')) {
      const [name, version] = key.split('/');
      const { sha512, path: place, files } = libraries[key];
      // What has nothing that runs only builds.
      const runs = ['runtime', 'runtimeTargets', 'native'].some((kind) => Object.keys(resolved[kind] ?? {}).some((f) => !f.endsWith('/_._')));
      add(
        {
          name,
          version,
          purl: nuget(name, version),
          hashes: [{ alg: 'SHA-512', content: Buffer.from(sha512, 'base64').toString('hex') }],
    // What the public registry does not serve here is packed on this machine (eng/feed): its hash is not that of the author's package.
          ...(existsSync(join(root, '.jafer', 'feed', `${name}.${version}.nupkg`)) && { properties: [{ name: 'jafer:packed', value: 'here' }] }),
          licenses: licences(name, nuspecLicence(Object.keys(packageFolders), place, files)),
        },
        runs ? scope : 'excluded',
        Object.keys(resolved.dependencies ?? {}).filter((n) => versions.has(n) && target[`${n}/${versions.get(n)}`].type === 'package').map((n) => nuget(n, versions.get(n))),
      );
    }
  }
}
if (missing.length > 0) {
  console.error(`jafer: not restored, without --no-restore it would be: ${missing.join(', ')}`);
  process.exit(1);
}

// The frameworks of .NET, which no package brings.
for (const [, name, version] of execFileSync('dotnet', ['--list-runtimes'], { encoding: 'utf8' }).matchAll(/^(Microsoft\.(?:NETCore|AspNetCore)\.App) (\S+)/gm)) {
  if (version.startsWith('10.')) add({ type: 'framework', name, version, purl: `pkg:generic/${name}@${version}`, licenses: [{ license: { id: 'MIT' } }] }, 'required');
}

// npm: the lock file names packages of other platforms too; they are part of what an install may bring.
const npm = (name, version) => `pkg:npm/${name.replace('@', '%40')}@${version}`;
const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
const nameOf = (place) => place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
for (const [place, entry] of Object.entries(packages).filter(([p]) => p)) {
  const needs = Object.keys({ ...entry.dependencies, ...entry.optionalDependencies }).flatMap((need) => {
    // As Node.js looks for it: beside the package, then further up.
    for (let at = place; ; at = at.includes('/node_modules/') ? at.slice(0, at.lastIndexOf('/node_modules/')) : '') {
      const found = packages[`${at ? `${at}/` : ''}node_modules/${need}`];
      if (found) return [npm(need, found.version)];
      if (!at) return [];
    }
  });
  const hash = entry.integrity && /^sha512-(.+)$/.exec(entry.integrity)?.[1];
  add(
    {
      name: nameOf(place),
      version: entry.version,
      purl: npm(nameOf(place), entry.version),
      ...(hash && { hashes: [{ alg: 'SHA-512', content: Buffer.from(hash, 'base64').toString('hex') }] }),
      licenses: licences(nameOf(place), typeof entry.license === 'string' ? entry.license.replace(/^\((.*)\)$/, '$1') : undefined),
    },
    entry.dev ? 'excluded' : 'optional',
    needs,
  );
}

const list = [...components.values()].sort((a, b) => (a.purl < b.purl ? -1 : 1));
const licenceOf = (c) => c.licenses.map((l) => l.expression ?? l.license.id).join(' AND ');

if (command === 'licences') {
  const by = new Map();
  for (const c of list) {
    const licence = licenceOf(c) || 'none named';
    by.set(licence, [...(by.get(licence) ?? []), c]);
  }
  for (const [licence, of] of [...by].sort()) console.log(`${licence} (${of.length}): ${of.map((c) => `${c.name} ${c.version}`).join(', ')}`);
  const ok = (licence, more) => licence && licence.split(/ OR /).some((part) => part.replace(/[()]/g, '').split(/ AND /).every((id) => accepted.includes(id) || more.includes(id)));
  const bad = list.filter((c) => !ok(licenceOf(c), c.scope === 'required' ? [] : acceptedInTools));
  for (const c of bad) console.error(`jafer: not accepted by eng/licences.json: ${c.name} ${c.version}, ${licenceOf(c) || 'none named'} (${c.scope})`);
  process.exit(bad.length > 0 ? 1 : 0);
}

// The same commit and packages give the same file.
const git = (...args) => {
  try {
    return execFileSync('git', ['-C', root, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
};
const version = git('rev-parse', '--short=12', 'HEAD') || 'unknown';
const seconds = git('log', '-1', '--format=%ct');
const jafer = `pkg:generic/jafer@${version}`;
const needed = new Set([...edges.values()].flatMap((e) => [...e]));
const content = {
  metadata: {
    ...(seconds && { timestamp: new Date(seconds * 1000).toISOString() }),
    component: { type: 'application', 'bom-ref': jafer, name: 'jafer', version, purl: jafer },
  },
  components: list.map(({ licenses, ...c }) => (licenses.length > 0 ? { ...c, licenses } : c)),
  dependencies: [
    { ref: jafer, dependsOn: list.map((c) => c.purl).filter((p) => !needed.has(p)) },
    ...list.map((c) => ({ ref: c.purl, dependsOn: [...edges.get(c.purl)].sort() })),
  ],
};
const digest = createHash('sha256').update(JSON.stringify(content)).digest('hex');
const serial = `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-a${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
mkdirSync(dirname(resolve(out)), { recursive: true });
writeFileSync(
  out,
  `${JSON.stringify({ $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json', bomFormat: 'CycloneDX', specVersion: '1.6', serialNumber: `urn:uuid:${serial}`, version: 1, ...content }, null, 2)}\n`,
);
const count = (scope) => list.filter((c) => c.scope === scope).length;
console.log(`${relative(process.cwd(), out) || out}: ${list.length} components, ${count('required')} that services run with, ${count('optional')} of tools and clients, ${count('excluded')} that build and test`);
