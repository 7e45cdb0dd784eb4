// node --test eng/mail: the mail catcher as Jafer and a reader of mails meet it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

const start = (environment) => spawn(process.execPath, [join(import.meta.dirname, 'catcher.mjs')],
  { env: { ...process.env, NODE_ENV: '', PORT: '0', SMTP_PORT: '0', ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });

test('Catcher_MailSent_IsShownAndKeptAndTheProcessStopsOnTerm', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'jafer-mail-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const child = start({ JAFER_MAIL: folder });
  t.after(() => child.kill('SIGKILL'));
  let smtp, page;
  for await (const line of createInterface({ input: child.stdout }))
    if (([, smtp, page] = /smtp 127\.0\.0\.1:(\d+), page (http:\S+)\//.exec(line) ?? []) && page) break;

  assert.equal((await fetch(`${page}/api/healthz`)).status, 200);
  await send(Number(smtp), 'Subject: Une mesure vous attend\r\n\r\nSans contenu.');
  const [mail, ...others] = await (await fetch(`${page}/api/email`)).json();
  assert.equal(mail.subject, 'Une mesure vous attend');
  assert.equal(others.length, 0);

  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  assert.deepEqual(await exit, [0, null]);
});

test('Catcher_InProduction_RefusesToStart', async () => {
  const [code] = await once(start({ NODE_ENV: 'production' }), 'exit');
  assert.equal(code, 1);
});

/** One mail by SMTP, each command sent once the one before is answered. */
async function send(port, text) {
  const socket = connect(port, '127.0.0.1');
  const replies = createInterface({ input: socket })[Symbol.asyncIterator]();
  for (const [command, code] of [[null, '220'], ['HELO jafer', '250'], ['MAIL FROM:<jafer@jafer.test>', '250'],
    ['RCPT TO:<accueil@espace.test>', '250'], ['DATA', '354'], [`${text}\r\n.`, '250'], ['QUIT', '221']]) {
    if (command !== null) socket.write(`${command}\r\n`);
    const { value } = await replies.next();
    assert.equal(value.slice(0, 3), code, `${command}: ${value}`);
  }
  socket.destroy();
}
