/**
 * send-expect: a scripted dialogue. Each step sends, expects, or both; what is expected must come
 * in this order, but anything may stand in between.
 */
import type { ProbeSpec } from '../../core/health_spec.js';
import { quoted } from '../../secrets/quote.js';
import type { Redactor } from '../../secrets/redactor.js';
import type { Probe } from '../probe.js';
import type { Converse, ProbeConnection } from './connection.js';
import { fullSuccess, ProbeFailed } from './failed.js';

type SendExpectSpec = Extract<ProbeSpec, { kind: 'send-expect' }>;

export function sendExpectProbe(
  spec: SendExpectSpec,
  converse: Converse,
  redactor: Redactor,
): Probe {
  for (const { send } of spec.steps) redactor.learnWords(send ?? '');
  return {
    attempt: (target, signal) =>
      converse(target, signal, async (connection) => {
        if (spec.tls !== null) await connection.startTls(spec.tls);
        for (const { send, expect } of spec.steps) {
          if (send !== null) {
            // What came before it was sent is no answer to it.
            connection.skip(connection.unread.length);
            await connection.write(send);
          }
          if (expect !== null) await find(connection, expect, spec.minimumBytes);
        }
        await connection.finish();
        return fullSuccess();
      }),
  };
}

/**
 * Reads until `expected` has come and takes it with everything before it. Other data is a "no" once
 * `minimumBytes` of it are there (0: never, the rest may still come) or when the other side ends.
 */
async function find(
  connection: ProbeConnection,
  expected: Uint8Array,
  minimumBytes: number,
): Promise<void> {
  const wanted = `"${quoted(expected)}"`;
  for (;;) {
    const at = connection.unread.indexOf(expected);
    if (at >= 0) {
      connection.skip(at + expected.length);
      return;
    }
    const arrivedBytes = connection.unread.length;
    const got = arrivedBytes === 0 ? '' : `, got "${quoted(connection.unread)}"`;
    if (minimumBytes > 0 && arrivedBytes >= minimumBytes) {
      throw new ProbeFailed('wrong-answer', `expected ${wanted}${got}`);
    }
    if (await connection.more(`${wanted}${got}`)) continue;
    throw new ProbeFailed(
      arrivedBytes === 0 ? 'closed-early' : 'wrong-answer',
      `closed without ${wanted}${got}`,
    );
  }
}
