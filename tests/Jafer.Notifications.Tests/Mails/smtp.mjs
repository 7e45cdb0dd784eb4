// A mail server that misbehaves as a test wants it: node smtp.mjs, then what it should do by POST /rules, what it saw by GET /seen, to how many by GET /people.
//
// Environment: SMTP_PORT and PORT (0 or absent = any free one); SMTP_KEY and SMTP_CERT, PEM files, for STARTTLS, or with SMTP_SECURE=1
// for TLS from the first byte; SMTP_USER and SMTP_PASSWORD, who must authenticate. It ends with its input.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { SMTPServer } from 'smtp-server';

const env = process.env;
const none = { banner: 0, sender: 0, everybody: 0, refuse: {}, greylist: {}, data: {}, delay: 0, silent: false };
let rules = { ...none };
let [connections, open, most] = [0, 0, 0];
const recipients = []; // every RCPT: address and answer
const mails = []; // every DATA: address, answer, and the mail as it came

const no = (code, text = 'No') => Object.assign(new Error(text), { responseCode: code });
const later = (done, error) => (rules.silent ? undefined : setTimeout(() => (error ? done(error) : done()), rules.delay));

/** The answer by a rule of an address: a code for good, or so often. */
function answerOf(table, address) {
  const rule = table[address] ?? table['*'];
  if (!rule) return 0;
  if (typeof rule === 'number') return rule;
  if (rule.times <= 0) return 0;
  rule.times -= 1;
  return rule.code;
}

const smtp = new SMTPServer({
  authOptional: !env.SMTP_USER,
  hideSTARTTLS: !env.SMTP_KEY,
  secure: env.SMTP_SECURE === '1',
  hideDSN: false,
  ...(env.SMTP_KEY ? { key: readFileSync(env.SMTP_KEY), cert: readFileSync(env.SMTP_CERT) } : {}),
  onAuth: ({ username, password }, _, done) => (username === env.SMTP_USER && password === env.SMTP_PASSWORD ? done(null, { user: username }) : done(no(535))),
  onConnect(_, done) {
    connections += 1;
    open += 1;
    most = Math.max(most, open);
    later(done, rules.banner ? no(rules.banner) : null);
  },
  onClose() { open -= 1; },
  onMailFrom: (_, __, done) => later(done, rules.sender ? no(rules.sender) : null),
  onRcptTo({ address }, _, done) {
    const code = rules.everybody || rules.refuse[address] || answerOf(rules.greylist, address);
    recipients.push({ address, code: code || 250, at: Date.now() });
    later(done, code ? no(code, `<${address}> is not for us`) : null);
  },
  onData(stream, session, done) {
    const chunks = [];
    stream.on('data', (chunk) => chunks.push(chunk)).on('error', done).on('end', () => {
      const [{ address }] = session.envelope.rcptTo;
      const code = answerOf(rules.data, address);
      mails.push({ address, code: code || 250, raw: Buffer.concat(chunks).toString('base64'), secure: session.secure, user: session.user ?? '', from: session.envelope.mailFrom.address, envelopeId: session.envelope.dsn?.envid ?? '', notify: session.envelope.rcptTo[0].dsn?.notify ?? [], recipients: session.envelope.rcptTo.length });
      later(done, code ? no(code) : null);
    });
  },
  logger: false,
});
smtp.on('error', () => {});

const web = createServer(async (request, response) => {
  if (request.method === 'POST') {
    let body = '';
    for await (const chunk of request) body += chunk;
    rules = { ...none, ...JSON.parse(body) };
    most = open;
  }
  if (request.url === '/people') return response.end(String(new Set(mails.map(({ address }) => address)).size));
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ connections, most, recipients, mails }));
});

const listening = (server, port) => new Promise((ready) => { server.listen(Number(port ?? 0), '127.0.0.1', ready); });
await Promise.all([listening(smtp, env.SMTP_PORT), listening(web, env.PORT)]);
process.stdin.once('end', () => process.exit(0)).resume();
console.log(`mail: ready, smtp 127.0.0.1:${smtp.server.address().port}, page http://127.0.0.1:${web.address().port}/`);
