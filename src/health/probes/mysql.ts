/**
 * mysql: the server greets (handshake protocol 10) and then answers a login; without credentials,
 * so the answer may be that access is denied, which proves that it serves.
 *
 * The login is there although the greeting would do: MySQL and MariaDB count every connection that
 * breaks off in the handshake, and block the host after `max_connect_errors` of them (the lockout
 * that HAProxy's documentation warns of at `option mysql-check`). An account named `sluice` without
 * password and rights makes the login succeed and keeps "access denied" out of the server's log.
 */

import { quoted } from '../../secrets/quote.js';
import type { Probe, ProbeResult } from '../probe.js';
import { type Converse, MAX_PROBE_ANSWER_BYTES, type ProbeConnection } from './connection.js';
import { fullSuccess, ProbeFailed } from './failed.js';

const USER = 'sluice';
const PLUGIN = 'mysql_native_password';

const PROTOCOL_10 = 0x0a;
const OK = 0x00;
const MORE_DATA = 0x01;
const SWITCH = 0xfe;
const ERROR = 0xff;

/** CLIENT_LONG_PASSWORD, CLIENT_PROTOCOL_41, CLIENT_SECURE_CONNECTION, CLIENT_PLUGIN_AUTH. */
const CAPABILITIES = 0x1 | 0x200 | 0x8000 | 0x8_0000;
/** utf8mb4_general_ci */
const CHARACTER_SET = 45;
const MAX_PACKET_BYTES = 0xff_ffff;
const COM_QUIT = 0x01;
/** ER_SECURE_TRANSPORT_REQUIRED: serves, though not without TLS. */
const TLS_REQUIRED = 3159;

interface Packet {
  readonly sequence: number;
  readonly body: Buffer;
}

export const mysqlProbe = (converse: Converse): Probe => ({
  attempt: (target, signal) =>
    converse(target, signal, async (connection) => {
      const greeting = await readPacket(connection, 'the greeting');
      if (greeting.body[0] === ERROR) throw notReady(greeting.body);
      if (greeting.body[0] !== PROTOCOL_10) {
        throw new ProbeFailed('wrong-answer', `not MySQL: "${quoted(greeting.body)}"`);
      }
      await connection.write(packet(greeting.sequence + 1, loginPacket()));
      return logIn(connection, `version ${versionOf(greeting.body)}`);
    }),
});

async function logIn(connection: ProbeConnection, note: string): Promise<ProbeResult> {
  for (;;) {
    const { sequence, body } = await readPacket(connection, 'the answer to the login');
    switch (body[0]) {
      case OK:
        await connection.finish(packet(0, Buffer.of(COM_QUIT)));
        return fullSuccess(note);
      case SWITCH:
        // Another method: an empty packet is the answer of an account without password.
        await connection.write(packet(sequence + 1, Buffer.alloc(0)));
        break;
      case MORE_DATA:
        await connection.finish();
        return fullSuccess(note);
      case ERROR:
        if (!isAboutLogin(body)) throw notReady(body);
        await connection.finish();
        return fullSuccess(note);
      default:
        throw new ProbeFailed('wrong-answer', `no answer to a login: "${quoted(body)}"`);
    }
  }
}

/** MariaDB puts a version in front that old replication clients understand. */
function versionOf(greeting: Buffer): string {
  const version = greeting.toString('latin1', 1, greeting.indexOf(0, 1));
  return quoted(version.replace(/^5\.5\.5-(?=.*MariaDB)/, ''));
}

async function readPacket(connection: ProbeConnection, what: string): Promise<Packet> {
  const head = await connection.take(4, what);
  const length = head.readUIntLE(0, 3);
  if (length === 0 || length > MAX_PROBE_ANSWER_BYTES) {
    throw new ProbeFailed('wrong-answer', `not MySQL: "${quoted(head)}"`);
  }
  return { sequence: head.readUInt8(3), body: await connection.take(length, what) };
}

function packet(sequence: number, body: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUIntLE(body.length, 0, 3);
  head.writeUInt8(sequence & 0xff, 3);
  return Buffer.concat([head, body]);
}

/** HandshakeResponse41 with an empty answer to the challenge. */
function loginPacket(): Buffer {
  const fixed = Buffer.alloc(32);
  fixed.writeUInt32LE(CAPABILITIES, 0);
  fixed.writeUInt32LE(MAX_PACKET_BYTES, 4);
  fixed.writeUInt8(CHARACTER_SET, 8);
  return Buffer.concat([fixed, Buffer.from(`${USER}\0`), Buffer.of(0), Buffer.from(`${PLUGIN}\0`)]);
}

/**
 * ERR packet: 0xff, code, and, once the protocol is agreed on, `#` and SQLSTATE before the message.
 */
function isAboutLogin(body: Buffer): boolean {
  return body.toString('latin1', 3, 6) === '#28' || body.readUInt16LE(1) === TLS_REQUIRED;
}

function notReady(body: Buffer): ProbeFailed {
  const text = body.toString('latin1', 3).replace(/^#.{5}/, '');
  return new ProbeFailed('not-ready', `${quoted(text)} (${body.readUInt16LE(1)})`);
}
