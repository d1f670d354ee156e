/**
 * The case `growth`: what a short session costs as a pool grows, by policy. Pure: which peers take
 * part, with what, and when.
 */
import { POLICY_NAMES } from '../../src/core/spec.js';
import type { Measured, Work } from '../load/protocol.js';
import type { Values } from './measures.js';
import type { PeerName } from './peers.js';
import { orderOf } from './rounds.js';

export const GROWTH = 'growth';
export const SIZES = [2, 200, 2000, 10_000] as const;
export type Size = (typeof SIZES)[number];
export type Engine = Extract<PeerName, 'uring' | 'node'>;

/** One way to choose: of sluice by its policy, of HAProxy by its `balance`. */
export interface Chooser {
  readonly peer: 'sluice' | 'haproxy';
  readonly policy: string;
}

export interface GrowthSample extends Chooser {
  /** The engine of sluice; absent for HAProxy. */
  readonly engine?: Engine;
  readonly backends: Size;
  readonly round: number;
  /** Which turn of the round it was. */
  readonly turn: number;
  readonly values: Values;
  readonly measured: Measured;
}

export const CHOOSERS: readonly Chooser[] = [
  ...POLICY_NAMES.map((policy) => ({ peer: 'sluice', policy }) as const),
  ...['leastconn', 'random(2)'].map((policy) => ({ peer: 'haproxy', policy }) as const),
];

/** As in `connect`; clients have many addresses, so that `source-hash` has something to hash. */
export const GROWTH_WORK: Work = { kind: 'short', connections: 50, bytes: 64, sources: 4096 };

export interface Turn {
  readonly chooser: Chooser;
  readonly size: Size;
}

/** The turns of `round`: sizes of one chooser follow each other, because they are compared most. */
export function turnsOf(choosers: readonly Chooser[], round: number): readonly Turn[] {
  return orderOf(choosers, round).flatMap((chooser) =>
    orderOf(SIZES, round).map((size) => ({ chooser, size })),
  );
}

/** Hosts of backends: all of 127.0.0.0/8 is this machine, so that one listener serves them all. */
export function backendHosts(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `127.1.${index >> 8}.${index & 255}`);
}

export function nameOf({ peer, policy }: Chooser): string {
  return `${peer === 'sluice' ? 'sluice' : 'HAProxy'} ${policy}`;
}
