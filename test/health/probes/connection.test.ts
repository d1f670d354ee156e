import t from 'tap';
import { CutOff } from '../../../src/core/cut_off.js';
import { ipEndpoint } from '../../../src/core/endpoint.js';
import type { Wire } from '../../../src/core/wire.js';
import type { ProbeResult } from '../../../src/health/probe.js';
import { conversingBy } from '../../../src/health/probes/connection.js';
import { fullSuccess } from '../../../src/health/probes/failed.js';
import { within } from '../../support/deadline.js';

const target = {
  endpoint: ipEndpoint(4, '127.0.0.1', 1),
  prelude: Buffer.from('PROXY UNKNOWN\r\n'),
};
/** Looks and calls of a conversation that nothing breaks. */
const CALLS = 10;

/** Echoes, and breaks at the `breakAt`th look or call: without a word where that is a call. */
class BrittleWire implements Wire {
  error: Error | null = null;
  connected = false;
  sent = true;
  ended = false;
  closed = false;
  calls = 0;
  readonly #breakAt: number;
  readonly #changed: () => void;
  #echo: Uint8Array[] = [];

  constructor(breakAt: number, changed: () => void) {
    this.#breakAt = breakAt;
    this.#changed = changed;
    this.#call();
    this.#soon(() => {
      this.connected = true;
    });
  }

  read(): Uint8Array | null {
    if (this.#call() === 'broken') return null;
    const chunk = this.#echo.shift() ?? null;
    if (chunk === null) this.#soon(() => {});
    return chunk;
  }

  write(bytes: Uint8Array | string): void {
    if (this.#call() === 'broken') return;
    this.sent = false;
    this.#soon(() => {
      this.sent = true;
      this.#echo.push(Buffer.from(bytes));
    });
  }

  end(): void {
    this.#call();
    this.closed = true;
  }

  isToItself(): boolean {
    this.#call();
    return false;
  }

  reset(): void {
    this.closed = true;
  }

  destroy(): void {
    this.closed = true;
  }

  #soon(change: () => void): void {
    queueMicrotask(() => {
      if (this.closed) return;
      if (this.#call() === 'whole') change();
      this.#changed();
    });
  }

  #call(): 'whole' | 'broken' {
    if (++this.calls >= this.#breakAt) {
      this.error ??= Object.assign(new Error('reset'), {
        code: 'ECONNRESET',
        syscall: 'read',
      });
    }
    return this.error === null ? 'whole' : 'broken';
  }
}

async function converse(breakAt: number): Promise<{ result: ProbeResult; calls: number }> {
  let made: BrittleWire | null = null;
  const conversing = conversingBy((_, __, changed) => {
    made = new BrittleWire(breakAt, changed);
    return made;
  });
  const over = conversing(target, new CutOff(), async (connection) => {
    await connection.write('hello\n');
    await connection.takeLine('the prelude');
    await connection.takeLine('the echo');
    await connection.finish();
    return fullSuccess();
  });
  const result = await within(`the end, broken at ${breakAt}`, over);
  const { closed, calls } = made as unknown as BrittleWire;
  t.ok(closed, 'it is closed');
  return { result, calls };
}

t.test('a wire that breaks at any moment ends the attempt, and is closed', async (t) => {
  const { result, calls } = await converse(Number.POSITIVE_INFINITY);
  t.match(result, { ok: true });
  t.equal(calls, CALLS);
  for (let breakAt = 1; breakAt < CALLS; breakAt++) {
    const { result } = await converse(breakAt);
    t.match(result, { ok: false, failure: 'reset' }, `at ${breakAt}`);
  }
  t.match((await converse(CALLS)).result, { ok: true }, 'what it knew by then counts');
});
