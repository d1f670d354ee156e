/**
 * A daemon in the test's own process, of real parts: worker threads, sockets, metrics and admin
 * endpoint. Its threads can be made to die and to hang.
 */
import { Session as InspectorSession } from 'node:inspector';
import type { Test } from 'tap';
import { startAdmin } from '../../src/admin/http.js';
import { socketDescriptors } from '../../src/control/admin_sockets.js';
import { type Assembly, assemble } from '../../src/control/assemble.js';
import type { ToWorker } from '../../src/control/worker_protocol.js';
import { present } from '../../src/core/assert.js';
import type { WorkerId } from '../../src/core/brand.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import type { EngineName } from '../../src/core/spec.js';
import type { Log } from '../../src/observe/log.js';
import { systemClock } from '../../src/system/clock.js';
import { systemTimers } from '../../src/system/timers.js';
import { parseAddress } from '../support/daemon.js';
import { within } from '../support/deadline.js';
import { Exposition } from '../support/exposition.js';
import { Feed } from '../support/feed.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { loadSpec } from '../support/load_spec.js';
import { serviceText } from '../support/settings.js';

interface Told {
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface LossBench {
  readonly daemon: Assembly['daemon'];
  readonly port: number;
  readonly events: Feed<Told>;
  metrics(): Promise<Exposition>;
  /** The status of /healthz. */
  liveness(): Promise<number>;
}

/** Two workers in front of two echoing backends. */
export async function lossBench(t: Test, engine: EngineName): Promise<LossBench> {
  const backends = await startEchoes(t, 2);
  const spec = loadSpec(`[daemon]
engine = "${engine}"
workers = 2
shutdown_timeout = "1s"
${serviceText({ name: 'echo', backends, health: 'probe = "none"' })}`);
  const events = new Feed<Told>();
  const about = { version: '0', config: () => ({ hash: 'test', readWallMs: 0 }) };
  const assembled = assemble(spec, collectingLog(events), about);
  if (!assembled.ok) throw new Error(assembled.error);
  const { daemon, metrics, views, kernel } = assembled.value;
  const started = await daemon.start();
  if (!started.ok) throw new Error(started.error.join('; '));
  t.teardown(() => daemon.stop());
  const site = await startAdmin(ipEndpoint(4, '127.0.0.1', 0), {
    views,
    clock: systemClock,
    timers: systemTimers,
    sockets: socketDescriptors(kernel),
    hosts: () => [],
    defect: (error) => t.fail(String(error)),
    slow: () => {},
  });
  if (!site.ok) throw new Error(site.error.detail);
  t.teardown(() => site.value.close());
  const healthz = `http://127.0.0.1:${site.value.endpoint.port}/healthz`;
  const listening = await events.first('listening', ({ event }) => event === 'listening');
  return {
    daemon,
    events,
    port: parseAddress(String(listening['address'])).port,
    metrics: async () => new Exposition(await metrics.text()),
    liveness: async () => (await fetch(healthz)).status,
  };
}

/** An invariant breaks in the worker: it has been sent what no message may be. */
export function kill(daemon: Assembly['daemon'], worker: WorkerId): void {
  daemon.fleet.send(worker, { kind: 'nonsense' } as unknown as ToWorker);
}

/**
 * The thread goes round in an endless loop, as by a defect: ordered through the debugger of Node.js
 * (inspector protocol, domain NodeWorker).
 */
export async function hang(t: Test, worker: WorkerId): Promise<void> {
  const inspector = new InspectorSession();
  inspector.connect();
  t.teardown(() => inspector.disconnect());
  const attached = new Promise<string>((resolve) => {
    inspector.on('NodeWorker.attachedToWorker', ({ params }) => {
      if (params.workerInfo.title.includes(`sluice-${worker}`)) resolve(params.sessionId);
    });
  });
  inspector.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
  const sessionId = await within('the debugger in the worker', attached);
  const message = JSON.stringify({
    id: 1,
    method: 'Runtime.evaluate',
    params: { expression: 'for (;;);' },
  });
  inspector.post('NodeWorker.sendMessageToWorker', { message, sessionId });
}

function collectingLog(events: Feed<Told>): Log {
  return {
    event: (event, fields) => events.push({ ...fields, event }),
    access: () => {},
    configure: () => {},
    flush: async () => {},
  };
}

export function firstWorker(daemon: Assembly['daemon']): WorkerId {
  return present(daemon.fleet.ids()[0], 'there is a worker');
}
