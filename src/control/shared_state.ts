/** Everything that the threads share, made once at start. */
import { createDoorbellMemory, Doorbell } from '../core/doorbell.js';
import type { Random } from '../core/random.js';
import { createSeriesMemory, SeriesReader } from '../core/series.js';
import { ringBell } from '../kernel/descriptor.js';
import type { Kernel } from '../kernel/foreign.js';
import { createHoldingsMemory, Holdings } from '../kernel/holdings.js';
import { ClientTable, createClientMemory } from '../pool/client_table.js';
import { createKeyMemory, KeyTable } from '../pool/key_table.js';
import { createLedgerMemory, Ledger } from '../pool/ledger.js';
import { systemClock } from '../system/clock.js';
import { createClockMemory } from '../system/living_clock.js';
import { createVitalsMemory, Vitals } from './vitals.js';
import type { SharedMemory } from './worker_protocol.js';

export interface SharedState {
  readonly memory: SharedMemory;
  readonly ledger: Ledger;
  readonly series: SeriesReader;
  readonly clients: ClientTable;
  readonly keys: KeyTable;
  readonly doorbell: Doorbell;
  readonly vitals: Vitals;
  readonly holdings: Holdings;
}

export function createSharedState(
  workers: number,
  kernel: Kernel | null,
  random: Random,
): SharedState {
  const memory: SharedMemory = {
    ledger: createLedgerMemory(),
    series: createSeriesMemory(workers),
    clients: createClientMemory(workers, random),
    keys: createKeyMemory(workers, random),
    doorbell: createDoorbellMemory(),
    vitals: createVitalsMemory(),
    holdings: createHoldingsMemory(),
    clock: createClockMemory(systemClock.nowMs()),
  };
  return {
    memory,
    ledger: new Ledger(memory.ledger),
    series: new SeriesReader(memory.series),
    clients: new ClientTable(memory.clients),
    keys: new KeyTable(memory.keys),
    doorbell: new Doorbell(memory.doorbell, (fd) => {
      if (kernel !== null) ringBell(kernel, fd);
    }),
    vitals: new Vitals(memory.vitals),
    holdings: new Holdings(memory.holdings),
  };
}
