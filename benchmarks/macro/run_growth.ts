/** Takes the samples of `growth`: each way to choose has a process for each size of its pool. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, tempFolder } from '../../test/support/places.js';
import { repositoryRoot } from '../../test/support/repository.js';
import { program } from '../../test/support/require_server.js';
import type { Ready } from '../load/protocol.js';
import { type Endings, withEndings } from '../support/endings.js';
import { valuesOf } from './cases.js';
import {
  backendHosts,
  CHOOSERS,
  type Chooser,
  type Engine,
  GROWTH,
  GROWTH_WORK,
  nameOf,
  type Size,
  type Turn,
  turnsOf,
} from './growth.js';
import { type PeerName, type Serving, startServing } from './peers.js';
import type { Setting } from './run.js';
import { fillIn } from './template.js';

/** Of the usual length of a turn: there are many, and the last of a round must not be far away. */
const TURN_SHARE = 1 / 2;

/**
 * Of the usual length of a turn, before anything of it counts. A proxy in service has in the caches
 * what it used in the last second; here it finds those of 35 others, and a turn that counted from
 * its beginning would have each of 10,000 backends once, as if none had been used for a minute. By
 * then each has had two sessions or more.
 */
const SERVICE_SHARE = 1.2;

/** How many sessions each backend has had, on average, before anything counts. */
const WARM_SESSIONS = 3;
const MOST_WARM_PARTS = 20;

const TEMPLATES = join(repositoryRoot, 'benchmarks/peers');

export async function runGrowth(names: readonly PeerName[], setting: Setting): Promise<void> {
  const { load, pace, recorder } = setting;
  const engine: Engine = names.includes('uring') ? 'uring' : 'node';
  const choosers = CHOOSERS.filter(({ peer }) => names.includes(peer === 'sluice' ? engine : peer));
  await withEndings(async (scope) => {
    const serving = new Map<string, Serving>();
    const measure = async ({ chooser, size }: Turn, warmMs: number, measureMs: number) => {
      const used = serving.get(keyOf(chooser, size));
      if (used === undefined) return null;
      const target = { protocol: 'tcp', ports: [used.port] } as const;
      return load.measure({ target, work: GROWTH_WORK, warmMs, measureMs, pids: used.pids });
    };
    for (const turn of turnsOf(choosers, 0)) {
      const { chooser, size } = turn;
      await recorder.attempt(GROWTH, nameOf(chooser), async () => {
        const started = await start(scope, chooser, size, engine, load.ready);
        serving.set(keyOf(chooser, size), started);
        // What is made at the first session of each backend has been made then, too.
        let done = 0;
        for (let part = 0; part < MOST_WARM_PARTS && done < WARM_SESSIONS * size; part++) {
          done += (await measure(turn, 0, pace.compileMs))?.count ?? 0;
        }
      });
    }
    const warmMs = pace.measureMs * SERVICE_SHARE;
    for (let round = 0; round < pace.rounds; round++) {
      for (const [turn, whose] of turnsOf(choosers, round).entries()) {
        const { chooser, size } = whose;
        await recorder.attempt(GROWTH, nameOf(chooser), async () => {
          const measured = await measure(whose, warmMs, pace.measureMs * TURN_SHARE);
          if (measured === null) return;
          const values = valuesOf(GROWTH_WORK, measured);
          const subject = chooser.peer === 'sluice' ? { engine } : {};
          const sample = { ...chooser, ...subject, backends: size, round, turn, values, measured };
          recorder.addGrowth(sample);
        });
      }
    }
  });
}

async function start(
  scope: Endings,
  chooser: Chooser,
  size: Size,
  engine: Engine,
  { anywherePort }: Ready,
): Promise<Serving> {
  const folder = tempFolder(scope);
  const tcp = await freePort();
  const common = {
    TCP_PORT: String(tcp),
    METRICS_PORT: String(await freePort()),
    POLICY: chooser.policy,
  };
  const addresses = backendHosts(size).map((host) => `${host}:${anywherePort}`);
  if (chooser.peer === 'haproxy') {
    const servers = addresses.map((address, index) => `server s${index} ${address}`);
    const file = written(folder, 'growth.cfg', { ...common, SERVERS: servers.join('\n  ') });
    return startServing(scope, program('haproxy'), ['-db', '-f', file], tcp);
  }
  const servers = addresses.map((each) => `[[pools.pool.backends]]\naddress = "${each}"`);
  const values = { ...common, ENGINE: engine, SERVERS: servers.join('\n') };
  const file = written(folder, 'growth.toml', values);
  const script = join(repositoryRoot, 'bin/sluice');
  return startServing(scope, process.execPath, [script, 'run', '-c', file], tcp);
}

function written(folder: string, name: string, values: Readonly<Record<string, string>>): string {
  const file = join(folder, name);
  writeFileSync(file, fillIn(readFileSync(join(TEMPLATES, name), 'utf8'), values));
  return file;
}

function keyOf(chooser: Chooser, size: Size): string {
  return `${nameOf(chooser)} ${size}`;
}
