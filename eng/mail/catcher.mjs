// The mail catcher of development: every mail that Jafer sends ends here and is read in a browser; none leaves.
//
// Environment: SMTP_PORT and PORT (web page and HTTP API; 0 or absent = any free one),
// JAFER_MAIL (folder of the caught mails, default .jafer/mail of this checkout; the newest 500 are kept).
// Health: GET /api/healthz answers 200. The mails as JSON, oldest first: GET /api/email (no mail is ever logged).
//
// The libraries of nodemailer and one page of our own: a whole mail application took longer to start than a service.
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join, resolve } from 'node:path';
import { SMTPServer } from 'smtp-server';

const KEPT = 500;
const LARGEST = 5 * 1024 * 1024;

if (process.env.NODE_ENV === 'production') {
  console.error('mail: the catcher does not start in production: configure an SMTP server instead');
  process.exit(1);
}

const folder = process.env.JAFER_MAIL ?? join(resolve(import.meta.dirname, '..', '..'), '.jafer', 'mail');
// The parents keep the usual mode: other servers' users pass through the state folder.
mkdirSync(dirname(folder), { recursive: true });
mkdirSync(folder, { recursive: true, mode: 0o700 });

/** Names of the caught mails, oldest first. Each is a file NAME.eml. */
const names = readdirSync(folder).filter((file) => file.endsWith('.eml'))
  .map((file) => ({ name: file.slice(0, -4), time: statSync(join(folder, file)).mtimeMs }))
  .sort((a, b) => a.time - b.time).map(({ name }) => name);
const parsed = new Map();
let last = 0;

/** On disk before the sender is told that it is taken. */
function keep(raw) {
  last = Math.max(Date.now(), last + 1);
  const name = last.toString(36).padStart(9, '0');
  writeFileSync(join(folder, `${name}.new`), raw, { mode: 0o600 });
  renameSync(join(folder, `${name}.new`), join(folder, `${name}.eml`));
  names.push(name);
  for (const old of names.splice(0, Math.max(0, names.length - KEPT))) {
    parsed.delete(old);
    rmSync(join(folder, `${old}.eml`), { force: true });
  }
}

async function read(name) {
  if (!parsed.has(name)) {
    const { simpleParser } = await import('mailparser');
    const mail = await simpleParser(readFileSync(join(folder, `${name}.eml`)));
    const addresses = (field) => [field ?? []].flat().flatMap((f) => f.value ?? []).map(({ name: of, address }) => ({ name: of, address }));
    parsed.set(name, {
      id: name, time: mail.date ?? null, subject: mail.subject ?? '', from: addresses(mail.from), to: addresses(mail.to), cc: addresses(mail.cc),
      text: mail.text ?? '', html: mail.html || null,
      headers: Object.fromEntries(mail.headerLines.map(({ key, line }) => [key, line.slice(line.indexOf(':') + 1).trim()])),
    });
  }
  return parsed.get(name);
}

const smtp = new SMTPServer({
  // Whoever offers a name and a password is let in, as by a server that trusts its network.
  authOptional: true,
  onAuth: (auth, _, done) => done(null, { user: auth.username }),
  size: LARGEST,
  logger: false,
  onData(stream, _, done) {
    const chunks = [];
    stream.on('data', (chunk) => chunks.push(chunk)).on('error', done).on('end', () => {
      if (stream.sizeExceeded) return done(Object.assign(new Error('Message is too large'), { responseCode: 552 }));
      try {
        keep(Buffer.concat(chunks));
        done();
      } catch {
        done(Object.assign(new Error('The mail could not be kept'), { responseCode: 451 }));
      }
    });
  },
});
// A client that goes away without a word is no fault of the catcher.
smtp.on('error', () => {});

const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const people = (list) => escape(list.map(({ name, address }) => (name ? `${name} <${address}>` : address)).join(', '));
const page = (title, body) => `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escape(title)}</title><style>
body{font:16px/1.5 system-ui,sans-serif;color:#1b1b1b;background:#fff;max-width:70rem;margin:1rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #8a8a8a}
a{color:#0b4f9e}dt{font-weight:600}dd{margin:0 0 .4rem}pre{white-space:pre-wrap;background:#f4f4f4;padding:1rem}
iframe{width:100%;height:30rem;border:1px solid #8a8a8a}</style><main>${body}</main></html>`;

const list = async () => page('Mails', `<h1>Mails</h1><p>Caught in development; none has left this machine. <a href="/">Read again</a></p>
<table><thead><tr><th scope="col">Date</th><th scope="col">To</th><th scope="col">Subject</th></tr></thead><tbody>${
  (await Promise.all(names.toReversed().map(read))).map((mail) => `<tr><td>${mail.time?.toISOString() ?? ''}</td><td>${
    people(mail.to)}</td><td><a href="/email/${mail.id}">${escape(mail.subject || '(no subject)')}</a></td></tr>`).join('')}</tbody></table>`);

const one = (mail) => page(mail.subject, `<p><a href="/">All mails</a></p><h1>${escape(mail.subject || '(no subject)')}</h1>
<dl><dt>From</dt><dd>${people(mail.from)}</dd><dt>To</dt><dd>${people(mail.to)}</dd><dt>Date</dt><dd>${mail.time?.toISOString() ?? ''}</dd></dl>
${mail.html ? `<iframe title="The mail as HTML" sandbox src="/email/${mail.id}/html"></iframe>` : ''}<h2>Text</h2><pre>${escape(mail.text)}</pre>
<p><a href="/email/${mail.id}/source">Source</a></p>`);

// What a mail brings along does nothing: no script, no form, nothing fetched.
const HARMLESS = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:";
const OWN = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'";

async function answer({ method, url }) {
  const { pathname } = new URL(url, 'http://localhost');
  if (method !== 'GET' && method !== 'HEAD') return [405, 'text/plain', 'only GET'];
  if (pathname === '/api/healthz') return [200, 'application/json', 'true'];
  if (pathname === '/api/email') return [200, 'application/json', JSON.stringify(await Promise.all(names.map(read)))];
  if (pathname === '/') return [200, 'text/html', await list()];
  const [, name, part] = /^\/email\/([0-9a-z]+)(?:\/(html|source))?$/.exec(pathname) ?? [];
  if (!names.includes(name)) return [404, 'text/plain', 'no such mail'];
  if (part === 'source') return [200, 'text/plain', readFileSync(join(folder, `${name}.eml`))];
  const mail = await read(name);
  return part === 'html' ? [200, 'text/html', mail.html ?? '', HARMLESS] : [200, 'text/html', one(mail)];
}

const web = createServer(async (request, response) => {
  let [status, type, body, policy] = [500, 'text/plain', 'the mail could not be read'];
  try {
    [status, type, body, policy] = await answer(request);
  } catch { /* said by the status; a mail's content is never logged */ }
  response.writeHead(status, { 'content-type': `${type}; charset=utf-8`, 'content-security-policy': policy ?? OWN, 'cache-control': 'no-store',
    'x-content-type-options': 'nosniff' });
  response.end(request.method === 'HEAD' ? undefined : body);
});

const listening = (server, port) => new Promise((ready, failed) => {
  server.once('error', failed);
  server.listen(Number(port ?? 0), '127.0.0.1', () => ready());
});

try {
  await Promise.all([listening(smtp, process.env.SMTP_PORT), listening(web, process.env.PORT)]);
  // Before it says that it is ready: whoever reads that may stop it at once. What is being received is received whole, for two seconds.
  const stop = () => {
    setTimeout(() => process.exit(0), 2000).unref();
    web.close();
    web.closeAllConnections();
    smtp.close(() => process.exit(0));
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop);
  // Whoever keeps its input open is its owner: killed, it takes the catcher along.
  if (process.env.JAFER_MAIL_OWNED === 'true') process.stdin.once('end', stop).resume();
  console.log(`mail: ready, smtp 127.0.0.1:${smtp.server.address().port}, page http://127.0.0.1:${web.address().port}/`);
} catch (error) {
  console.error(`mail: ${error.message}`);
  process.exit(1);
}
