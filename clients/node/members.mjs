// The rights of an organisation, in Node.js: a court's first manager invites, a reader is refused a write, a program signs its own tokens.
//
//   node clients/node/members.mjs      alone
//
// Same environment as journey.mjs, whose connection it uses; the persons' tokens come from the development issuer.
import { createPrivateKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { join } from 'node:path';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { as, claims, refused, tokenOf } from './callers.mjs';
import { connect, date, directory, mesures, report, run } from './journey.mjs';

const root = join(import.meta.dirname, '..', '..');
const { jafer } = grpc.loadPackageDefinition(loadSync(['member', 'credential', 'delegation'].map((name) => `jafer/directory/v1/${name}_service.proto`),
  { includeDirs: [join(root, 'protos')], keepCase: true, enums: String, longs: Number, defaults: true }));
const [members, credentials, delegations] = ['Member', 'Credential', 'Delegation'].map((name) => connect('directory', jafer.directory.v1[`${name}Service`]));

// A court of its own, so that the other programs' persons stay let in. Persons of one run are strangers to those of another.
const court = 'tj38185', others = randomUUID().slice(0, 8);
const tokenOfPerson = (person) => tokenOf('juridiction', court, '--person', person);

async function joins(by, person, rank, organisation_id) {
  const { code } = await as(by, members, 'InviteMember', { organisation_id, display_name: 'Personne fictive', rank: `MEMBER_RANK_${rank}`, request_id: randomUUID() });
  const { member } = await as(person, members, 'AcceptInvitation', { code, request_id: randomUUID() });
  return member;
}

// --- What a program's own token is made of: an id, the id of its key, ten minutes at most. Nothing else in it is read.
function selfSigned(key, { credential_id, keys: [{ key_id }] }) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const text = `${part({ alg: 'ES256', typ: 'JWT', kid: key_id })}.${part({ iss: 'jafer-credential', sub: credential_id, aud: 'jafer', iat: now, exp: now + 300 })}`;
  return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

async function rights() {
  const [chief, reader, stranger] = ['directrice', `lecture-${others}`, `inconnu-${others}`].map(tokenOfPerson);
  const organisation_id = claims(chief).organisation;

  // --- The first member is a manager: any person of the court may begin. Run again, they are the manager already.
  const { members: [known] } = await as(chief, members, 'ListMembers', { organisation_id });
  if (!known) await joins(chief, chief, 'MANAGER', organisation_id);
  const member = await joins(chief, reader, 'READER', organisation_id);
  report(`a manager has invited a reader, who accepted: ${member.subject}`);

  await as(reader, mesures, 'ListMesures', { page_size: 1 });
  await refused('RANK_INSUFFICIENT', reader, mesures, 'CreateMesure', { request_id: randomUUID() });
  await refused('MEMBER_UNKNOWN', stranger, mesures, 'ListMesures', { page_size: 1 });
  const { members: all } = await as(chief, members, 'ListMembers', { organisation_id });
  const manager = all.find(({ subject }) => subject === claims(chief).sub);
  await refused('LAST_MANAGER', chief, members, 'RemoveMember', { member_id: manager.member_id, request_id: randomUUID() });

  // --- Two days in which the reader stands in for the manager; the journal names the manager then.
  const { delegation } = await as(chief, delegations, 'CreateDelegation', { organisation_id, from_member_id: manager.member_id, to_member_id: member.member_id,
    start_date: date(0), end_date: date(1), request_id: randomUUID() });
  await as(reader, members, 'UpdateMember', { member_id: member.member_id, display_name: 'Remplaçante fictive', request_id: randomUUID() });
  await as(chief, delegations, 'EndDelegation', { delegation_id: delegation.delegation_id, request_id: randomUUID() });
  report('the reader stood in for the manager until the delegation was ended');

  // --- A program: its public key is registered, and it needs no issuer and no secret of Jafer's.
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const { credential } = await as(chief, credentials, 'CreateCredential', { organisation_id, display_name: 'Logiciel fictif', rank: 'MEMBER_RANK_READER',
    public_key_jwk: JSON.stringify(publicKey.export({ format: 'jwk' })), request_id: randomUUID() });
  await as(selfSigned(key, credential), mesures, 'ListMesures', { page_size: 1 });
  await refused('RANK_INSUFFICIENT', selfSigned(key, credential), mesures, 'CreateMesure', { request_id: randomUUID() });
  report(`a program reads by tokens that it signs itself, until ${credential.expire_date.day}/${credential.expire_date.month}/${credential.expire_date.year}`);
  await as(chief, credentials, 'RevokeCredential', { credential_id: credential.credential_id, request_id: randomUUID() });

  // Where it was known it ends within a minute; the directory has not seen it yet.
  await refused('TOKEN_INVALID', selfSigned(key, credential), directory, 'ListCourts', { page_size: 1 });
  await as(chief, members, 'RemoveMember', { member_id: member.member_id, request_id: randomUUID() });
}
run(rights);
