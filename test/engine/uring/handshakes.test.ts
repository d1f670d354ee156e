import t, { type Test } from 'tap';
import type { Kernel } from '../../../src/kernel/foreign.js';
import {
  IPPROTO_TCP,
  SO_KEEPALIVE,
  SO_LINGER,
  SOL_SOCKET,
  TCP_NODELAY,
  TCP_QUICKACK,
} from '../../../src/kernel/sockets.js';
import { withEngine } from '../../contract/tcp/bench.js';
import { testKernel } from '../../support/uring_engine.js';
import { makerOf } from './harness.js';
import { watchedKernel } from './watched_kernel.js';

const { libc } = testKernel();

const watched = watchedKernel(testKernel(), 'some', 'options by the ring');
const make = makerOf({ sockets: 'descriptor', time: 'real', kernel: watched.kernel });
withEngine(
  t,
  make,
  'a socket has all options at once where the ring sets none',
  async (bench, t) => {
    for (let session = 0; session < 3; session++) {
      await bench.relayed();
      const fd = watched.sockets[session] ?? -1;
      expectOptions(t, fd);
      t.equal(
        optionOf(fd, IPPROTO_TCP, TCP_QUICKACK),
        1,
        'the kernel sends its last ACK by itself',
      );
    }
  },
);

for (const refused of ['nothing', 'options by the ring'] as const) {
  const { kernel } = watchedKernel(testKernel(), 'some', refused);
  let calls = 0;
  const counting: Kernel = {
    ...kernel,
    libc: {
      ...kernel.libc,
      setsockoptAt: (fd, level, option, value, bytes) => {
        if (level === SOL_SOCKET && option === SO_LINGER) calls++;
        return kernel.libc.setsockoptAt(fd, level, option, value, bytes);
      },
    },
  };
  withEngine(
    t,
    makerOf({ sockets: 'descriptor', time: 'real', kernel: counting }),
    `a reset is passed on where the kernel refuses ${refused}`,
    async (bench, t) => {
      for (let session = 0; session < 3; session++) {
        const { client, backend } = await bench.relayed();
        client.reset();
        t.equal(await backend.ending(), 'reset');
      }
      t.equal(calls, refused === 'nothing' ? 0 : 3);
    },
  );
}

function expectOptions(t: Test, fd: number): void {
  t.equal(optionOf(fd, IPPROTO_TCP, TCP_NODELAY), 1, 'TCP_NODELAY');
  t.equal(optionOf(fd, SOL_SOCKET, SO_KEEPALIVE), 1, 'SO_KEEPALIVE');
}

function optionOf(fd: number, level: number, option: number): number | undefined {
  const answer = new Int32Array(1);
  const got = libc.getsockopt(fd, level, option, answer, Int32Array.of(4));
  return got === 0 ? answer[0] : undefined;
}
