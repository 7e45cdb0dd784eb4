// Copies of the programs that ./jafer starts, compiled ahead of time (ReadyToRun), so that they start faster:
//   node eng/ready.mjs CONFIGURATION [PROJECT…]
// From artifacts/bin/PROJECT/CONFIGURATION to artifacts/ready/PROJECT/CONFIGURATION. Each assembly is compiled once, whichever
// programs use it (they share the file, and so its pages in memory), and kept by the hash of its content in .jafer/ready/images as long as the last build uses it. Compiler and
// framework are those that .jafer/ready/compiler.json names (written by set-up). Prints how many assemblies were compiled.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync, copyFileSync, existsSync, linkSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, utimesSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const root = process.env.JAFER_ROOT;
const state = process.env.JAFER_STATE;
const [configuration, ...projects] = process.argv.slice(2);
const outputs = join(root, 'artifacts', 'bin');
const copies = join(root, 'artifacts', 'ready');
const images = join(state, 'ready', 'images');
const log = join(state, 'logs', 'ready.log');
mkdirSync(images, { recursive: true });
rmSync(log, { force: true });

const compiler = findCompiler(JSON.parse(readFileSync(join(state, 'ready', 'compiler.json'), 'utf8')).Properties);
const flags = ['-O', '--targetos', compiler.os, '--targetarch', compiler.architecture];

// What there is: every file of every program; of those alike in name, size and time one is read.
const files = [];
const hashes = new Map();
for (const project of projects) {
  const folder = join(outputs, project, configuration.toLowerCase());
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.endsWith('.xml')) continue;
    const source = join(entry.parentPath, entry.name);
    const file = { source, target: join(copies, source.slice(outputs.length)), size: statSync(source).size, time: statSync(source).mtimeMs };
    if (entry.name.endsWith('.dll') && entry.parentPath === folder) file.image = imageOf(file);
    files.push(file);
  }
}

const missing = [...new Map(files.filter((f) => f.image && !existsSync(f.image)).map((f) => [f.image, f])).values()]
  .sort((a, b) => b.size - a.size); // the longest first, so that none is waited for alone
const refused = new Set();
let compiled = 0;
const workers = Array.from({ length: Math.min(missing.length, Math.max(2, availableParallelism() - 1)) }, async () => {
  for (let file; (file = missing.shift());) {
    compiled += 1;
    await compile(file);
  }
});
await Promise.all(workers);

const kept = new Set();
for (const file of files) {
  if (file.image && !refused.has(file.image)) put(file.image, file.target, linkSync);
  else put(file.source, file.target, copyFileSync);
  kept.add(file.target);
}
for (const project of projects) sweep(join(copies, project, configuration.toLowerCase()), (path) => !kept.has(path));
const used = new Set(files.map((f) => f.image));
sweep(images, (path) => !used.has(path));
console.log(compiled === 0 ? 'nothing new' : `${compiled - refused.size} of ${compiled} assemblies${refused.size > 0 ? ' (the others: .jafer/logs/ready.log)' : ''}`);

function findCompiler(known) {
  const package_ = `Microsoft.NETCore.App.Crossgen2.${known.NETCoreSdkPortableRuntimeIdentifier}`.toLowerCase();
  const tools = join(known.NuGetPackageRoot, package_, known.BundledNETCoreAppPackageVersion, 'tools');
  const [platform, architecture] = known.NETCoreSdkPortableRuntimeIdentifier.split('-');
  // The newest servicing release of the SDK's own version is what the programs will run on.
  const release = known.BundledNETCoreAppPackageVersion.split('.').slice(0, 2).join('.');
  const frameworks = ['Microsoft.NETCore.App', 'Microsoft.AspNetCore.App'].map((name) => {
    const folder = join(known.NetCoreRoot, 'shared', name);
    const versions = readdirSync(folder).filter((v) => v.startsWith(`${release}.`)).sort((a, b) => Number(a.split('.')[2]) - Number(b.split('.')[2]));
    return join(folder, versions.at(-1));
  });
  const native = ['crossgen2', 'crossgen2.exe'].map((name) => join(tools, name)).find(existsSync);
  return {
    command: native ? [native] : ['dotnet', join(tools, 'crossgen2.dll')],
    frameworks,
    os: { linux: 'linux', osx: 'osx', win: 'windows' }[platform],
    architecture,
    identity: [known.BundledNETCoreAppPackageVersion, known.NETCoreSdkPortableRuntimeIdentifier, ...frameworks].join(' '),
  };
}

/** Where the image of an assembly lies. An image stays right when assemblies that it refers to change: the runtime checks what it relies on. */
function imageOf({ source, size, time }) {
  const alike = `${basename(source)} ${size} ${time}`;
  if (!hashes.has(alike)) {
    const hash = createHash('sha256').update(`${compiler.identity} ${flags.join(' ')}\n`).update(readFileSync(source)).digest('hex');
    hashes.set(alike, join(images, `${basename(source, '.dll')}-${hash.slice(0, 32)}.dll`));
  }
  return hashes.get(alike);
}

async function compile({ source, image }) {
  const aside = `${image}.${process.pid}`;
  const references = [...compiler.frameworks, dirname(source)].flatMap((folder) => ['-r', join(folder, '*.dll')]);
  const [command, ...first] = compiler.command;
  try {
    await promisify(execFile)(command, [...first, source, '-o', aside, ...flags, ...references], { maxBuffer: 1 << 28 });
    renameSync(aside, image);
  } catch (e) {
    rmSync(aside, { force: true });
    appendFileSync(log, `${source}\n${e.stdout ?? ''}${e.stderr ?? ''}${e.message}\n`);
    // An assembly that its makers compiled already is as good as it can be.
    if (/already compiled/i.test(`${e.stdout}${e.stderr}`)) copyFileSync(source, image);
    else refused.add(image);
  }
}

/** Puts a file in its place by a new name for it: a program that runs keeps what it has loaded. */
function put(from, to, how) {
  const wanted = statSync(from);
  const there = statSync(to, { throwIfNoEntry: false });
  if (there && (there.ino === wanted.ino || (there.size === wanted.size && Math.abs(there.mtimeMs - wanted.mtimeMs) < 1))) return;
  const aside = `${to}.${process.pid}`;
  mkdirSync(dirname(to), { recursive: true });
  rmSync(aside, { force: true });
  how(from, aside);
  if (how === copyFileSync) utimesSync(aside, wanted.atime, wanted.mtime);
  renameSync(aside, to);
}

function sweep(folder, unwanted) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && unwanted(path)) rmSync(path, { force: true });
  }
}
