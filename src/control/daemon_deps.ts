/** What a daemon is made of: the machine, and the parts that tests replace. */
import type { Clock, Timers } from '../core/clock.js';
import type { SourceSpec } from '../core/discovery_spec.js';
import type { ProbeSpec } from '../core/health_spec.js';
import type { Random } from '../core/random.js';
import type { Result } from '../core/result.js';
import type { EngineName } from '../core/spec.js';
import type { Remembered } from '../discovery/remembered_text.js';
import type { Source, SourceDeps } from '../discovery/source.js';
import type { Probe } from '../health/probe.js';
import type { Kernel } from '../kernel/foreign.js';
import type { HostLookup } from '../names/host_lookup.js';
import type { Log } from '../observe/log.js';
import type { ControlCounters } from '../observe/metrics.js';
import type { Refusal } from './change_queue.js';
import type { DescriptorBudget } from './descriptor_budget.js';
import type { Override } from './desired/override.js';
import type { KeptSockets } from './kept_sockets.js';
import { NOTHING_PASSED, type PassedSockets } from './passed_sockets.js';
import type { SharedState } from './shared_state.js';
import type { LeaverOrder } from './upgrade/orders.js';
import type { Handed } from './upgrade/state_parts.js';
import type { Fleet, FleetDeps } from './worker_fleet.js';

/** What outlives the process. */
export interface KeptState {
  /** What operators had overridden when the process before this one ended. */
  readonly overrides: readonly Override[];
  /** Keeps them over a restart. */
  readonly keepOverrides: (overrides: readonly Override[]) => void;
  /** What sources had found by then. */
  readonly members: readonly Remembered[];
  readonly keepMembers: (members: readonly Remembered[]) => void;
  /** The listening sockets; null: they are not kept. */
  readonly sockets: KeptSockets | null;
  /** Listening sockets that systemd has opened. */
  readonly passed: PassedSockets;
  /** Asked before the first plan is in force; null: this process takes the place of no other. */
  readonly takesOver: (() => Promise<Result<null, Refusal>>) | null;
  /** What that process hands over of its state; null: there is none. */
  readonly handed: Handed | null;
  /** Says it to processes before this one that still finish sessions. */
  readonly orderBefore: (order: LeaverOrder) => void;
}

export const NOTHING_KEPT: KeptState = {
  overrides: [],
  keepOverrides: () => {},
  members: [],
  keepMembers: () => {},
  sockets: null,
  passed: NOTHING_PASSED,
  takesOver: null,
  handed: null,
  orderBefore: () => {},
};

export interface DaemonDeps extends KeptState {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly createProbe: (spec: ProbeSpec) => Probe;
  readonly createSource: (spec: SourceSpec, deps: SourceDeps) => Source;
  readonly createFleet: (deps: FleetDeps) => Fleet;
  readonly lookup: HostLookup;
  readonly kernel: Kernel | null;
  readonly shared: SharedState;
  readonly log: Log;
  readonly counters: ControlCounters;
  readonly engine: EngineName;
  /** What the engine does without, and the log has said so already. */
  readonly withouts: readonly string[];
  readonly workers: number;
  readonly budget: DescriptorBudget;
}
