/**
 * A torture program as data: a daemon, its listeners, pools and backends, and what happens when.
 * Everything in it can be left out without the rest losing its meaning, so that a failing program
 * can be reduced; times are milliseconds since the daemon was ready.
 */
import type { AccessLevel } from '../../src/core/spec.js';
import type { EngineUnderTest } from '../support/daemon.js';

export interface Program {
  readonly seed: number;
  readonly engine: EngineUnderTest;
  readonly workers: number;
  readonly access: Exclude<AccessLevel, object>;
  /** What the uring engine has of buffers, pipes and so on; null: as always. */
  readonly sizes: Readonly<Record<string, number>> | null;
  /** RLIMIT_NOFILE; null: as it is. */
  readonly openFiles: number | null;
  readonly listeners: readonly ListenerPlan[];
  readonly pools: readonly PoolPlan[];
  readonly clients: readonly ClientPlan[];
  readonly flows: readonly FlowPlan[];
  readonly acts: readonly Act[];
}

export const BINDS = ['0.0.0.0', '[::]', '127.0.0.1', '[::1]', 'unix'] as const;
export type Bind = (typeof BINDS)[number];

export type Lines = Readonly<Record<string, string | number | boolean>>;

export interface ListenerPlan {
  readonly name: string;
  readonly protocol: 'tcp' | 'udp';
  readonly bind: Bind;
  readonly pool: string;
  readonly routes: readonly RoutePlan[];
  readonly proxy: 'none' | 'trusted' | 'untrusted';
  readonly lines: Lines;
}

/** By client; pool '': it refuses. */
export interface RoutePlan {
  readonly client: string;
  /** What its TLS hello must name, which is waited for, and none does; null: anything. */
  readonly name: string | null;
  readonly pool: string;
}

export interface PoolPlan {
  readonly name: string;
  readonly protocol: 'tcp' | 'udp';
  readonly lines: Lines;
  readonly health: Lines;
  readonly outlier: Lines | null;
  readonly backends: readonly BackendPlan[];
}

/**
 * What a backend does with a connection. `answer`: a byte for each byte; `greet`: speaks first;
 * `finish-first`: speaks and ends its direction at once; `slow`: reads slowly; `deaf`: reads
 * nothing; `mute`: says nothing; `bulk`: answers with megabytes.
 */
export const HABITS = [
  'answer',
  'greet',
  'finish-first',
  'slow',
  'deaf',
  'mute',
  'bulk',
  'reset-early',
  'reset-late',
] as const;
export type Habit = (typeof HABITS)[number];

/** `silent`: its backlog is full, so that dials neither succeed nor fail. */
export type Standing = 'up' | 'dead' | 'silent';

export interface BackendPlan {
  readonly name: string;
  readonly first: Standing;
  /** One for each connection in turn. */
  readonly habits: readonly Habit[];
  readonly lines: Lines;
}

export type HeaderKind = 'v1' | 'v2' | 'bad' | 'cut';

export interface ClientPlan {
  readonly id: number;
  readonly atMs: number;
  readonly listener: string;
  /** The PROXY header that it sends, in pieces that come `gapMs` apart; null: none. */
  readonly header: {
    readonly kind: HeaderKind;
    readonly pieces: number;
    readonly gapMs: number;
  } | null;
  readonly steps: readonly Step[];
}

/** A client that has neither finished nor reset after its last step finishes then. */
export type Step =
  | { readonly do: 'send'; readonly bytes: number }
  /** 0: a turn of the event loop */
  | { readonly do: 'pause'; readonly ms: number }
  | { readonly do: 'finish' }
  | { readonly do: 'reset' }
  | { readonly do: 'stop-reading' }
  | { readonly do: 'read' };

export interface FlowPlan {
  readonly id: number;
  readonly atMs: number;
  readonly listener: string;
  readonly datagrams: number;
  readonly bytes: number;
  readonly gapMs: number;
}

export type Act =
  | { readonly atMs: number; readonly do: 'turn'; readonly backend: string; readonly to: Standing }
  | { readonly atMs: number; readonly do: 'reload'; readonly edits: readonly Edit[] }
  | { readonly atMs: number; readonly do: 'lose-worker' }
  | { readonly atMs: number; readonly do: 'stop' };

/** A change of the file; one whose object is not there changes nothing. */
export type Edit =
  | { readonly edit: 'lead'; readonly listener: string; readonly pool: string }
  | {
      readonly edit: 'route';
      readonly listener: string;
      readonly routes: readonly RoutePlan[];
    }
  | { readonly edit: 'remove-listener'; readonly listener: string }
  | { readonly edit: 'remove-backend'; readonly backend: string }
  | { readonly edit: 'restore-backend'; readonly backend: string }
  | { readonly edit: 'set'; readonly pool: string; readonly lines: Lines }
  | { readonly edit: 'set-backend'; readonly backend: string; readonly lines: Lines };

/** The listener and pool that nothing is done to: its sessions must never be touched. */
export const CALM = 'calm';
