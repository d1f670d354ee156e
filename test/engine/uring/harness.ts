/** The io_uring engine as the contract suite wants it. */
import type { WorkerId } from '../../../src/core/brand.js';
import type { Endpoint } from '../../../src/core/endpoint.js';
import type { ListenSource } from '../../../src/core/plan.js';
import type { Sizes } from '../../../src/engine/uring/means.js';
import { adoptDescriptor, closeDescriptor } from '../../../src/kernel/descriptor.js';
import type { Kernel } from '../../../src/kernel/foreign.js';
import { openListeningSocket } from '../../../src/kernel/sockets.js';
import type { UdpEdges } from '../../../src/session/udp_port.js';
import type { EngineUnderTest, MakeEngine } from '../../contract/tcp/bench.js';
import { FakeTime } from '../../support/fake_time.js';
import { drivenUringEngine, testKernel } from '../../support/uring_engine.js';

export interface HarnessOptions {
  readonly sockets: ListenSource['kind'];
  readonly time: 'real' | 'fake';
  /** A wrapper; the real one by default. */
  readonly kernel?: Kernel;
  readonly sizes?: Sizes;
}

/** For a process of its own: with real time, and listeners of the kind that the URL asks for. */
export const makeEngine: MakeEngine = makerOf({
  sockets: import.meta.url.endsWith('?bind') ? 'bind' : 'descriptor',
  time: 'real',
});

export function makerOf({ sockets, time, kernel, sizes }: HarnessOptions): MakeEngine {
  return async (limits, edges, hooks): Promise<EngineUnderTest> => {
    const fake = time === 'fake' ? new FakeTime() : null;
    const { engine, doorbell, run } = drivenUringEngine(limits, fake ?? undefined, kernel, sizes);
    engine.attach(edges, {} as unknown as UdpEdges);
    const running = run(hooks);
    return {
      engine,
      source: (local, backlog) =>
        sockets === 'bind'
          ? { kind: 'bind', local, reusePort: 'exclusive' }
          : openDescriptor(local, backlog),
      forget: (source) => {
        if (source.kind === 'descriptor') closeDescriptor(testKernel(), adoptDescriptor(source.fd));
      },
      pass: async (ms) => fake?.pass(ms),
      ring: () => doorbell.ring(0 as WorkerId),
      dispose: async () => {
        engine.stop();
        await running;
      },
    };
  };
}

function openDescriptor(local: Endpoint, backlog: number): ListenSource {
  const opened = openListeningSocket(testKernel(), {
    local,
    backlog,
    protocol: 'tcp',
    reusePort: 'exclusive',
  });
  if (!opened.ok) throw new Error(opened.error.sentence);
  return { kind: 'descriptor', ...opened.value };
}
