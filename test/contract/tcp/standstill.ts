/**
 * TCP contract: a source that resets is forgotten although its target takes nothing. Such a
 * direction is not read, so the part that learns of the reset first (a watch, a send or a splice
 * the other way) has to notify the one that waits for it. What a target still takes is not lost
 * meanwhile.
 */
import type { Test } from 'tap';
import { LINGER_MS, STANDSTILL_MS } from '../../../src/session/tcp_port.js';
import { eventually, pass, within } from '../../support/deadline.js';
import type { Peer } from '../../support/peer.js';
import { type Bench, type MakeEngine, settled, turn, withEngine } from './bench.js';

/** More than the kernel takes for a peer that does not read. */
const STREAM_BYTES = 16 * 1024 * 1024;
const BULK_BYTES = 2 * 1024 * 1024;
/** The reset comes this many turns behind what is sent the other way, or fewer. */
const TURNS = 6;
const STEP_MS = 50;
/** The node engine asks sockets that stand still in turn. */
const SOON_MS = 200;
/** A window that has closed is probed after 200 ms, and may have a little room then. */
const PROBED_MS = 500;
/** More than a peer's kernel takes by itself, and not more than is taken within LINGER_MS. */
const UPLOAD_BYTES = 384 * 1024;
/**
 * Over loopback, a window that was closed opens by 64 to 93 KiB, and Node.js reads 64 KiB at a
 * time: every second read opens it, after 0.67 s, which leaves a third of STANDSTILL_MS to looks.
 */
const SLOW_BYTES_PER_SECOND = 192 * 1024;

const SIDES = ['client', 'backend'] as const;
type Side = (typeof SIDES)[number];

/** What goes to the source that is about to reset. */
const OTHER_WAY = {
  nothing: () => {},
  'a message': (target: Peer) => target.send('a message'),
  'bulk data': (target: Peer) => target.send(Buffer.alloc(BULK_BYTES, 'bulk')),
} as const;

type Stream = Readonly<Record<'source' | 'target', Peer>>;

export function standstillContract(t: Test, make: MakeEngine): void {
  slowBackend(t, make);
  forgottenAtOnce(t, make);
  for (const side of SIDES) {
    forgottenBehindFin(t, make, side);
    for (const [what, say] of Object.entries(OTHER_WAY)) {
      const name = `a ${side} that resets while it stands still and is sent ${what} is forgotten`;
      withEngine(t, make, name, async (bench, t) => {
        for (let turns = 0; turns <= TURNS; turns++) {
          const { source, target } = await standsStill(bench, side);
          say(target);
          for (let n = 0; n < turns; n++) await turn();
          source.reset();
        }
        t.same(
          await ends(bench, LINGER_MS + STANDSTILL_MS),
          Array.from({ length: TURNS + 1 }, () => ({ kind: 'reset', by: side })),
        );
      });
    }
  }
}

/** A target that has stood still for long is waited for no longer when its source goes. */
function forgottenAtOnce(t: Test, make: MakeEngine): void {
  const name = 'a source is forgotten at once that resets after its target stood still for long';
  withEngine(t, make, name, async (bench, t) => {
    const streams: Stream[] = [];
    for (const side of SIDES) streams.push(await standsStill(bench, side));
    // The kernel knows for how long, whatever the engine's clock says.
    await pass(PROBED_MS + STANDSTILL_MS);
    for (const { source } of streams) source.reset();
    const limitMs = bench.under.without === undefined ? SOON_MS : LINGER_MS;
    const told = await ends(bench, limitMs);
    t.same(new Set(told), new Set(SIDES.map((by) => ({ kind: 'reset', by }))));
  });
}

/** Nothing can be written to this source any more: the engine has sent it FIN. */
function forgottenBehindFin(t: Test, make: MakeEngine, side: Side): void {
  const name = `a ${side} that resets while it stands still, after FIN was sent to it, is forgotten`;
  withEngine(t, make, name, async (bench, t) => {
    const { source, target } = await standsStill(bench, side);
    target.finish();
    t.same((await source.rest()).length, 0);
    source.reset();
    // Without foreign calls it is unknown: only the idle timeout ends such a session.
    const end = bench.under.without === undefined ? { kind: 'reset', by: side } : undefined;
    t.same(await ends(bench, LINGER_MS + STANDSTILL_MS), [end]);
  });
}

function slowBackend(t: Test, make: MakeEngine): void {
  const name =
    'a backend that takes 192 KiB per second gets what its client had sent before its reset';
  withEngine(t, make, name, async (bench, t) => {
    const { driver, under } = bench;
    const { client, backend } = await bench.relayed();
    const pair = await driver.nextPair();
    backend.socket.pause();
    client.send(Buffer.alloc(UPLOAD_BYTES, 'abc'));
    const read = (): number => driver.engine.bytesIn[pair] ?? 0;
    await eventually('its upload is read', () => (read() < UPLOAD_BYTES ? undefined : true));
    // For how long it has taken nothing is asked at the reset, and a busy machine counts for it.
    await takeOnce(backend);
    client.reset();
    let dueBytes = 0;
    for (let passedMs = 0; passedMs <= LINGER_MS && driver.openPairs > 0; passedMs += STEP_MS) {
      await under.pass(STEP_MS);
      dueBytes += (SLOW_BYTES_PER_SECOND * STEP_MS) / 1_000;
      const isDue = backend.unread < dueBytes && backend.socket.bytesRead < UPLOAD_BYTES;
      if (isDue) await takeOnce(backend);
      // A closed window opens by the kernel's own timers: the engine's clock must not fly past.
      await pass(STEP_MS);
      await settled(() => driver.edges.length);
    }
    t.same(await driver.nextEnd(), { kind: 'reset', by: 'client' });
    backend.socket.resume();
    t.equal(await backend.ending(), 'reset');
    // Node.js drops what it has read and not handed on when the reset comes: that came, too.
    t.equal(backend.socket.bytesRead, UPLOAD_BYTES);
  });
}

/**
 * Takes what comes next, 64 KiB at most. The engine's clock stands still meanwhile: the kernel may
 * let the last bytes wait for its own timer of a closed window (RFC 9293, 3.8.6.1), which runs in
 * real time.
 */
async function takeOnce({ socket }: Peer): Promise<void> {
  if (socket.closed) return;
  const taken = new Promise<void>((resolve) => {
    socket.once('close', resolve);
    socket.once('data', () => {
      socket.pause();
      resolve();
    });
  });
  socket.resume();
  await within('bytes', taken);
}

/** A pair whose `side` sends without end to one that does not read. */
async function standsStill(bench: Bench, side: Side): Promise<Stream> {
  const { client, backend } = await bench.relayed();
  const [source, target] = side === 'client' ? [client, backend] : [backend, client];
  target.socket.pause();
  const flow = source.pour(Buffer.alloc(STREAM_BYTES, 'abc'));
  await settled(() => flow.takenBytes, 100);
  return { source, target };
}

/** How all pairs end within `limitMs` of the engine's clock; undefined: some have not. */
async function ends({ driver, under }: Bench, limitMs: number) {
  for (let passedMs = 0; passedMs <= limitMs && driver.openPairs > 0; passedMs += STEP_MS) {
    await settled(() => driver.edges.length, 300);
    await under.pass(STEP_MS);
  }
  await settled(() => driver.edges.length, 300);
  const told = driver.edges.flatMap(({ end }) => end ?? []);
  return driver.openPairs === 0 ? told : [...told, undefined];
}
