/** What one attempt does: from the keys of `[pools.NAME.health]` to the probe that they ask for. */
import { present, unreachable } from '../../core/assert.js';
import type { ProbeSpec, ProbeTls, SecretSource, SendExpectStep } from '../../core/health_spec.js';
import type { ProbeValue } from './probe_keys.js';

/** `value` has passed the checks: only keys of its kind, and those that the kind needs. */
export function probeSpec(value: ProbeValue): ProbeSpec {
  const kind = value.probe;
  switch (kind) {
    case 'none':
    case 'tcp':
    case 'mysql':
      return { kind };
    case 'send-expect':
      return {
        kind,
        steps: stepsOf(value),
        minimumBytes: value.minimum_size,
        tls: optionalTls(value),
      };
    case 'http': {
      const { method, path, status, host = null } = value;
      return { kind, method, path, status, host, tls: optionalTls(value) };
    }
    case 'tls':
      return { kind, tls: tlsOptions(value), expiryWarningMs: value.expiry_warning };
    case 'redis': {
      const { role, user = null } = value;
      return { kind, role, user, password: secretOf(value), tls: optionalTls(value) };
    }
    case 'postgres': {
      const { role, user = null, database, max_lag: maxLagMs } = value;
      const password = secretOf(value);
      const allowCleartextPassword = value.allow_cleartext_password;
      const tls = optionalTls(value);
      return { kind, role, user, database, password, maxLagMs, allowCleartextPassword, tls };
    }
    case 'dns': {
      const name = present(value.name, 'a checked dns probe asks for a name');
      return { kind, name, type: value.type, rcodes: value.rcodes };
    }
    case 'udp': {
      const send = present(value.send, 'a checked udp probe sends something');
      return { kind, send, expect: value.expect ?? null };
    }
    default:
      return unreachable(kind);
  }
}

function stepsOf(value: ProbeValue): readonly SendExpectStep[] {
  const steps = value.steps.length > 0 ? value.steps : [value];
  return steps.map(({ send = null, expect = null }) => ({ send, expect }));
}

function secretOf(value: ProbeValue): SecretSource | null {
  if (value.password_file !== undefined) return { kind: 'file', path: value.password_file };
  if (value.password_env !== undefined) return { kind: 'environment', name: value.password_env };
  return null;
}

function optionalTls(value: ProbeValue): ProbeTls | null {
  return value.tls ? tlsOptions(value) : null;
}

function tlsOptions(value: ProbeValue): ProbeTls {
  return {
    serverName: value.tls_server_name ?? null,
    verify: value.tls_verify,
    caFile: value.tls_ca_file ?? null,
  };
}
