// A receiver of webhooks, in Node.js: it verifies each post, answers at once, drops what it has, and handles afterwards.
//
//   node clients/node/webhook-receiver.mjs                             alone: creates an endpoint, has a test event sent, deletes it
//   JAFER_WEBHOOK_SECRET=whsec_… node clients/node/webhook-receiver.mjs         receives until it is stopped
//
// Environment: PORT where it listens (default: any free one), JAFER_WEBHOOK_SECRET the secret of an endpoint that leads here
// (two with a space between while one replaces the other). Without a secret the environment of journey.mjs, whose connection it
// uses. What a real one does besides is in docs/webhooks.md.
import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';
import { Webhook } from 'standardwebhooks'; // any library of standardwebhooks.com does

const MOST = 16 * 1024; // a post of Jafer's is far smaller
const handled = new Set(); // a real one keeps the ids with its own data, in the transaction that handles the event

/** Whether a post is Jafer's: signed by one of the secrets, and not older than five minutes. Gives its content, or null. */
export function verify(body, headers, secrets) {
  for (const secret of secrets) {
    try { return new Webhook(secret).verify(body, headers); } catch { /* perhaps by the other */ }
  }
  return null;
}

/** Listens; tells each event once by `handle(event, id)`. The body is verified as it came: parsing and writing it again breaks it. */
export function receive(port, secrets, handle) {
  return new Promise((listening) => {
    const server = createServer(async (request, response) => {
      const answer = (status) => { response.writeHead(status).end(); };
      if (request.method !== 'POST') return answer(405);
      const chunks = [];
      let length = 0;
      for await (const chunk of request) {
        if ((length += chunk.length) > MOST) return answer(413);
        chunks.push(chunk);
      }
      const event = verify(Buffer.concat(chunks).toString('utf8'), request.headers, secrets());
      if (!event) return answer(401); // a failure: Jafer tries again, so that a secret mistaken for a moment loses nothing
      const id = request.headers['webhook-id'];
      if (handled.has(id)) return answer(204); // had it: Jafer did not hear the answer, or replays
      handled.add(id);
      answer(204); // within 15 seconds: what takes longer is done afterwards
      // For a transmission this answer is the proof that the espace has it: answer 2xx only once it is kept.
      handle(event, id);
    });
    server.listen(port, '127.0.0.1', () => listening(server));
  });
}

function report(event, id) {
  // No content, so nothing to protect: who needs more reads the mesure by GetMesure, with its own token.
  console.log(`webhook: ${id} ${event.type} of ${event.timestamp}: mesure ${event.data.mesureId ?? '-'}, event ${event.data.eventId}`);
}

// --- Alone: the whole life of an endpoint, by the connection of journey.mjs.
async function alone() {
  const { authenticate, call, connect, run } = await import('./journey.mjs');
  const { default: grpc } = await import('@grpc/grpc-js');
  const { loadSync } = await import('@grpc/proto-loader');
  const { join, resolve } = await import('node:path');
  await run(async () => {
    await authenticate();
    const { jafer } = grpc.loadPackageDefinition(loadSync('jafer/notification/v1/webhooks.proto',
      { includeDirs: [join(resolve(import.meta.dirname, '..', '..'), 'protos')], keepCase: true, enums: String, longs: Number, defaults: true }));
    const webhooks = connect('notification', jafer.notification.v1.WebhookService);
    let secrets = [];
    let arrived;
    const test = new Promise((resolved) => { arrived = resolved; });
    const server = await receive(Number(process.env.PORT ?? 0), () => secrets, (event, id) => { report(event, id); arrived(id); });
    const { endpoint: { endpoint_id }, secret } = await call(webhooks, 'CreateEndpoint', { request_id: randomUUID(), endpoint: {
      url: `http://127.0.0.1:${server.address().port}/`, types: ['mesure.mesure-acknowledged.v1'], contact_email: 'si@tribunal.example' } });
    secrets = [secret]; // shown once: a real one keeps it where it keeps its passwords
    const rotated = await call(webhooks, 'RotateSecret', { endpoint_id, request_id: randomUUID() });
    secrets = [rotated.secret, secret]; // for 24 hours either will do
    const { delivery_id } = await call(webhooks, 'SendTestEvent', { endpoint_id, request_id: randomUUID() });
    if (await test !== delivery_id) throw new Error('another delivery came');
    await call(webhooks, 'DeleteEndpoint', { endpoint_id, request_id: randomUUID() });
    server.close();
  });
}

if (process.argv[1].endsWith('webhook-receiver.mjs')) {
  if (process.env.JAFER_WEBHOOK_SECRET) {
    const server = await receive(Number(process.env.PORT ?? 0), () => process.env.JAFER_WEBHOOK_SECRET.split(' '), report);
    console.log(`webhook: listening on ${server.address().port}`);
  } else await alone();
}
