/**
 * `npm run fuzz -- --engine uring [--messages N] [--seed S] [--at-once C]` sends fuzzed first
 * messages to the real daemon; a message is drawn from its seed, so `--messages 1 --seed S` sends
 * one again. The exit code is 1 if anything was found.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Daemon } from '../support/daemon.js';
import { tempFolder } from '../support/places.js';
import { bombard, fuzzBed } from './bombard.js';

const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: 'uring' },
    messages: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(1 + Math.floor(Math.random() * 1_000_000)) },
    'at-once': { type: 'string', default: '400' },
  },
});
const engine = values.engine === 'node' ? 'node' : 'uring';
const ends: (() => unknown)[] = [];
const scope = { teardown: (end: () => unknown) => ends.push(end) };
try {
  const daemon = new Daemon(join(tempFolder(scope), 'sluice.toml'), {
    engine,
    workers: 2,
    access: 'off',
    toml: await fuzzBed(scope),
  });
  scope.teardown(() => daemon.end());
  await daemon.event('ready');
  const seed = Number(values.seed);
  const messages = Number(values.messages);
  const tally = await bombard(daemon, { messages, seed, atOnce: Number(values['at-once']) });
  const { bystander, findings, slowestMs, perSecond } = tally;
  for (const finding of findings) console.log(finding);
  const sorted = [...tally.ends].sort(([, a], [, b]) => b - a);
  console.log(sorted.map(([end, count]) => `${end} ${count}`).join(', '));
  console.log(
    `fuzz on ${engine}: seeds ${seed} to ${seed + messages - 1}, ${perSecond.toFixed(0)} a ` +
      `second, the slowest ended after ${slowestMs.toFixed(0)} ms; the bystander: ` +
      `${bystander.turns} turns of at most ${bystander.slowestMs.toFixed(0)} ms; ` +
      `${findings.length} findings`,
  );
  process.exitCode = findings.length === 0 ? 0 : 1;
} finally {
  for (const end of ends.reverse()) await end();
}
