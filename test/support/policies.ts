/** Policies for tests and benchmarks, by name. */
import type { PolicyName, PolicySpec, SourceHashSpec } from '../../src/core/spec.js';

export type HashOptions = Partial<Omit<SourceHashSpec, 'name'>>;

const SOURCE_HASH: SourceHashSpec = {
  name: 'source-hash',
  algorithm: 'maglev',
  ipv6PrefixBits: 64,
  balanceFactor: 1.25,
  tableSize: 65_537,
};

/** `hash` counts where `name` says source-hash. */
export function policyNamed(name: PolicyName, hash: HashOptions = {}): PolicySpec {
  return name === 'source-hash' ? { ...SOURCE_HASH, ...hash } : { name };
}
