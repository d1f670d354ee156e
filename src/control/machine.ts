/** What this machine allows a daemon, looked at once: the facts of `sluice doctor`. */
import { availableParallelism, release } from 'node:os';
import type { PortRange } from '../core/port_range.js';
import type { EngineName } from '../core/spec.js';
import { checkEngines } from '../engine/checks.js';
import type { EngineCheck } from '../engine/select.js';
import { loadKernel } from '../kernel/foreign.js';
import {
  acceptBacklogLimit,
  descriptorLimit,
  ephemeralPortRange,
  lockedMemoryLimit,
  type ResourceLimit,
} from '../system/limits.js';
import { type PortSharing, portSharing } from './port_sharing.js';
import { workerCount } from './sizing.js';

export interface MachineSurvey {
  /** `v20.19.0` */
  readonly node: string;
  /** `linux` */
  readonly platform: string;
  /** Of the kernel: `6.1.0-37-amd64`. */
  readonly release: string;
  /** `x64`, `arm64` */
  readonly architecture: string;
  /** CPUs that this process may use. */
  readonly cores: number;
  /** Threads that `workers = "auto"` starts. */
  readonly workers: number;
  /** Can several workers listen on one port? */
  readonly portSharing: PortSharing;
  /** Best first. */
  readonly engines: readonly EngineCheck[];
  /** What `engine = "auto"` takes; null: nothing works here. */
  readonly auto: EngineName | null;
  /** null, here and below: the kernel does not say. */
  readonly descriptors: ResourceLimit | null;
  /** Bytes. */
  readonly lockedMemory: ResourceLimit | null;
  readonly ports: PortRange | null;
  readonly acceptBacklog: number | null;
}

export function lookAtMachine(): MachineSurvey {
  const engines = checkEngines();
  const kernel = loadKernel();
  const sharing = portSharing(kernel.ok ? kernel.value : null);
  const cores = availableParallelism();
  return {
    node: process.version,
    platform: process.platform,
    release: release(),
    architecture: process.arch,
    cores,
    workers: workerCount('auto', cores, sharing),
    portSharing: sharing,
    engines,
    auto: engines.find(({ state }) => state === 'usable')?.engine ?? null,
    descriptors: descriptorLimit(),
    lockedMemory: lockedMemoryLimit(),
    ports: ephemeralPortRange(),
    acceptBacklog: acceptBacklogLimit(),
  };
}
