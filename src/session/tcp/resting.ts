/** When a session whose dial lacked a descriptor or a port of this machine tries again. */
import type { TcpSession } from './session.js';

/** Between two dials. */
const REST_MS = 50;

/** null: it has tried for as long as a dial may take. Others may give back what it lacks. */
export function nextDialMs(session: TcpSession, nowMs: number): number | null {
  session.restUntilMs ??= nowMs + session.waiting.pool.settings.connectTimeoutMs;
  return nowMs >= session.restUntilMs ? null : nowMs + REST_MS;
}
