/**
 * Loaded by every thread of a daemon before anything else: gives it a defect that shows only for
 * one client, which is known by its address, or keeps its threads from starting.
 */
import { existsSync, readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { SharedInvariantError } from '../../src/core/assert.js';
import type { FlowId, PairId } from '../../src/core/brand.js';
import type { Endpoint } from '../../src/core/endpoint.js';
import { Held } from '../../src/engine/node/held.js';
import { NodeTcp } from '../../src/engine/node/tcp.js';
import { NodeUdp } from '../../src/engine/node/udp.js';
import { FirstBytes } from '../../src/engine/uring/first_bytes.js';
import { Sends } from '../../src/engine/uring/sends.js';
import { UringTcp } from '../../src/engine/uring/tcp.js';
import { UringUdp } from '../../src/engine/uring/udp.js';

/** Where the session breaks; `bytes`: inside the engine, at a chunk of VICTIM_BYTES. */
export const PLACES = ['readEarly', 'earlyDone', 'dial', 'relay', 'local', 'bytes'] as const;
export type Place = (typeof PLACES)[number] | 'shared' | 'openFlow' | 'hang' | 'stick';

export const PLACE_VARIABLE = 'SLUICE_TEST_DEFECT';
/** The path of a file: while it exists no worker can start, for the reason that it holds. */
export const START_VARIABLE = 'SLUICE_TEST_START_FAILS';
/** The path of a FIFO: a thread that opens it waits in the kernel until a writer comes. */
export const STICK_VARIABLE = 'SLUICE_TEST_STICKS_AT';
export const VICTIM = '127.0.0.66';
export const VICTIM_BYTES = 77;

const place = process.env[PLACE_VARIABLE] as Place | undefined;

const startFails = process.env[START_VARIABLE];
if (!isMainThread && startFails !== undefined && existsSync(startFails)) {
  throw new Error(readFileSync(startFails, 'utf8'));
}

if (!isMainThread && place !== undefined) {
  if (place === 'bytes') breakBytes();
  else if (place === 'openFlow' || place === 'hang') {
    const how = place === 'hang' ? hang : fail;
    for (const engine of [NodeUdp, UringUdp]) breakCall<FlowId>(engine.prototype, 'openFlow', how);
  } else {
    const call = place === 'shared' || place === 'stick' ? 'dial' : place;
    const how = place === 'shared' ? failShared : place === 'stick' ? stick : fail;
    for (const engine of [NodeTcp, UringTcp]) breakCall<PairId>(engine.prototype, call, how);
  }
}

function fail(): never {
  throw new Error('a defect for tests');
}

function failShared(): never {
  throw new SharedInvariantError('a defect for tests in what sessions share');
}

/** An endless loop, once the callback of the datagram is done: where ticks of the session are. */
function hang(): never {
  queueMicrotask(() => {
    for (;;);
  });
  return fail();
}

/** In the kernel, where nothing can end a thread. */
function stick(): never {
  readFileSync(process.env[STICK_VARIABLE] ?? '');
  return fail();
}

interface Engine<Id> {
  client(id: Id): Endpoint;
}

/** The method is looked up anew in the prototype, which has it under the name of the place. */
function breakCall<Id>(engine: Engine<Id>, call: string, broken: () => never): void {
  const methods = engine as unknown as Record<string, (id: Id, ...rest: unknown[]) => unknown>;
  const whole = methods[call];
  if (whole === undefined) throw new Error(`no engine has ${call}`);
  methods[call] = function (this: Engine<Id>, id: Id, ...rest: unknown[]): unknown {
    const client = this.client(id);
    return client.kind === 'ip' && client.host === VICTIM
      ? broken()
      : whole.call(this, id, ...rest);
  };
}

function breakBytes(): void {
  const { push: hold } = Held.prototype;
  Held.prototype.push = function (chunk): void {
    if (chunk.length === VICTIM_BYTES) fail();
    hold.call(this, chunk);
  };
  const { add } = FirstBytes.prototype;
  FirstBytes.prototype.add = function (pair, buffer, bytes): void {
    if (bytes === VICTIM_BYTES) fail();
    add.call(this, pair, buffer, bytes);
  };
  const { push: send } = Sends.prototype;
  Sends.prototype.push = function (direction, buffer, bytes, credit): void {
    if (bytes === VICTIM_BYTES) fail();
    send.call(this, direction, buffer, bytes, credit);
  };
}
