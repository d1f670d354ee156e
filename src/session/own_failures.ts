/** Dials that failed for want of something on this machine. */
import type { DialFailure } from '../core/outcome.js';

/** It says nothing about the backend, and no other backend would help. */
export type OwnFailure = Extract<
  DialFailure,
  'no-descriptor' | 'no-free-port' | 'no-source-address'
>;

const OWN: ReadonlySet<DialFailure> = new Set<OwnFailure>([
  'no-descriptor',
  'no-free-port',
  'no-source-address',
]);

export function isOwn(failure: DialFailure): failure is OwnFailure {
  return OWN.has(failure);
}
