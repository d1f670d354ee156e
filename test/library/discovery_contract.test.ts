/**
 * The contract of sources (test/contract/discovery_suite.ts) as it stands, through what an
 * application calls: options, snapshots and events; and for a registry of the application.
 */
import { EventEmitter } from 'node:events';
import type { Test } from 'tap';
import type {
  SourceFailure,
  SourceKind,
  SourceSpec,
  WitnessRules,
} from '../../src/core/discovery_spec.js';
import { formatAddress } from '../../src/core/endpoint.js';
import { createBalancer } from '../../src/library/create.js';
import type { Instances } from '../../src/library/instances.js';
import { thisMachine } from '../../src/library/machine.js';
import type { RegistryOptions, SourceOptions } from '../../src/library/options.js';
import { readOptions } from '../../src/library/read_options.js';
import {
  lastByte,
  PEERS,
  type Peer,
  PORT,
  type SourcePeer,
  TIMES,
} from '../contract/discovery_peers.js';
import { contractOfSource, type Followed, type SeenDoubt } from '../contract/discovery_suite.js';
import { fastTime } from '../support/fast_time.js';
import type { WrongMap } from '../support/servers/wrong_http.js';

for (const kind of Object.keys(PEERS) as SourceKind[]) {
  contractOfSource(kind, PEERS[kind], (t, { spec }: Peer, rules) => {
    const options = optionsOf(spec);
    const [read] = readOptions({ discovery: options }).spec.discovery;
    t.same(read?.source, spec, 'options of the application are a source of the file');
    return follow(t, options, rules);
  });
}

contractOfSource('registry', registryPeer, (t, { registry }, rules) =>
  follow(t, { registry }, rules),
);

async function follow(
  t: Test,
  source: SourceOptions | RegistryOptions,
  { holdMs, confirmMs, maxRemovedPercent, limit }: WitnessRules,
): Promise<Followed> {
  const machine = { ...thisMachine, ...fastTime(TIMES) };
  const trust = { hold: holdMs, confirm: confirmMs, maxRemovedPercent, limit };
  const balancer = await createBalancer(
    { discovery: { ...source, ...trust }, health: { probe: 'none' } },
    machine,
  );
  const hosts = (): string =>
    balancer
      .snapshot()
      .backends.map(({ address }) => lastByte(address))
      .sort()
      .join(' ');
  const changes = hosts() === '' ? [] : [hosts()];
  /** After all of one change: they are reported one by one. */
  const look = (): void =>
    queueMicrotask(() => {
      if (changes.at(-1) !== hosts()) changes.push(hosts());
    });
  let told: Omit<SeenDoubt, 'kind'> = {};
  balancer.on('backend-added', look).on('backend-removed', look);
  balancer.on('discovery-failed', ({ cause, detail: problem }) => {
    told = { failure: cause as SourceFailure, problem };
  });
  balancer.on('discovery-suspicious', ({ removed: missing, backends: of }) => {
    told = { missing, of };
  });
  t.teardown(() => balancer.close());
  return {
    hosts,
    changes,
    answers: () => null,
    doubt: () => {
      const [source] = balancer.snapshot().sources;
      const kind = source?.state ?? 'good';
      if (kind === 'good' || kind === 'asking') return null;
      return { kind, ...told, problem: source?.reason ?? '' };
    },
    // An event comes when a source begins to fail.
    names: 'the first failure',
    leftOut: () =>
      /left out: (.*)$/.exec(balancer.snapshot().sources[0]?.reason ?? '')?.slice(1) ?? [],
    stop: () => void balancer.close(),
  };
}

function optionsOf(spec: SourceSpec): SourceOptions {
  switch (spec.kind) {
    case 'dns': {
      const { kind, name, port, minRefreshMs: minRefresh, maxRefreshMs: maxRefresh } = spec;
      return { kind, name, port, servers: spec.servers.map(formatAddress), minRefresh, maxRefresh };
    }
    case 'file':
      return spec;
    case 'http':
      return { kind: spec.kind, url: spec.url, interval: spec.intervalMs };
    case 'etcd':
      return { kind: spec.kind, urls: spec.urls, prefix: spec.prefix };
    case 'consul':
      return { kind: spec.kind, url: spec.url, service: spec.service };
    case 'kubernetes': {
      const { kind, namespace, service, port, kubeconfig } = spec;
      if (port === null || kubeconfig === null) throw new Error('the peer has both');
      return { kind, service: `${namespace}/${service}`, port, kubeconfig };
    }
    case 'sentinel': {
      const { kind, addresses, master, role } = spec;
      return { kind, addresses: addresses.map(formatAddress), master, role };
    }
    case 'patroni':
      return { kind: spec.kind, urls: spec.urls, role: spec.role };
  }
}

interface RegistryPeer extends SourcePeer {
  readonly registry: EventEmitter & { getInstances(): Instances | Promise<Instances> };
}

/** It is asked for all instances, and goes wrong in its own ways. */
async function registryPeer(): Promise<RegistryPeer> {
  const noneYet = (): Instances => {
    throw new Error('no instances were reported yet');
  };
  const registry = Object.assign(new EventEmitter(), {
    getInstances: noneYet as () => Instances | Promise<Instances>,
  });
  const answers = (answer: typeof registry.getInstances): void => {
    registry.getInstances = answer;
    registry.emit('instances-changed');
  };
  const wrong: WrongMap = new Map();
  const goes = (name: 'error' | 'garbage' | 'mute', failure: SourceFailure, answer: unknown) => {
    const begin = (): void => answers(answer as typeof registry.getInstances);
    wrong.set(name, { begin, failure });
  };
  goes('error', 'refused', () => Promise.reject(new Error('not today')));
  goes('garbage', 'malformed', () => 'a list of instances');
  goes('mute', 'timeout', () => new Promise(() => {}));
  return {
    most: 10_000,
    socket: null,
    registry,
    tell: (hosts) => answers(() => hosts.map((host) => ({ host, port: PORT }))),
    wrong,
  };
}
