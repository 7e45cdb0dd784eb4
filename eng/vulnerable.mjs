// ./jafer vulnerable   known vulnerabilities of what Jafer is made of, as far as the package sources answer
//
// Exit status: 0 none is known, 1 some are, 3 a source did not answer: then nothing is known of its packages.
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const run = (command, args) => spawnSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20, timeout: 300_000, env: { ...process.env, NPM_CONFIG_AUDIT: 'true' } });
let status = 0;
const found = (line) => {
  console.log(line);
  status = 1;
};
const silent = (source, why) => {
  console.log(`${source}: the source does not answer (${why}); nothing is known of its packages`);
  if (status === 0) status = 3;
};

const nuget = run('dotnet', ['list', join(root, 'Jafer.sln'), 'package', '--vulnerable', '--include-transitive', '--format', 'json']);
let report;
try {
  report = JSON.parse(nuget.stdout.slice(nuget.stdout.indexOf('{')));
} catch {
  report = undefined;
}
// "No vulnerable packages" is also said of a source that serves no advisories: the command does not tell the two apart.
async function servesAdvisories(source) {
  try {
    const { resources } = await (await fetch(source, { signal: AbortSignal.timeout(30_000) })).json();
    const index = resources.find((r) => [r['@type']].flat().some((t) => t.startsWith('VulnerabilityInfo/')));
    return index !== undefined && (await fetch(index['@id'], { signal: AbortSignal.timeout(30_000) })).ok;
  } catch {
    return false;
  }
}
const advised = report && (await Promise.all((report.sources ?? []).filter((s) => s.startsWith('http')).map(servesAdvisories))).includes(true);
if (!advised) {
  silent('NuGet', report ? 'it serves no advisories' : `dotnet list package ended with ${nuget.status}`);
} else {
  const packages = new Map();
  for (const { frameworks = [] } of report.projects ?? []) {
    for (const p of frameworks.flatMap((f) => [...(f.topLevelPackages ?? []), ...(f.transitivePackages ?? [])])) packages.set(`${p.id} ${p.resolvedVersion}`, p.vulnerabilities ?? []);
  }
  const bad = [...packages].filter(([, v]) => v.length > 0);
  for (const [name, vulnerabilities] of bad) for (const v of vulnerabilities) found(`NuGet: ${name}: ${v.severity} ${v.advisoryurl ?? v.advisoryUrl ?? ''}`);
  if (bad.length === 0) console.log('NuGet: no package with a known vulnerability');
}

const npm = run('npm', ['audit', '--json', '--package-lock-only']);
let audit;
try {
  audit = JSON.parse(npm.stdout);
} catch {
  audit = undefined;
}
if (!audit?.metadata?.vulnerabilities) {
  silent('npm', audit?.error?.code ?? audit?.message?.split(' - ')[0] ?? `npm audit ended with ${npm.status}`);
} else {
  const bad = Object.values(audit.vulnerabilities ?? {});
  for (const v of bad) found(`npm: ${v.name} ${v.range}: ${v.severity} ${v.via.map((x) => x.url).filter(Boolean).join(' ')}`);
  if (bad.length === 0) console.log('npm: no package with a known vulnerability');
}
process.exit(status);
