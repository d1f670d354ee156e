/** The node engine as the contract suite wants it. */
import type { WorkerId } from '../../../src/core/brand.js';
import { createDoorbellMemory, Doorbell } from '../../../src/core/doorbell.js';
import type { Endpoint } from '../../../src/core/endpoint.js';
import type { ListenSource } from '../../../src/core/plan.js';
import { createNodeEngine } from '../../../src/engine/node/engine.js';
import { adoptDescriptor, closeDescriptor } from '../../../src/kernel/descriptor.js';
import { type Kernel, loadKernel } from '../../../src/kernel/foreign.js';
import { openListeningSocket } from '../../../src/kernel/sockets.js';
import type { UdpEdges } from '../../../src/session/udp_port.js';
import { systemClock } from '../../../src/system/clock.js';
import { systemTimers } from '../../../src/system/timers.js';
import type { MakeEngine } from '../../contract/tcp/bench.js';
import { FakeTime } from '../../support/fake_time.js';

const WORKER = 0 as WorkerId;

export interface HarnessOptions {
  readonly sockets: ListenSource['kind'];
  readonly time: 'real' | 'fake';
}

/** For a process of its own: with real time, and listeners of the kind that the URL asks for. */
export const makeEngine: MakeEngine = makerOf({
  sockets: import.meta.url.endsWith('?bind') ? 'bind' : 'descriptor',
  time: 'real',
});

export function makerOf({ sockets, time }: HarnessOptions): MakeEngine {
  return async (limits, edges, hooks) => {
    const fake = time === 'fake' ? new FakeTime() : null;
    const doorbell = new Doorbell(createDoorbellMemory(), () => {});
    const kernel = sockets === 'descriptor' ? kernelOrThrow() : null;
    const engine = createNodeEngine(limits, {
      clock: fake ?? systemClock,
      timers: fake ?? systemTimers,
      doorbell,
      worker: WORKER,
      kernel,
      sourcePorts: () => null,
    });
    engine.attach(edges, noUdpEdges);
    await engine.run(hooks);
    return {
      engine,
      source: (local, backlog) =>
        kernel === null
          ? { kind: 'bind', local, reusePort: 'exclusive' }
          : openDescriptor(kernel, local, backlog),
      forget: (source) => {
        if (source.kind === 'descriptor')
          closeDescriptor(kernelOrThrow(), adoptDescriptor(source.fd));
      },
      pass: async (ms) => fake?.pass(ms),
      ring: () => doorbell.ring(WORKER),
      dispose: async () => engine.stop(),
      ...(kernel === null ? { without: 'foreign calls' } : {}),
    };
  };
}

function kernelOrThrow(): Kernel {
  const kernel = loadKernel();
  if (!kernel.ok) throw new Error(kernel.error);
  return kernel.value;
}

function openDescriptor(kernel: Kernel, local: Endpoint, backlog: number): ListenSource {
  const opened = openListeningSocket(kernel, {
    local,
    backlog,
    protocol: 'tcp',
    reusePort: 'exclusive',
  });
  if (!opened.ok) throw new Error(opened.error.sentence);
  return { kind: 'descriptor', ...opened.value };
}

const noUdpEdges = {} as unknown as UdpEdges;
