/**
 * What does a choice cost, and how does it grow? Nanoseconds by policy, number of backends and
 * share of those that are up. A choice is measured together with what it and the end of an older
 * session change in the policy's order, for that is part of its price. Backends have weights 1 to
 * 3, known latencies and a few sessions each; clients change. Nanoseconds are of CPU time, so that
 * what else the machine does counts little.
 *
 * Run: `node dist/benchmarks/micro/policies.js` (a minute or two) writes the table and the plot
 * to `benchmarks/results`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { POLICY_NAMES } from '../../src/core/spec.js';
import { policyNamed } from '../../test/support/policies.js';
import { describeMachine } from '../support/machine.js';
import { markdownTable } from '../support/markdown.js';
import { svgPlot } from './plot.js';
import { PoolSubject } from './pool_subject.js';
import { type Case, SHARES, type Share, Subject } from './subject.js';

const SIZES = [1, 4, 16, 64, 256, 1024, 4096, 16_384];
const TICKS_NS = [10, 30, 100, 300, 1000, 3000];
const ROUNDS = 5;
const CHOICES = 40_000;
const RESULTS = new URL('../../../benchmarks/results/', import.meta.url);

const CASES: readonly Case[] = POLICY_NAMES.flatMap((name): Case[] => {
  const usual = { name, policy: policyNamed(name) };
  if (name !== 'source-hash') return [usual];
  return [usual, { name: 'source-hash, ring', policy: policyNamed(name, { algorithm: 'ring' }) }];
});

mkdirSync(RESULTS, { recursive: true });
const panels = SHARES.map((share) => ({ title: share, lines: measureAll(share, Subject) }));
const pools = SHARES.map((share) => ({ title: share, lines: measureAll(share, PoolSubject) }));
writeFileSync(new URL('policies.md', RESULTS), report());
writeFileSync(
  new URL('policies.svg', RESULTS),
  svgPlot(
    panels.map(({ title, lines }) => ({
      title,
      lines: lines.map(({ name, values }) => ({ name, values: values.map(median) })),
    })),
    SIZES,
    TICKS_NS,
    'ns of CPU time per choice',
  ),
);
process.stdout.write(report());

interface Measured {
  readonly name: string;
  /** By size and round. */
  readonly values: readonly (readonly number[])[];
}

interface Chooses {
  choose(sessions: number): void;
}

function measureAll(
  share: Share,
  Kind: new (each: Case, size: number, share: Share) => Chooses,
): Measured[] {
  const subjects = CASES.map((each) => SIZES.map((size) => new Kind(each, size, share)));
  const samples = subjects.map((row) => row.map((): number[] => []));
  for (const row of subjects) for (const subject of row) nanoseconds(subject);
  // Subjects take turns, so that whatever else the machine does befalls all of them.
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, row] of subjects.entries()) {
      for (const [size, subject] of row.entries()) samples[at]?.[size]?.push(nanoseconds(subject));
    }
  }
  return CASES.map(({ name }, at) => ({ name, values: samples[at] ?? [] }));
}

function nanoseconds(subject: Chooses): number {
  const begin = process.cpuUsage();
  subject.choose(CHOICES);
  const { user, system } = process.cpuUsage(begin);
  return (1000 * (user + system)) / CHOICES;
}

function report(): string {
  return (
    `${describeMachine()}; ns of CPU time per choice by number of backends, median of ${ROUNDS} rounds.\n` +
    `The plot is [policies.svg](policies.svg).\n\n## The policy alone\n\n${tables(panels)}\n` +
    `## With the pool around it: journal, reservation, lease, connect and settlement\n\n` +
    tables(pools)
  );
}

function tables(
  measured: readonly { readonly title: Share; readonly lines: readonly Measured[] }[],
): string {
  const head = ['policy', ...SIZES.map((size) => size.toLocaleString('en'))];
  return measured
    .map(({ title, lines }) => {
      const rows = lines.map(({ name, values }) => [
        name,
        ...values.map((each) => median(each).toFixed(0)),
      ]);
      return `**${title}**\n\n${markdownTable([head, ...rows])}\n`;
    })
    .join('\n');
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
