/** What a backend has done so far, as `sluice ctl why` shows it. */
import type { ShapeOf } from '../../control/api/shape.js';
import type { TRAFFIC } from '../../control/api/traffic.js';
import { counts } from './lists.js';
import type { TextRows } from './output.js';
import { bytes } from './sessions.js';

type Traffic = ShapeOf<typeof TRAFFIC>;

export function trafficRows(of: Traffic): TextRows {
  return [
    ['SESSIONS', 'RETRIES', 'IN', 'OUT', 'FAILED DIALS', 'ENDS', 'CONNECT', 'FIRST BYTE'],
    [
      String(of.sessions),
      String(of.retries),
      bytes(of.bytes_in),
      bytes(of.bytes_out),
      counts(of.failed_dials),
      counts(of.ends),
      quantiles(of.connect),
      quantiles(of.first_byte),
    ],
  ];
}

function quantiles(of: Traffic['connect']): string {
  return of === null ? '-' : `p50 ${milliseconds(of.median_ms)}, p99 ${milliseconds(of.p99_ms)}`;
}

/** Three digits: a connect takes microseconds on one machine, and seconds over a bad network. */
function milliseconds(value: number): string {
  return `${Number(value.toPrecision(3))} ms`;
}
