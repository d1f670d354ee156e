/** One worker of a bed: the real data plane over an engine without sockets, and its loop. */

import { DataPlane } from '../../../src/control/data_plane.js';
import type { AccessRecord } from '../../../src/core/access.js';
import type { WorkerId } from '../../../src/core/brand.js';
import type { Random } from '../../../src/core/random.js';
import { SeriesWriter } from '../../../src/core/series.js';
import type { ClientTable } from '../../../src/pool/client_table.js';
import type { KeyTable } from '../../../src/pool/key_table.js';
import type { Ledger } from '../../../src/pool/ledger.js';
import type { ReportDefect } from '../../../src/session/defect.js';
import type { CancelOrder } from '../../../src/session/tcp/deps.js';
import { FakeEngine } from '../../support/fake_engine.js';
import type { FakeTcpEngine } from '../../support/fake_tcp_engine.js';
import type { FakeTime } from '../../support/fake_time.js';

export interface BedWorkerDeps {
  readonly worker: WorkerId;
  readonly workers: number;
  readonly time: FakeTime;
  readonly ledger: Ledger;
  readonly clients: ClientTable;
  readonly keys: KeyTable;
  readonly memory: SharedArrayBuffer;
  readonly random: Random;
  readonly access: (record: AccessRecord) => void;
  readonly ring: (worker: WorkerId) => void;
  /** A defect fails the test unless the test is about it. */
  readonly internalError: ReportDefect;
}

export class BedWorker {
  readonly tcp: FakeTcpEngine;
  readonly plane: DataPlane;
  /** When the plane wants to be called again. */
  nextMs = 0;
  /** Accept errors that were reported. */
  readonly acceptErrors: string[] = [];
  readonly #time: FakeTime;
  /** How often another worker, or a test, has woken this one. */
  rings = 0;
  #bell: 'rung' | 'silent' = 'silent';

  /** CancelRequests that the main thread would hand on. */
  readonly cancels: CancelOrder[] = [];

  constructor(deps: BedWorkerDeps) {
    const engine = new FakeEngine(deps.time, 64);
    this.tcp = engine.tcp;
    this.#time = deps.time;
    this.plane = new DataPlane({
      ...deps,
      engine,
      turn: () => Promise.resolve(),
      series: new SeriesWriter(deps.memory, deps.worker),
      // It travels to the main thread.
      cancel: (order) => void this.cancels.push(structuredClone(order)),
      ejected: () => {},
      acceptFailed: (_, errno) => this.acceptErrors.push(errno),
      internalError: deps.internalError,
    });
    engine.attach(this.plane.edges.tcp, this.plane.edges.udp);
  }

  ring(): void {
    this.rings++;
    this.#bell = 'rung';
  }

  turn(): void {
    this.tcp.turn();
    if (this.#bell === 'rung') {
      this.#bell = 'silent';
      this.plane.rung();
    }
    this.nextMs = this.plane.tick(this.#time.nowMs());
  }
}
