/** The io_uring engine keeps the UDP contract, with descriptors and with sockets of its own. */
import t from 'tap';
import type { ListenSource } from '../../../src/core/plan.js';
import { SIZES, type Sizes } from '../../../src/engine/uring/means.js';
import { closeDescriptor, type Descriptor } from '../../../src/kernel/descriptor.js';
import { openListeningSocket } from '../../../src/kernel/sockets.js';
import type { TcpEdges } from '../../../src/session/tcp_port.js';
import type { MakeUdp } from '../../contract/udp/bench.js';
import { udpEngineContract } from '../../contract/udp_engine.js';
import { drivenUringEngine, testKernel } from '../../support/uring_engine.js';

function makerOf(sockets: ListenSource['kind'], sizes: Sizes): MakeUdp {
  return async (limits, edges) => {
    const { engine, run } = drivenUringEngine(limits, undefined, undefined, sizes);
    engine.attach({} as unknown as TcpEdges, edges);
    const running = run({ tick: () => Number.POSITIVE_INFINITY, rung: () => {} });
    const kernel = testKernel();
    const mine: Descriptor[] = [];
    return {
      udp: engine.udp,
      source: (local) => {
        if (sockets === 'bind') return { kind: 'bind', local, reusePort: 'exclusive' };
        const options = { local, protocol: 'udp', reusePort: 'shared', backlog: 0 } as const;
        const opened = openListeningSocket(kernel, options);
        if (!opened.ok) throw new Error(opened.error.sentence);
        mine.push(opened.value.fd);
        return { kind: 'descriptor', ...opened.value };
      },
      dispose: async () => {
        engine.stop();
        await running;
        for (const fd of mine) closeDescriptor(kernel, fd);
      },
    };
  };
}

for (const sockets of ['bind', 'descriptor'] as const) {
  t.test(`listeners of kind ${sockets}`, async (t) => {
    udpEngineContract(t, makerOf(sockets, SIZES), { unlistedAddresses: 'yes' });
  });
}

const SCARCE: Readonly<Record<string, Sizes>> = {
  'two submissions at a time': { ...SIZES, entries: 2 },
  'four completions at a time': { ...SIZES, entries: 4, completions: 4 },
  'thirty-two buffers': { ...SIZES, datagramBuffers: 32 },
};

for (const [what, sizes] of Object.entries(SCARCE)) {
  t.test(`with ${what}`, async (t) => {
    udpEngineContract(t, makerOf('bind', sizes), { unlistedAddresses: 'yes' });
  });
}
