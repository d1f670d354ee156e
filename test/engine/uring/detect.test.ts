import t from 'tap';
import { detectUring, type MachineFacts } from '../../../src/engine/uring/detect.js';
import { ERRNO } from '../../../src/kernel/errno.js';
import type { Kernel, Libc } from '../../../src/kernel/foreign.js';
import { SYS_IO_URING_REGISTER, SYS_IO_URING_SETUP } from '../../../src/kernel/uring_abi.js';
import { testKernel } from '../../support/uring_engine.js';

const kernel = testKernel();
const FACTS: MachineFacts = { release: '5.15.0-test', disabled: '0' };

/** The real machine, but for one system call number, which fails. */
function refusing(call: number, errno: number): Kernel {
  const syscall: Libc['syscall'] = (nr, ...rest) =>
    nr === call ? -errno : kernel.libc.syscall(nr, ...rest);
  return { ...kernel, libc: { ...kernel.libc, syscall } };
}

const answer = (call: number, errno: number, facts: Partial<MachineFacts> = {}) =>
  detectUring({ ok: true, value: refusing(call, errno) }, { ...FACTS, ...facts });

t.test('on this machine io_uring is allowed, and looking leaves no descriptor', async (t) => {
  const { readdirSync } = await import('node:fs');
  const descriptors = (): number => readdirSync('/proc/self/fd').length;
  t.same(detectUring({ ok: true, value: kernel }), { ok: true, lacks: null });
  const before = descriptors();
  for (let look = 0; look < 3; look++) detectUring({ ok: true, value: kernel });
  t.equal(descriptors(), before);
});

t.test('without foreign calls the reason is handed on', async (t) => {
  t.match(detectUring({ ok: false, error: 'koffi cannot be loaded' }, FACTS), {
    ok: false,
    cause: 'koffi cannot be loaded',
    remedy: /koffi/,
  });
});

t.test('each refusal has a cause and a remedy', async (t) => {
  const setup = SYS_IO_URING_SETUP;
  t.match(answer(setup, ERRNO.ENOSYS), { cause: /5\.15\.0-test.* no io_uring/, remedy: /6\.1/ });
  t.match(answer(setup, ERRNO.EINVAL), {
    cause: /DEFER_TASKRUN/,
    remedy: 'use Linux 6.1 or later',
  });
  t.match(answer(setup, ERRNO.EPERM), { cause: /security policy/, remedy: /seccomp/ });
  t.match(answer(setup, ERRNO.EPERM, { disabled: null }), { cause: /security policy/ });
  t.match(answer(setup, ERRNO.EPERM, { disabled: '2' }), { cause: /is 2/, remedy: /sysctl/ });
  t.match(answer(setup, ERRNO.EPERM, { disabled: '1' }), { cause: /is 1/, remedy: /group/ });
  t.match(answer(setup, ERRNO.ENOMEM), { cause: /MEMLOCK/, remedy: /LimitMEMLOCK/ });
  t.match(answer(setup, ERRNO.EMFILE), { cause: /EMFILE/, remedy: /LimitNOFILE/ });
  t.match(answer(setup, ERRNO.EFAULT), { cause: /io_uring_setup: .*EFAULT/ });
});

t.test('a part that is refused later counts as well', async (t) => {
  t.match(answer(SYS_IO_URING_REGISTER, ERRNO.ENOMEM), { ok: false, cause: /MEMLOCK/ });
  t.match(answer(SYS_IO_URING_REGISTER, ERRNO.EPERM), { ok: false, cause: /security policy/ });
});
