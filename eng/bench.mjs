// What ./jafer bench needs besides bash: resident memory of the services, and the table.
//   node eng/bench.mjs startup MILLISECONDS    prints the entry for start-up
//   node eng/bench.mjs memory NAME             prints an entry for each service's memory, called NAME
//   node eng/bench.mjs table OUT PARTS_FOLDER [NAME…]  joins the parts into OUT and prints them as a table
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const startupGoal = 15; // seconds
const memoryGoal = 150; // MiB

const [action, ...args] = process.argv.slice(2);
if (action === 'startup') console.log(JSON.stringify(startup(Number(args[0])), null, 2));
else if (action === 'memory') console.log(JSON.stringify(memory(args[0]), null, 2));
else if (action === 'table') table(...args);
else throw new Error(`unknown action ${action}`);

function startup(milliseconds) {
  const seconds = milliseconds / 1000;
  return [{ name: 'startup', unit: 's', value: seconds, floor: null, ratio: null, goal: startupGoal, met: seconds <= startupGoal }];
}

/** The largest resident set of each service's replicas. */
function memory(name) {
  const processes = execFileSync('ps', ['-eo', 'pid=,rss=,args='], { encoding: 'utf8', maxBuffer: 1e8 })
    .split('\n').map((line) => line.trim().match(/^(\d+)\s+(\d+)\s+(.*)$/)).filter(Boolean);
  const largest = new Map();
  for (const [, pid, kibibytes, command] of processes) {
    // A service is `dotnet …/Jafer.X.dll` of this checkout; what migrates or loads data has ended by now.
    const service = command.match(/^(?:\S*dotnet )?(\S*\/Jafer\.[A-Za-z]+)(?:\.dll)?(?:\s|$)/)?.[1];
    if (service?.startsWith(`${process.env.JAFER_ROOT}/`) && ofThisRun(pid))
      largest.set(basename(service), Math.max(largest.get(basename(service)) ?? 0, Number(kibibytes) / 1024));
  }
  return [...largest].sort().map(([service, value]) => (
    { name: `${name} ${service}`, unit: 'MiB', value, floor: null, ratio: null, goal: memoryGoal, met: value <= memoryGoal }));
}

/** Whether a process was started for the data folder of this benchmark (where the system tells), not by a run beside it. */
function ofThisRun(pid) {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`JAFER_DATA=${process.env.JAFER_DATA}`);
  } catch {
    return process.platform !== 'linux';
  }
}

function table(out, folder, ...names) {
  const entries = readdirSync(folder).sort().flatMap((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')))
    .filter(({ name }) => names.length === 0 || !/^(startup|memory)/.test(name) || names.some((wanted) => name.startsWith(wanted)));
  writeFileSync(out, `${JSON.stringify(entries, null, 2)}\n`);
  const number = (value) => (typeof value !== 'number' ? String(value ?? '') : value.toPrecision(3).includes('e') ? value.toFixed(0) : value.toPrecision(3));
  const rows = [['benchmark', 'value', 'floor', 'ratio', 'goal', 'met'],
    ...entries.map((e) => [e.name, `${number(e.value)} ${e.unit ?? ''}`.trim(), number(e.floor), number(e.ratio), number(e.goal), e.met ? 'yes' : 'NO'])];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows) console.log(row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join('  '));
}
