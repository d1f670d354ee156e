/** The doctor's report as text for people in a terminal. */
import { table } from '../../admin/table.js';
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
    ...table(engines, '  '),
    '',
    'LIMITS',
    ...table(limits, '  '),
    '',
    ...remedies(report),
    verdict(report),
  ];
  return `${lines.join('\n')}\n`;
}

function remedies(report: DoctorReport): string[] {
  const advised: [string, Advice | null][] = [
    ...report.engines.map(({ engine, advice }): [string, Advice | null] => [engine, advice]),
    ...report.limits.map(({ name, advice }): [string, Advice | null] => [name, advice]),
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
