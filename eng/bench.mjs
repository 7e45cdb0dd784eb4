// What ./jafer bench needs besides bash: resident memory of the services, and the table.
//   node eng/bench.mjs whole START_MILLISECONDS APPHOST_PID   prints the entries for start-up and memory
//   node eng/bench.mjs table OUT PARTS_FOLDER [NAME…]         joins the parts into OUT and prints them as a table
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const startupGoal = 15; // seconds
const memoryGoal = 150; // MiB

const [action, ...args] = process.argv.slice(2);
if (action === 'whole') console.log(JSON.stringify(whole(Number(args[0]), Number(args[1])), null, 2));
else if (action === 'table') table(...args);
else throw new Error(`unknown action ${action}`);

/** Start-up in seconds, and the largest resident set of each service's processes among the AppHost's descendants. */
function whole(milliseconds, apphost) {
  const seconds = milliseconds / 1000;
  const entries = [{ name: 'startup', unit: 's', value: seconds, floor: startupGoal, ratio: seconds / startupGoal, goal: '≤ 1', met: seconds <= startupGoal }];
  const processes = execFileSync('ps', ['-eo', 'pid=,ppid=,rss=,args='], { encoding: 'utf8', maxBuffer: 1e8 })
    .split('\n').map((line) => line.trim().match(/^(\d+)\s+(\d+)\s+(\d+)\s+(.*)$/)).filter(Boolean)
    .map(([, pid, ppid, rss, command]) => ({ pid: +pid, ppid: +ppid, mebibytes: +rss / 1024, command }));
  const ours = new Set([apphost]);
  const root = process.env.JAFER_ROOT;
  for (const { pid, command } of processes)
    if (command.includes(`${root}/`)) ours.add(pid);
  const largest = new Map();
  for (const { pid, command, mebibytes } of processes) {
    // A service is `dotnet …/Jafer.X.dll` of this checkout; one that only migrates has ended long ago.
    const service = ours.has(pid) && command.match(/^\S*dotnet \S*\/(Jafer\.[A-Za-z]+)\.dll/)?.[1];
    if (service) largest.set(service, Math.max(largest.get(service) ?? 0, mebibytes));
  }
  for (const [service, value] of [...largest].sort())
    entries.push({ name: `memory ${service}`, unit: 'MiB', value, floor: memoryGoal, ratio: value / memoryGoal, goal: '≤ 1', met: value <= memoryGoal });
  return entries;
}

function table(out, folder, ...names) {
  const entries = readdirSync(folder).sort().flatMap((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')))
    .filter(({ name }) => names.length === 0 || names.some((wanted) => name.startsWith(wanted)));
  writeFileSync(out, `${JSON.stringify(entries, null, 2)}\n`);
  const number = (value) => (typeof value !== 'number' ? String(value ?? '') : value.toPrecision(3).includes('e') ? value.toFixed(0) : value.toPrecision(3));
  const rows = [['benchmark', 'value', 'floor', 'ratio', 'goal', 'met'],
    ...entries.map((e) => [e.name, `${number(e.value)} ${e.unit ?? ''}`.trim(), number(e.floor), number(e.ratio), String(e.goal), e.met ? 'yes' : 'NO'])];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows) console.log(row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join('  '));
}
