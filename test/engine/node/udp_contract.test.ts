/** The node engine keeps the UDP contract, with descriptors and with sockets of its own. */
import t from 'tap';
import type { IpEndpoint } from '../../../src/core/endpoint.js';
import type { ListenSource } from '../../../src/core/plan.js';
import { NodeUdp } from '../../../src/engine/node/udp.js';
import { SelfDials } from '../../../src/engine/self_dials.js';
import { closeDescriptor, type Descriptor } from '../../../src/kernel/descriptor.js';
import { type Kernel, loadKernel } from '../../../src/kernel/foreign.js';
import { openListeningSocket } from '../../../src/kernel/sockets.js';
import { systemClock } from '../../../src/system/clock.js';
import { systemTimers } from '../../../src/system/timers.js';
import type { MakeUdp } from '../../contract/udp/bench.js';
import { udpEngineContract } from '../../contract/udp_engine.js';

function makerOf(kernel: Kernel | null): MakeUdp {
  return async (limits, edges) => {
    const selfDials = new SelfDials(() => null);
    const deps = { clock: systemClock, timers: systemTimers, kernel, selfDials };
    const udp = new NodeUdp(limits.flows, deps);
    udp.attach(edges, () => {});
    const mine: Descriptor[] = [];
    return {
      udp,
      source: (local) => (kernel === null ? bind(local) : descriptor(kernel, local, mine)),
      dispose: async () => {
        udp.stop();
        if (kernel !== null) for (const fd of mine) closeDescriptor(kernel, fd);
      },
    };
  };
}

function bind(local: IpEndpoint): ListenSource {
  return { kind: 'bind', local, reusePort: 'exclusive' };
}

/** As control makes them: shared, and its own for as long as the listener is open. */
function descriptor(kernel: Kernel, local: IpEndpoint, mine: Descriptor[]): ListenSource {
  const options = { local, protocol: 'udp', reusePort: 'shared', backlog: 0 } as const;
  const opened = openListeningSocket(kernel, options);
  if (!opened.ok) throw new Error(opened.error.sentence);
  mine.push(opened.value.fd);
  return { kind: 'descriptor', ...opened.value };
}

t.test('with sockets of its own', (t) => {
  udpEngineContract(t, makerOf(null), { unlistedAddresses: 'no' });
  t.end();
});

t.test('with descriptors', (t) => {
  const kernel = loadKernel();
  if (kernel.ok) udpEngineContract(t, makerOf(kernel.value), { unlistedAddresses: 'yes' });
  else t.pass(kernel.error, { skip: kernel.error });
  t.end();
});
