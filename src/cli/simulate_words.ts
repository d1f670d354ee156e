/** The small languages of `sluice simulate`: backends and what befalls them. */
import type { SimulatedBackend, Trouble } from '../balance/simulate/scenario.js';
import { parseDuration } from '../config/quantity.js';

export function equalBackends(count: number): SimulatedBackend[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `b${index}`,
    weight: 1,
    speed: 1,
    maxConnections: 0,
  }));
}

const BACKEND = 'NAME[,weight=0 to 1000][,speed=above 0][,cap=N]';

/** `pg1,weight=2,speed=0.5,cap=100`; or what was expected. */
export function parseBackend(text: string): SimulatedBackend | string {
  const [name = '', ...settings] = text.split(',');
  const values = new Map<string, number>();
  for (const setting of settings) {
    const match = /^(weight|speed|cap)=(\d+(?:\.\d+)?)$/.exec(setting.trim());
    if (match === null) return BACKEND;
    values.set(match[1] ?? '', Number(match[2]));
  }
  const weight = values.get('weight') ?? 1;
  const speed = values.get('speed') ?? 1;
  const maxConnections = values.get('cap') ?? 0;
  const isGood = name !== '' && weight <= 1000 && speed > 0 && Number.isInteger(maxConnections);
  return isGood ? { name, weight, speed, maxConnections } : BACKEND;
}

/** `pg1@20s-40s` (down) or `pg1@20s-40sx5` (slow); or what was expected. */
export function parseTrouble(
  kind: 'down' | 'slow',
  text: string,
  names: readonly string[],
): Trouble | string {
  const expected = kind === 'down' ? 'NAME@20s-40s' : 'NAME@20s-40sx5';
  const match = /^(.+)@(\d+[a-z]+)-(\d+(?:ms|s|m|h|d))(?:x(\d+(?:\.\d+)?))?$/.exec(text);
  const fromMs = parseDuration(match?.[2] ?? '');
  const toMs = parseDuration(match?.[3] ?? '');
  if (fromMs === null || toMs === null || toMs <= fromMs) return `${expected}, in this order`;
  const backend = names.indexOf(match?.[1] ?? '');
  if (backend < 0) return `the name of a backend (${names.slice(0, 5).join(', ')} …)`;
  if (kind === 'down') {
    return match?.[4] === undefined ? { kind, backend, fromMs, toMs } : expected;
  }
  const factor = Number(match?.[4]);
  return factor >= 1 ? { kind, backend, fromMs, toMs, factor } : `${expected}, 1 or more times`;
}
