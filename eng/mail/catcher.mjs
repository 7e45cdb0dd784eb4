// The mail catcher of development: every mail that Jafer sends ends here and is read in a browser; none leaves.
//
// Environment: SMTP_PORT and PORT (web page and HTTP API; 0 or absent = any free one),
// JAFER_MAIL (folder of the caught mails, default .jafer/mail of this checkout; the newest 500 are kept).
// Health: GET /api/healthz answers 200. The mails as JSON: GET /api/email (no mail is ever logged).
import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createLogger, createOrchestrator, getDefaultConfig } from 'maildev';

if (process.env.NODE_ENV === 'production') {
  console.error('mail: the catcher does not start in production: configure an SMTP server instead');
  process.exit(1);
}

const folder = process.env.JAFER_MAIL ?? join(resolve(import.meta.dirname, '..', '..'), '.jafer', 'mail');
// The parents keep the usual mode: other servers' users pass through the state folder.
mkdirSync(dirname(folder), { recursive: true });
mkdirSync(folder, { recursive: true, mode: 0o700 });

// Built here rather than from the command line: configuration files and variables of the machine cannot add a relay.
const catcher = createOrchestrator({
  logger: createLogger({ silent: true }),
  config: {
    ...getDefaultConfig(),
    smtp: Number(process.env.SMTP_PORT ?? 0),
    ip: '127.0.0.1',
    web: Number(process.env.PORT ?? 0),
    webIp: '127.0.0.1',
    mailDirectory: folder,
    maxEmails: 500,
    maxMessageSize: 5 * 1024 * 1024,
  },
});

try {
  const { api, smtp } = await catcher.start();
  // Before it says that it is ready: whoever reads that may stop it at once.
  const stop = () => {
    // A browser left open holds its connection; two seconds of courtesy are enough.
    setTimeout(() => process.exit(0), 2000).unref();
    catcher.stop().finally(() => process.exit(0));
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop);
  // Whoever keeps its input open is its owner: killed, it takes the catcher along.
  if (process.env.JAFER_MAIL_OWNED === 'true') process.stdin.once('end', stop).resume();
  console.log(`mail: ready, smtp 127.0.0.1:${smtp.getAddress().port}, page http://127.0.0.1:${api.getAddress().port}/`);
} catch (error) {
  console.error(`mail: ${error.message}`);
  process.exit(1);
}
