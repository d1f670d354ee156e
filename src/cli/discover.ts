/** `sluice discover`: asks every source of a configuration once, and prints what it would get. */
import { formatIssue } from '../config/issue.js';
import { readConfig } from '../config/read_config.js';
import { sourceName } from '../core/discovery_spec.js';
import { formatAddress } from '../core/endpoint.js';
import type { PoolSpec } from '../core/spec.js';
import { createSource } from '../discovery/registry.js';
import type { Member, SourceAnswer } from '../discovery/source.js';
import { givingUp } from '../discovery/time_limit.js';
import { systemClock } from '../system/clock.js';
import { systemRandom } from '../system/random.js';
import { holdProcess, systemTimers } from '../system/timers.js';
import type { LineSink } from './check.js';
import type { Words } from './word_reader.js';

/** Of a source that says nothing of it. */
const NEVER = givingUp().signal;

interface Asked {
  readonly pool: string;
  readonly source: string;
  readonly limit: number;
  readonly answer: SourceAnswer;
}

/** The exit code: 0 when every source has answered with members that would count, 1 otherwise. */
export async function discover(
  path: string,
  words: Words,
  stdout: LineSink = process.stdout,
  stderr: LineSink = process.stderr,
): Promise<0 | 1> {
  const config = await readConfig(path, systemTimers, '-c');
  if (!config.ok) {
    stderr.write(config.error.map((issue) => `${formatIssue(issue)}\n`).join(''));
    return 1;
  }
  const release = holdProcess();
  const asked = await Promise.all(config.value.spec.pools.flatMap(askAll)).finally(release);
  if (words['json'] === true) stdout.write(`${JSON.stringify(asJson(asked), null, 2)}\n`);
  else if (asked.length === 0) stdout.write(`${path}: no pool has a source of members\n`);
  else stdout.write(asked.map(asText).join(''));
  return asked.every(isGood) ? 0 : 1;
}

function askAll({ name, discovery }: PoolSpec): Promise<Asked>[] {
  const deps = { clock: systemClock, timers: systemTimers, random: systemRandom };
  return discovery.map(async ({ source, rules }) => {
    const answer = await createSource(source, deps).ask(NEVER);
    return { pool: name, source: sourceName(source), limit: rules.limit, answer };
  });
}

function isGood({ answer, limit }: Asked): boolean {
  if (answer.kind !== 'members') return false;
  return answer.members.length > 0 && answer.members.length <= limit;
}

function asText(asked: Asked): string {
  const { pool, source, answer } = asked;
  const head = `${pool}: ${source}: `;
  if (answer.kind === 'failed') return `${head}${answer.failure}: ${answer.problem}\n`;
  if (answer.kind === 'unchanged') return '';
  const { members, leftOut } = answer;
  const lines = members.map((member) => `  ${memberText(member)}\n`);
  const without = leftOut.map((what) => `  left out: ${what}\n`);
  return `${head}${countText(asked, members.length)}\n${lines.join('')}${without.join('')}`;
}

function countText({ limit }: Asked, count: number): string {
  if (count > limit) return `${count} members, above the limit of ${limit}: none would count`;
  return `${count} member${count === 1 ? '' : 's'}`;
}

function memberText(member: Member): string {
  const { address, name, weight, maxConnections, backup, role, wanted } = member;
  return [
    formatAddress(address),
    ...(name === null ? [] : [`name ${name}`]),
    `weight ${weight}`,
    ...(maxConnections === null ? [] : [`max_connections ${maxConnections}`]),
    ...(backup ? ['backup'] : []),
    ...(role === null ? [] : [role]),
    ...(wanted === 'drain' ? ['draining'] : []),
  ].join(' ');
}

function asJson(asked: readonly Asked[]): object {
  const items = asked.map(({ pool, source, answer }) => {
    if (answer.kind === 'unchanged') return { pool, source };
    if (answer.kind === 'failed') {
      return { pool, source, failure: answer.failure, problem: answer.problem };
    }
    const members = answer.members.map(({ address, maxConnections, ...rest }) => ({
      ...rest,
      address: formatAddress(address),
      max_connections: maxConnections,
    }));
    return { pool, source, members, left_out: answer.leftOut };
  });
  return { items, next: null };
}
