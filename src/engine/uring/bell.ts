/** The doorbell of a thread that blocks in the kernel: an eventfd that the ring polls. */
import { assert } from '../../core/assert.js';
import type { WorkerId } from '../../core/brand.js';
import type { Doorbell } from '../../core/doorbell.js';
import { ok, type Result } from '../../core/result.js';
import { adoptDescriptor, createBell, type Descriptor } from '../../kernel/descriptor.js';
import type { KernelError } from '../../kernel/errno.js';
import type { Kernel } from '../../kernel/foreign.js';
import { POLLIN, submitPollMany } from '../../kernel/submissions.js';
import { CQE_F_MORE } from '../../kernel/uring_abi.js';
import type { Loop } from './loop.js';
import { BELL, userData } from './user_data.js';

export class Bell {
  readonly fd: Descriptor;
  readonly #kernel: Kernel;
  readonly #loop: Loop;
  readonly #count = new Uint8Array(8);

  private constructor(kernel: Kernel, loop: Loop, fd: Descriptor) {
    this.fd = fd;
    this.#kernel = kernel;
    this.#loop = loop;
  }

  static create(
    kernel: Kernel,
    loop: Loop,
    doorbell: Doorbell,
    worker: WorkerId,
  ): Result<Bell, KernelError> {
    const kept = doorbell.kept(worker);
    if (kept !== null) return ok(new Bell(kernel, loop, adoptDescriptor(kept)));
    const created = createBell(kernel);
    if (!created.ok) return created;
    doorbell.keep(worker, created.value);
    return ok(new Bell(kernel, loop, created.value));
  }

  /** Calls `rung` in the turn after each ring; rings may be merged. */
  listen(rung: () => void): void {
    this.#loop.on(BELL, (_, __, result, flags) => {
      assert(result > 0, `poll(2) watches the bell: ${result}`);
      if ((flags & CQE_F_MORE) === 0) this.#arm();
      // Emptied before the hook looks around, so that a ring during the hook is not lost.
      this.#kernel.libc.read(this.fd, this.#count, this.#count.length);
      rung();
    });
    this.#arm();
  }

  #arm(): void {
    submitPollMany(this.#loop.ring, this.fd, POLLIN, userData(BELL, 0), 0);
  }
}
