/**
 * Where a test's servers live: folders that vanish with the test, and ports that nobody else uses.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whatever lasts for a while and then ends what was started for it: a test, a benchmark. */
export interface Scope {
  teardown(end: () => unknown): unknown;
}

/** A new folder that other users may enter (some servers run as their own user). */
export function tempFolder(t: Scope): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  chmodSync(folder, 0o755);
  t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

// Servers that cannot bind port 0 get one below the kernel's range for outgoing connections (32768
// and up), so that no connection takes it in between; test processes start at different places.
const FIRST_PORT = 12_000;
const PORTS = 20_000;
const STRIDE = 61;
let nextPort = (process.pid * STRIDE) % PORTS;

/** A port on which nothing listens, for TCP and UDP. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < PORTS; tries++) {
    const port = FIRST_PORT + (nextPort++ % PORTS);
    if (await isFree(port)) return port;
  }
  throw new Error('no free port');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '0.0.0.0', port }, () => server.close(() => resolve(true)));
  });
}
