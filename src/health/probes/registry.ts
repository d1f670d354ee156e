/** The probe for a definition: the one place that knows all of them. */
import { unreachable } from '../../core/assert.js';
import type { ProbeSpec } from '../../core/spec.js';
import type { Probe } from '../probe.js';
import { whole } from './failed.js';
import { tcpProbe } from './tcp.js';

/** Makes the probe for `spec`; for `none`, one that always says yes (the checker never asks it). */
export function createProbe(spec: ProbeSpec): Probe {
  switch (spec.kind) {
    case 'none':
      return { attempt: async () => whole() };
    case 'tcp':
      return tcpProbe;
    default:
      return unreachable(spec as never);
  }
}
