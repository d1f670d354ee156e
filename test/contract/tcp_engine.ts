/**
 * What every engine promises for TCP (src/session/tcp_port.ts), whatever it moves bytes with. The
 * suite runs on one thread with the engine under test; a blocking engine is pumped by an adapter.
 */
import type { Test } from 'tap';
import { addressesContract } from './tcp/addresses.js';
import { askingContract } from './tcp/asking.js';
import type { MakeEngine } from './tcp/bench.js';
import { brokenContract } from './tcp/broken.js';
import { closingContract } from './tcp/closing.js';
import { dialContract } from './tcp/dial.js';
import { dialledFromContract } from './tcp/dialled_from.js';
import { exhaustionContract } from './tcp/exhaustion.js';
import { firstBytesContract } from './tcp/first_bytes.js';
import { headerContract } from './tcp/header.js';
import { listeningContract } from './tcp/listening.js';
import { loopContract } from './tcp/loop.js';
import { manyContract } from './tcp/many.js';
import { newcomersContract } from './tcp/newcomers.js';
import { overContract } from './tcp/over.js';
import { overhearingContract } from './tcp/overhearing.js';
import { partingContract } from './tcp/parting.js';
import { relayContract } from './tcp/relay.js';
import { resetContract } from './tcp/reset.js';
import { standstillContract } from './tcp/standstill.js';
import { waitingContract } from './tcp/waiting.js';

/**
 * `makeModule`: a module that exports `make` as `makeEngine`, for tests in a process of their own.
 */
export function tcpEngineContract(t: Test, make: MakeEngine, makeModule: URL): void {
  listeningContract(t, make);
  addressesContract(t, make);
  headerContract(t, make);
  dialContract(t, make);
  dialledFromContract(t, make);
  askingContract(t, make);
  overhearingContract(t, make);
  firstBytesContract(t, make);
  waitingContract(t, make);
  relayContract(t, make);
  resetContract(t, make);
  standstillContract(t, make);
  closingContract(t, make);
  overContract(t, make);
  partingContract(t, make);
  brokenContract(t, make);
  manyContract(t, make);
  newcomersContract(t, make);
  loopContract(t, make);
  exhaustionContract(t, makeModule);
}
