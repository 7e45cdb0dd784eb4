// Why Jafer refused, in Node.js: the stable reason of every error and the fields or rules it names (docs/integrators.md, Errors).
// They stand in the trailer grpc-status-details-bin, a google.rpc.Status; grpc-js leaves it as bytes. Reading them takes no generated
// code: every part that matters is a length-delimited field.
import grpc from '@grpc/grpc-js';

function* fields(bytes) { // number and bytes of each length-delimited field
  let at = 0;
  const varint = () => {
    for (let value = 0, unit = 1; ; unit *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * unit;
      if (!(byte & 128)) return value;
    }
  };
  while (at < bytes.length) {
    const [tag, length] = [varint(), varint()]; // of a number there is no more than its value
    if (tag % 8 === 2) yield [tag >> 3, bytes.subarray(at, at += length)];
  }
}
const first = (bytes, number) => [...fields(bytes)].find(([n]) => n === number)?.[1] ?? Buffer.alloc(0);
const all = (bytes, number) => [...fields(bytes)].filter(([n]) => n === number).map(([, value]) => value);

/** The reason of an error, such as STATE_FORBIDS, and what it names: paths of wrong fields, codes of violated rules. */
export function reasonOf(error) {
  const status = error.metadata?.get('grpc-status-details-bin')[0];
  if (!status) return { reason: '', named: [] }; // the transport itself refused
  const details = Object.fromEntries(all(status, 3).map((any) => [first(any, 1).toString().split('.').at(-1), first(any, 2)]));
  const named = (detail) => all(details[detail] ?? Buffer.alloc(0), 1).map((violation) => first(violation, 1).toString());
  return { reason: first(details.ErrorInfo ?? Buffer.alloc(0), 1).toString(), named: [...named('BadRequest'), ...named('PreconditionFailure')] };
}

/** An error that says the method, the reason and what it names; a program acts on its reason, never on its text. */
export function refusal(method, error) {
  const { reason, named } = reasonOf(error);
  const told = `${method}: ${[reason || grpc.status[error.code], ...named].join(' ')}: ${error.details}`;
  return Object.assign(new Error(told, { cause: error }), { reason, named });
}
