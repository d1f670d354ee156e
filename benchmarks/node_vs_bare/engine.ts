/** The node engine with the shortest session there is: dial and relay. Argument: backend's port. */
import type { WorkerId } from '../../src/core/brand.js';
import { createDoorbellMemory, Doorbell } from '../../src/core/doorbell.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import { createNodeEngine } from '../../src/engine/node/engine.js';
import type { UdpEdges } from '../../src/session/udp_port.js';
import { systemClock } from '../../src/system/clock.js';
import { ephemeralPortRange } from '../../src/system/limits.js';
import { systemTimers } from '../../src/system/timers.js';
import { tell } from './messages.js';

const backend = ipEndpoint(4, '127.0.0.1', Number(process.argv[2]));
const { tcp, attach, run } = createNodeEngine(
  { pairs: 4096, flows: 0 },
  {
    clock: systemClock,
    timers: systemTimers,
    doorbell: new Doorbell(createDoorbellMemory(), () => {}),
    worker: 0 as WorkerId,
    kernel: null,
    sourcePorts: ephemeralPortRange,
  },
);
attach(
  {
    accepted: (_, pair) => tcp.dial(pair, backend, null),
    dialled: (pair) => tcp.relay(pair),
    dialFailed: (pair) => tcp.close(pair, 'reset'),
    earlyBytes() {},
    asked() {},
    firstByte() {},
    heard() {},
    parting() {},
    closed() {},
    acceptFailed() {},
    broken: (_, error) => {
      throw error;
    },
  },
  {} as unknown as UdpEdges,
);
await run({ tick: () => Number.POSITIVE_INFINITY, rung: () => {} });
const local = ipEndpoint(4, '127.0.0.1', 0);
const opened = await tcp.openListener(0, { kind: 'bind', local, reusePort: 'exclusive' }, 1024);
if (!opened.ok || opened.local.kind !== 'ip') throw new Error('the engine listens');
tell({ port: opened.local.port });
