/**
 * One case a probe for the contract: its definition, an honest backend's script, a refusing one's.
 */

import { escalate } from '../../src/core/assert.js';
import type { ProbeSpec, ProbeTls } from '../../src/core/health_spec.js';
import { seededRandom } from '../../src/core/random.js';
import type { WireDial } from '../../src/core/wire.js';
import type { Probe, ProbeFailure } from '../../src/health/probe.js';
import { createProbe } from '../../src/health/probes/registry.js';
import { descriptorDial } from '../../src/kernel/descriptor_wire.js';
import { loadKernel } from '../../src/kernel/foreign.js';
import { thisMachine } from '../../src/library/machine.js';
import { systemTimers } from '../../src/system/timers.js';
import { seed } from '../support/seed.js';
import type { Certificate, Script, Step } from './probe_peers.js';

export interface TcpCase {
  readonly name: string;
  readonly probe: Probe;
  readonly script: Script;
  /** What a backend says that does not serve; null: the protocol has no way to say so. */
  readonly refusal: { readonly steps: readonly Step[]; readonly failure: ProbeFailure } | null;
  /** `tcp` asks for nothing more than a connection. */
  readonly contentWithConnection: boolean;
}

export interface UdpCase {
  readonly name: string;
  readonly probe: Probe;
  readonly honest: (query: Buffer) => Buffer;
  readonly refusal: ((query: Buffer) => Buffer) | null;
  /** `udp` without `expect` takes silence for a yes. */
  readonly contentWithSilence: boolean;
}

export const UNVERIFIED: ProbeTls = { serverName: null, verify: false, caFile: null };

const random = seededRandom(seed);

const DEPS = {
  clock: { nowMs: () => performance.now(), wallMs: () => Date.now() },
  timers: systemTimers,
  random,
  nonce: () => 'rOprNGfwEbeRWgbNEkqO',
};

/** As the daemon makes plain connections where foreign calls and io_uring work; else null. */
const kernel = loadKernel();
const made = kernel.ok ? descriptorDial(kernel.value, escalate) : kernel;
export const DESCRIPTORS: WireDial | null = made.ok ? made.value : null;

export type MakeProbe = (spec: ProbeSpec) => Probe;

/** As an application has them: over sockets of Node.js. */
export const LIBRARY_PROBES: MakeProbe = thisMachine.createProbe;

/** As the daemon makes them where foreign calls and io_uring work; else null. */
export const DAEMON_PROBES: MakeProbe | null =
  DESCRIPTORS === null ? null : (spec) => createProbe(spec, { ...DEPS, dial: DESCRIPTORS });

export function probeOf(spec: ProbeSpec): Probe {
  return createProbe(spec, { ...DEPS, dial: DESCRIPTORS });
}

/** A step that answers `after`, or speaks first. */
export function say(send: string | Buffer, after = ''): Step {
  return { after, send: typeof send === 'string' ? Buffer.from(send, 'latin1') : send };
}

export function pgMessage(type: string, ...parts: readonly (string | number)[]): Buffer {
  const body = Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? text(part) : int(part))),
  );
  return Buffer.concat([Buffer.from(type), int(body.length + 4), body]);
}

export function mysqlPacket(sequence: number, body: string): Buffer {
  const bytes = Buffer.from(body, 'latin1');
  return Buffer.concat([Buffer.of(bytes.length, 0, 0, sequence), bytes]);
}

const text = (value: string): Buffer => Buffer.from(value, 'latin1');

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

const PG_READY = pgMessage('Z', 'I');
const PG_REPLICA = Buffer.concat([
  pgMessage('T', '\0\0'),
  pgMessage('D', '\0\x05', 1, 't', 1, 't', 3, '100', 3, '100', -1),
  pgMessage('C', 'SELECT 1\0'),
  PG_READY,
]);
const PG_STARTING = pgMessage('E', 'SFATAL\0C57P03\0Mthe database system is starting up\0\0');
const MYSQL_GREETING = mysqlPacket(
  0,
  '\x0a10.11.6-MariaDB\0\x01\0\0\0abcdefgh\0\xfe\xf7\x2d\x02\0\xff\x81\x15\0\0\0\0\0\0\0\0\0\0' +
    'abcdefghijkl\0mysql_native_password\0',
);

export function tcpCases(certificate: Certificate, by: MakeProbe): readonly TcpCase[] {
  return [
    {
      name: 'tcp',
      probe: by({ kind: 'tcp' }),
      script: { steps: [] },
      refusal: null,
      contentWithConnection: true,
    },
    {
      name: 'send-expect',
      probe: by({
        kind: 'send-expect',
        steps: [
          { send: null, expect: text('ready') },
          { send: text('HELO me\r\n'), expect: text('hello') },
        ],
        minimumBytes: 16,
        tls: null,
      }),
      script: { steps: [say('220 ready\r\n'), say('250 hello\r\n', 'HELO')] },
      refusal: { steps: [say('421 too busy, come again\r\n')], failure: 'wrong-answer' },
      contentWithConnection: false,
    },
    {
      name: 'http',
      probe: by({
        kind: 'http',
        method: 'GET',
        path: '/health',
        host: 'db.example',
        status: [{ from: 200, to: 299 }],
        tls: null,
      }),
      script: { steps: [say('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', '\r\n\r\n')] },
      refusal: {
        steps: [say('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n', '\r\n\r\n')],
        failure: 'not-ready',
      },
      contentWithConnection: false,
    },
    {
      name: 'tls',
      probe: by({ kind: 'tls', tls: UNVERIFIED, expiryWarningMs: 0 }),
      // The steps are what half an answer is half of: the head of a ServerHello.
      script: { steps: [say('\x16\x03\x03\0\x7a\x02\0\0\x76\x03\x03abcdef', '\x16')], certificate },
      // An alert: handshake_failure.
      refusal: { steps: [say('\x15\x03\x03\0\x02\x02\x28', '\x16')], failure: 'tls' },
      contentWithConnection: false,
    },
    {
      name: 'redis',
      probe: by({ kind: 'redis', role: 'primary', user: null, password: null, tls: null }),
      script: {
        steps: [say('+PONG\r\n', 'PING'), say('*3\r\n$6\r\nmaster\r\n:3129659\r\n*0\r\n', 'ROLE')],
      },
      refusal: {
        steps: [say('-LOADING Redis is loading the dataset in memory\r\n', 'PING')],
        failure: 'not-ready',
      },
      contentWithConnection: false,
    },
    {
      name: 'postgres without credentials',
      probe: by({
        kind: 'postgres',
        role: 'any',
        user: null,
        database: 'postgres',
        password: null,
        maxLagMs: 0,
        allowCleartextPassword: false,
        tls: null,
      }),
      script: { steps: [say(pgMessage('R', 5, 'salt'), 'postgres\0')] },
      refusal: { steps: [say(PG_STARTING, 'postgres\0')], failure: 'not-ready' },
      contentWithConnection: false,
    },
    {
      name: 'postgres with a role',
      probe: by({
        kind: 'postgres',
        role: 'replica',
        user: 'monitor',
        database: 'postgres',
        password: null,
        maxLagMs: 1_000,
        allowCleartextPassword: false,
        tls: null,
      }),
      script: {
        steps: [
          say(Buffer.concat([pgMessage('R', 0), PG_READY]), 'postgres\0'),
          say(PG_REPLICA, 'pg_is_in_recovery'),
        ],
      },
      refusal: { steps: [say(PG_STARTING, 'postgres\0')], failure: 'not-ready' },
      contentWithConnection: false,
    },
    {
      name: 'mysql',
      probe: by({ kind: 'mysql' }),
      script: {
        steps: [
          say(MYSQL_GREETING),
          say(mysqlPacket(2, '\xff\x15\x04#28000Access denied'), 'sluice\0'),
        ],
      },
      refusal: {
        steps: [say(mysqlPacket(0, '\xff\x10\x04Too many connections'))],
        failure: 'not-ready',
      },
      contentWithConnection: false,
    },
  ];
}

/** The query as its own answer, with response bit and code. */
function dnsAnswer(code: number): (query: Buffer) => Buffer {
  return (query) => {
    const answer = Buffer.from(query);
    answer.writeUInt8(0x81, 2);
    answer.writeUInt8(0x80 | code, 3);
    return answer;
  };
}

export function udpCases(by: MakeProbe): readonly UdpCase[] {
  return [
    {
      name: 'dns',
      probe: by({ kind: 'dns', name: 'service.test', type: 'A', rcodes: ['NOERROR'] }),
      honest: dnsAnswer(0),
      refusal: dnsAnswer(2),
      contentWithSilence: false,
    },
    {
      name: 'udp with an answer',
      probe: by({ kind: 'udp', send: text('ping'), expect: text('pong') }),
      honest: () => text('a pong.'),
      refusal: () => text('no'),
      contentWithSilence: false,
    },
    {
      name: 'udp without an answer',
      probe: by({ kind: 'udp', send: text('ping'), expect: null }),
      honest: () => text('anything'),
      refusal: null,
      contentWithSilence: true,
    },
  ];
}
