/** The doctor's report as text for people in a terminal. */
import { textTable } from '../../admin/table.js';
import type { Advice, DoctorReport } from './report.js';

/** Ends in a line feed. */
export function reportText(report: DoctorReport): string {
  const engines = report.engines.map(({ engine, usable, note, advice }) => [
    engine,
    usable,
    note ?? advice?.cause ?? '',
  ]);
  const limits = report.limits.map(({ name, value, allows, setting }) => [
    name,
    value,
    allows,
    `(${setting})`,
  ]);
  const lines = [
    `sluice ${report.version}, ${report.machine}`,
    '',
    'ENGINES, best first',
    ...textTable(engines, '  '),
    '',
    'LIMITS',
    ...textTable(limits, '  '),
    '',
    ...poolLines(report),
    ...remedies(report),
    verdict(report),
  ];
  return `${lines.join('\n')}\n`;
}

function poolLines({ pools }: DoctorReport): readonly string[] {
  if (pools === null || pools.length === 0) return [];
  const rows = pools.map(({ pool, sources, allows }) => [
    pool,
    `${sources} source address${sources === 1 ? '' : 'es'}`,
    allows,
  ]);
  return ['POOLS, by source ports', ...textTable(rows, '  '), ''];
}

function remedies(report: DoctorReport): string[] {
  const advised: [string, Advice | null][] = [
    ...report.engines.map(({ engine, advice }): [string, Advice | null] => [engine, advice]),
    ...report.limits.map(({ name, advice }): [string, Advice | null] => [name, advice]),
    ...(report.pools ?? []).map(({ pool, advice }): [string, Advice | null] => {
      return [`pool ${pool}`, advice];
    }),
  ];
  const lines = advised.flatMap(([name, advice]) =>
    advice === null ? [] : [`  ${name}: ${advice.cause}`, `    ${advice.remedy}`],
  );
  return lines.length === 0 ? [] : ['REMEDIES', ...lines, ''];
}

function verdict({ auto, verdict: word }: DoctorReport): string {
  return word === 'good'
    ? `sluice can run here; engine = "auto" takes ${auto}.`
    : 'sluice cannot run here: no engine works.';
}
