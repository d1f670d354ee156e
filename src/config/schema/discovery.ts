/** `[[pools.NAME.discovery]]`: where further backends are known, and how far that is believed. */
import { present, unreachable } from '../../core/assert.js';
import type { DiscoverySpec, SourceSpec } from '../../core/discovery_spec.js';
import { KIND, SOURCE_KEYS, type SourceValue } from './discovery_keys.js';
import { duration, flag, integer } from './kinds.js';
import { listed, table, type ValueOf } from './node.js';

const MAX_LIMIT = 16_384;

export const DISCOVERY = table(
  'A source of further backends, its members. They come and go by themselves; one whose address is in the file too keeps what the file says of it. A source is trusted only so far: unreachable, broken and suspicious answers change nothing, and the last good answer outlives a restart. Of several members with one address the first counts, and UNIX sockets are accepted from a file only: an answer over the network names no files of this machine.',
  {
    kind: KIND,
    ...SOURCE_KEYS,
    hold: duration({
      default: '30s',
      min: '100ms',
      max: '1d',
      zero: 'not at all',
      doc: 'How long a member that is no longer named stays while its probes pass. When they fail it goes at once. While none of those that are named is well, those that serve stay beyond this time; not where the source knows roles.',
    }),
    confirm: duration({
      default: '10s',
      min: '100ms',
      max: '1d',
      zero: 'at once',
      doc: 'How long a suspicious answer must repeat before it counts. An answer that fails between is neither a repetition nor the end of one.',
    }),
    max_removed_percent: integer({
      default: 50,
      min: 0,
      max: 100,
      doc: 'An answer that takes away a larger share of the members than this is suspicious. 100: none is. Members that are down, or that no probe has found well yet, are not removed because of an answer.',
    }),
    allow_empty: flag({
      default: false,
      doc: 'true: an empty answer, once confirmed, takes all members away. Else it changes nothing.',
    }),
    limit: integer({
      default: 1_024,
      min: 1,
      max: MAX_LIMIT,
      doc: 'Members of this source; an answer with more of them changes nothing.',
    }),
  },
);

export const DISCOVERIES = listed(DISCOVERY);

export type DiscoveryValue = ValueOf<typeof DISCOVERY>;

/** `value` has passed the checks. */
export function discoverySpec(value: DiscoveryValue, poolMaxConnections: number): DiscoverySpec {
  return {
    source: sourceSpec(value, present(value.kind, 'a checked source has a kind')),
    rules: {
      holdMs: value.hold,
      confirmMs: value.confirm,
      maxRemovedPercent: value.max_removed_percent,
      whenEmpty: value.allow_empty ? 'follow' : 'keep',
      limit: value.limit,
    },
    maxConnections: poolMaxConnections,
  };
}

function sourceSpec(value: SourceValue, kind: SourceSpec['kind']): SourceSpec {
  switch (kind) {
    case 'dns':
      return {
        kind,
        name: present(value.name, 'a checked dns source has a name'),
        records: value.srv ? 'services' : 'addresses',
        port: typeof value.port === 'number' ? value.port : 0,
        servers: value.servers,
        minRefreshMs: value.min_refresh,
        maxRefreshMs: value.max_refresh,
      };
    case 'file':
      return { kind, path: present(value.path, 'a checked file source has a path') };
    case 'http':
      return {
        kind,
        url: present(value.url, 'a checked http source has a url'),
        intervalMs: value.interval,
        tokenFile: value.token_file ?? null,
        caFile: value.ca_file ?? null,
      };
    case 'etcd':
    case 'consul':
    case 'kubernetes':
      return registrySpec(value, kind);
    case 'sentinel':
      return {
        kind,
        addresses: value.addresses,
        master: present(value.master, 'a checked sentinel source has a master'),
        role: value.role,
        passwordFile: value.password_file ?? null,
      };
    case 'patroni':
      return {
        kind,
        urls: value.urls,
        role: value.role,
        maxLagBytes: value.max_lag,
        caFile: value.ca_file ?? null,
      };
    default:
      return unreachable(kind);
  }
}

function registrySpec(value: SourceValue, kind: 'etcd' | 'consul' | 'kubernetes'): SourceSpec {
  switch (kind) {
    case 'etcd':
      return {
        kind,
        urls: value.urls,
        prefix: present(value.prefix, 'a checked etcd source has a prefix'),
        user: value.user ?? null,
        passwordFile: value.password_file ?? null,
        caFile: value.ca_file ?? null,
      };
    case 'consul':
      return {
        kind,
        url: present(value.url, 'a checked consul source has a url'),
        service: present(value.service, 'a checked consul source has a service'),
        tag: value.tag ?? null,
        consistency: value.stale ? 'stale' : 'default',
        tokenFile: value.token_file ?? null,
        caFile: value.ca_file ?? null,
      };
    case 'kubernetes': {
      const path = present(value.service, 'a checked kubernetes source has a service');
      const [namespace = '', service = ''] = path.split('/');
      return {
        kind,
        namespace,
        service,
        port: value.port ?? null,
        kubeconfig: value.kubeconfig ?? null,
        zone: value.zone ?? null,
      };
    }
    default:
      return unreachable(kind);
  }
}
