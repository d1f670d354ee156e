/** One rule says which ends deserve an access line, of sessions and of flows alike. */
import t from 'tap';
import { lineRule } from '../../src/core/access.js';
import { CAUSES } from '../../src/core/outcome.js';
import type { AccessLevel } from '../../src/core/spec.js';
import { bed, client } from './udp/bed.js';

const LEVELS: readonly AccessLevel[] = ['off', 'errors', { oneOf: 1 }, 'all'];

t.test('a flow that ended gets a line by the same rule as a session', async (t) => {
  const { flows, engine, records, send, turn } = await opened();
  for (const level of LEVELS) {
    for (const cause of CAUSES) {
      for (const unreachable of [0, 1]) {
        flows.access = level;
        records.length = 0;
        const peer = send();
        if (unreachable === 1) engine.icmp(peer);
        flows.endFlows({ backend: null, cause: cause, spanMs: 0, order: 'final' });
        turn();
        const rule = lineRule(level, 'udp', cause, unreachable);
        const what = `${JSON.stringify(level)}, ${cause}, ${unreachable} unreachable`;
        t.equal(records.length, Number(rule !== 'no'), what);
        if (rule !== 'no') t.equal(records[0]?.leftOut, rule === 'yes' ? null : 0, what);
      }
    }
  }
});

async function opened() {
  const it = await bed();
  let clients = 0;
  const send = () => {
    const peer = client(++clients);
    it.send(peer, 'question');
    return peer;
  };
  /** Only some flows end in one turn of a worker. */
  const turn = () => it.flows.tick(it.time.nowMs());
  return { flows: it.flows, engine: it.engine, records: it.records, send, turn };
}
