/** `[[pools.NAME.discovery]]` as the file has it: a source, and how far it is believed. */
import { type Address, formatAddress, type IpEndpoint } from './endpoint.js';

/** A part of PoolSpec; control follows it, workers never see it. */
export interface DiscoverySpec {
  readonly source: SourceSpec;
  readonly rules: WitnessRules;
  /** The cap of a member for which the source names none: 0 is none. */
  readonly maxConnections: number;
}

/** How far a source is believed. */
export interface WitnessRules {
  /** How long a member that is not named any more, but passes its probes, stays. */
  readonly holdMs: number;
  /** How long a suspicious answer must repeat before it counts. */
  readonly confirmMs: number;
  /** An answer that takes away more of the members than this is suspicious. */
  readonly maxRemovedPercent: number;
  /** Whether an empty answer, once confirmed, empties the source. */
  readonly whenEmpty: 'keep' | 'follow';
  /** Members of one answer, at most. */
  readonly limit: number;
}

export type SourceSpec =
  | DnsSourceSpec
  | FileSourceSpec
  | HttpSourceSpec
  | EtcdSourceSpec
  | ConsulSourceSpec
  | KubernetesSourceSpec
  | SentinelSourceSpec
  | PatroniSourceSpec;
export type SourceKind = SourceSpec['kind'];

export interface DnsSourceSpec {
  readonly kind: 'dns';
  readonly name: string;
  /** `addresses`: A and AAAA, all at `port`; `services`: SRV. */
  readonly records: 'addresses' | 'services';
  /** 0 with `services`, which name their own. */
  readonly port: number;
  /** Empty: those of the system. */
  readonly servers: readonly IpEndpoint[];
  /** A TTL counts within these bounds. */
  readonly minRefreshMs: number;
  readonly maxRefreshMs: number;
}

export interface FileSourceSpec {
  readonly kind: 'file';
  readonly path: string;
}

export interface HttpSourceSpec {
  readonly kind: 'http';
  readonly url: string;
  readonly intervalMs: number;
  readonly tokenFile: string | null;
  readonly caFile: string | null;
}

export interface EtcdSourceSpec {
  readonly kind: 'etcd';
  /** Of members of the cluster, tried in turn. */
  readonly urls: readonly string[];
  /** Each key below it is a member. */
  readonly prefix: string;
  /** null: the cluster asks for no password. */
  readonly user: string | null;
  readonly passwordFile: string | null;
  readonly caFile: string | null;
}

export interface ConsulSourceSpec {
  readonly kind: 'consul';
  /** Of an agent. */
  readonly url: string;
  readonly service: string;
  /** null: with any tags. */
  readonly tag: string | null;
  /** `stale`: any server may answer, also while there is no leader. */
  readonly consistency: 'default' | 'stale';
  readonly tokenFile: string | null;
  readonly caFile: string | null;
}

export interface KubernetesSourceSpec {
  readonly kind: 'kubernetes';
  readonly namespace: string;
  readonly service: string;
  /** Its name or number in the slices; null: the only one that they have. */
  readonly port: string | number | null;
  /** null: the service account of the pod. */
  readonly kubeconfig: string | null;
  /** Endpoints elsewhere are backups; null: all are equal. */
  readonly zone: string | null;
}

export interface SentinelSourceSpec {
  readonly kind: 'sentinel';
  readonly addresses: readonly Address[];
  /** As the sentinels call it. */
  readonly master: string;
  readonly role: SourceRole;
  readonly passwordFile: string | null;
}

export interface PatroniSourceSpec {
  readonly kind: 'patroni';
  /** Of members, any of them. */
  readonly urls: readonly string[];
  readonly role: SourceRole;
  /** A replica that is further behind is left out; 0: none is. */
  readonly maxLagBytes: number;
  readonly caFile: string | null;
}

/** Which of the members that a source knows are asked for. */
export type SourceRole = 'primary' | 'replica' | 'any';

/** Why a source has no answer; a label of a metric. */
export const SOURCE_FAILURES = [
  /** Nothing answers there, or nothing that speaks the protocol. */
  'unreachable',
  /** No answer in time, or one that has no end. */
  'timeout',
  /** An answer that says no: an error of the protocol, a status, a missing right. */
  'refused',
  /** An answer that cannot be read, or only in part. */
  'malformed',
  /** More members, more bytes or more redirects than the limit. */
  'too-much',
] as const;
export type SourceFailure = (typeof SOURCE_FAILURES)[number];

/** Which source it is, for people and as a label: `dns pg.example.org:5432`. It holds no secret. */
export function sourceName(spec: SourceSpec): string {
  switch (spec.kind) {
    case 'dns':
      return spec.records === 'services' ? `dns ${spec.name} SRV` : `dns ${spec.name}:${spec.port}`;
    case 'file':
      return `file ${spec.path}`;
    case 'http':
      return `http ${withoutQuery(spec.url)}`;
    case 'etcd':
      return `etcd ${spec.prefix} ${spec.urls.map(withoutQuery).join(',')}`;
    case 'consul': {
      const tag = spec.tag === null ? '' : ` ${spec.tag}`;
      return `consul ${spec.service}${tag} ${withoutQuery(spec.url)}`;
    }
    case 'kubernetes': {
      const port = spec.port === null ? '' : `:${spec.port}`;
      return `kubernetes ${spec.namespace}/${spec.service}${port}`;
    }
    case 'sentinel':
      return `sentinel ${spec.master} ${spec.role} ${spec.addresses.map(formatAddress).join(',')}`;
    case 'patroni':
      return `patroni ${spec.role} ${spec.urls.map(withoutQuery).join(',')}`;
  }
}

/** A query may hold a token; four digits of its hash distinguish queries. */
function withoutQuery(url: string): string {
  const at = url.search(/[?#]/);
  if (at === -1) return url;
  let hash = 0;
  for (let place = at; place < url.length; place++) {
    hash = (Math.imul(hash, 31) + url.charCodeAt(place)) & 0xffff;
  }
  return `${url.slice(0, at)}?${hash.toString(16).padStart(4, '0')}`;
}
