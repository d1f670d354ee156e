/** The package as an application imports it: `import { createBalancer } from 'sluice'`. */
import { Balancer } from './balancer.js';
import type { Key } from './client_key.js';
import { balancerFromToml, createBalancer } from './create.js';
import type { Backend } from './entry.js';
import { type NoBackendCode, NoBackendError, OptionsError, TryTimeoutError } from './errors.js';
import type { BalancerEvents } from './events.js';
import type {
  Callback,
  ConnectOptions,
  ExecuteOptions,
  FailedTry,
  HedgeOptions,
  PickOptions,
  TryContext,
} from './execute_options.js';
import type { Explanation } from './explanation.js';
import type { PickedLease } from './lease.js';
import type { MetricRegistry } from './metrics.js';
import type {
  BackendOptions,
  BalancerOptions,
  Duration,
  HashOptions,
  HealthOptions,
  OutlierOptions,
  QueueOptions,
  StepOptions,
} from './options.js';
import type { BackendSnapshot, Snapshot } from './snapshot.js';

export type {
  Backend,
  BackendOptions,
  BackendSnapshot,
  BalancerEvents,
  BalancerOptions,
  Callback,
  ConnectOptions,
  Duration,
  ExecuteOptions,
  Explanation,
  FailedTry,
  HashOptions,
  HealthOptions,
  HedgeOptions,
  Key,
  MetricRegistry,
  NoBackendCode,
  OutlierOptions,
  PickedLease,
  PickOptions,
  QueueOptions,
  Snapshot,
  StepOptions,
  TryContext,
};
export {
  Balancer,
  balancerFromToml,
  createBalancer,
  NoBackendError,
  OptionsError,
  TryTimeoutError,
};
