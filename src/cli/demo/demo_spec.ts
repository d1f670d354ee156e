/**
 * The demo's configuration, in the words of a file: what an operator would write for these servers,
 * with quicker probes, so that a death is seen at once.
 */
import { loadConfig } from '../../config/load.js';
import { err, ok, type Result } from '../../core/result.js';
import type { Spec } from '../../core/spec.js';
import type { DemoAddress } from './traffic.js';

/**
 * A Spec for `backends`; or what is wrong, which can only be `engine`: everything else stands here.
 */
export function demoSpec(engine: string, backends: readonly DemoAddress[]): Result<Spec, string> {
  const loaded = loadConfig(demoToml(engine, backends), 'demo');
  if (loaded.ok) return ok(loaded.value.spec);
  const { error } = loaded;
  return err(error.map((issue) => `${issue.problem} (expected ${issue.expected})`).join(', '));
}

/** The log has errors only: the pictures show the rest. */
export function demoToml(engine: string, backends: readonly DemoAddress[]): string {
  const tables = backends.map(
    ({ name, address }) => `[[pools.demo.backends]]\nname = "${name}"\naddress = "${address}"\n`,
  );
  return `[daemon]
engine = ${JSON.stringify(engine)}
shutdown_timeout = "1s"
[log]
level = "error"
access = "off"
[admin]
http = "127.0.0.1:0"
[listeners.demo]
bind = "127.0.0.1:0"
pool = "demo"
[pools.demo]
slow_start = "2s"
[pools.demo.health]
interval = "500ms"
fast_interval = "200ms"
down_interval = "500ms"
timeout = "400ms"
fall = 2
rise = 2
${tables.join('')}`;
}
