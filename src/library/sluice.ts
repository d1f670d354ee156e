/** The package as an application imports it: `import { createBalancer } from 'sluice'`. */
import type { SourceSnapshot } from '../core/source_snapshot.js';
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
import {
  createHealth,
  type DrainOptions,
  type HealthCheckOptions,
  type HealthHandler,
  type HealthReport,
  HealthService,
  type HealthServiceOptions,
} from './health_service.js';
import type { Instance, Instances } from './instances.js';
import type { PickedLease } from './lease.js';
import type { MetricRegistry } from './metrics.js';
import type {
  BackendOptions,
  BalancerOptions,
  DiscoveryOptions,
  Duration,
  HashOptions,
  HealthOptions,
  OutlierOptions,
  QueueOptions,
  RegistryOptions,
  SourceOptions,
  StepOptions,
} from './options.js';
import type { Registry } from './registry_source.js';
import type { BackendSnapshot, Snapshot, UnresolvedSnapshot } from './snapshot.js';

export type {
  Backend,
  BackendOptions,
  BackendSnapshot,
  BalancerEvents,
  BalancerOptions,
  Callback,
  ConnectOptions,
  DiscoveryOptions,
  DrainOptions,
  Duration,
  ExecuteOptions,
  Explanation,
  FailedTry,
  HashOptions,
  HealthCheckOptions,
  HealthHandler,
  HealthOptions,
  HealthReport,
  HealthServiceOptions,
  HedgeOptions,
  Instance,
  Instances,
  Key,
  MetricRegistry,
  NoBackendCode,
  OutlierOptions,
  PickedLease,
  PickOptions,
  QueueOptions,
  Registry,
  RegistryOptions,
  Snapshot,
  SourceOptions,
  SourceSnapshot,
  StepOptions,
  TryContext,
  UnresolvedSnapshot,
};
export {
  Balancer,
  balancerFromToml,
  createBalancer,
  createHealth,
  HealthService,
  NoBackendError,
  OptionsError,
  TryTimeoutError,
};
