/** Rules, alerts and the dashboard of conf/observability ask for what sluice exports. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { CTL_COMMANDS } from '../../src/cli/ctl/ctl.js';
import { METRICS } from '../../src/observe/catalogue.js';
import { EVENTS } from '../../src/observe/events.js';
import type { MetricDefinition } from '../../src/observe/metric_definition.js';
import { tempFolder } from '../support/places.js';
import { runToEnd } from '../support/process.js';
import { haveServers, program } from '../support/require_server.js';
import { type Query, readQuery, type Selector } from './promql.js';
import { dashboard, OBSERVABILITY, readFile, rulesOf } from './rule_files.js';

const recorded = rulesOf('sluice-rules.yml');
const alerts = rulesOf('sluice-alerts.yml');
const board = dashboard();
const targets = board.panels.flatMap(({ title, targets = [] }) =>
  targets.map((target) => ({ title, ...target })),
);
const queries = [
  ...[...recorded, ...alerts].map(({ name, expr }) => ({ of: name, expr })),
  ...targets.map(({ title, expr }) => ({ of: `panel ${title}`, expr })),
  ...board.annotations.list.map(({ expr }) => ({ of: 'annotation', expr })),
];

/** What Prometheus adds to every series. */
const TARGET_LABELS = ['job', 'instance'];
/** Its own metric: whether it could ask. */
const UP = { labels: TARGET_LABELS, values: new Map<string, readonly string[]>() };

interface Known {
  readonly labels: readonly string[];
  /** Of labels whose list is closed. */
  readonly values: ReadonlyMap<string, readonly string[]>;
}

function known(metric: string): Known | null {
  if (metric === 'up') return UP;
  const rule = recorded.find(({ name }) => name === metric);
  if (rule !== undefined) {
    return { labels: labelsOf(readQuery(rule.expr)), values: new Map() };
  }
  const all: readonly MetricDefinition[] = Object.values(METRICS);
  const found = all.find(({ name, type }) =>
    type === 'histogram'
      ? ['_bucket', '_sum', '_count'].some((end) => metric === name + end)
      : metric === name,
  );
  if (found === undefined) return null;
  const { labels, labelsOnDemand = [], values } = found;
  const le = metric.endsWith('_bucket') ? ['le'] : [];
  const last = labels.at(-1) ?? '';
  return {
    labels: [...TARGET_LABELS, ...labels, ...labelsOnDemand, ...le],
    values: new Map(values === undefined ? [] : [[last, values]]),
  };
}

/** Labels that the answer to a query may have. */
function labelsOf({ selectors, kept, dropped }: Query): readonly string[] {
  const all = selectors.flatMap(({ metric }) => known(metric)?.labels ?? []);
  return all.filter(
    (label) => !dropped.includes(label) && (kept[0] === undefined || kept.includes(label)),
  );
}

/** What is wrong with a selector; nothing is good. */
function faults({ metric, matchers }: Selector): readonly string[] {
  const its = known(metric);
  if (its === null) return [`no metric ${metric}`];
  return matchers.flatMap(({ label, operator, value }) => {
    if (!its.labels.includes(label)) return [`${metric} has no label ${label}`];
    const values = its.values.get(label);
    if (values === undefined || value.startsWith('$')) return [];
    const asked = operator.endsWith('~') ? value.split('|') : [value];
    return asked
      .filter((one) => !values.includes(one))
      .map((one) => `${metric} has no ${label} ${one}`);
  });
}

t.test('every expression asks for metrics, labels and values that there are', async (t) => {
  t.ok(recorded.length > 10 && alerts.length > 15 && targets.length > 50);
  for (const { of, expr } of queries) {
    const query = readQuery(expr);
    t.ok(query.selectors.length > 0, `${of} asks for something`);
    const labels = query.selectors.flatMap(({ metric }) => known(metric)?.labels ?? []);
    const unknown = [...query.kept, ...query.dropped].filter((label) => !labels.includes(label));
    t.same(
      [...query.selectors.flatMap(faults), ...unknown.map((label) => `no label ${label}`)],
      [],
      of,
    );
  }
});

t.test('a wrong metric, label or value is found', async (t) => {
  const wrong = (expr: string) => readQuery(expr).selectors.flatMap(faults);
  t.same(wrong('sum by (pool) (rate(sluice_refuse_total[5m]))'), ['no metric sluice_refuse_total']);
  t.same(wrong('rate(sluice_connect_seconds[5m])'), ['no metric sluice_connect_seconds']);
  t.same(wrong('sluice_backend_up{name="a"} == 0'), ['sluice_backend_up has no label name']);
  t.same(wrong('sluice_refused_total{reason=~"all-down|al-full"}'), [
    'sluice_refused_total has no reason al-full',
  ]);
  t.same(wrong('sluice_bytes_total{pool=~"$pool", direction="in"} > 0 and up{job="sluice"}'), []);
});

t.test('texts of alerts and legends name labels that the answer has', async (t) => {
  const texts = [
    ...alerts.map(({ name, expr, text }) => ({ of: name, expr, text })),
    ...targets.map(({ title, expr, legendFormat = '' }) => ({
      of: title,
      expr,
      text: legendFormat,
    })),
  ];
  for (const { of, expr, text } of texts) {
    const labels = labelsOf(readQuery(expr));
    const named = [...text.matchAll(/\{\{ ?(?:\$labels\.)?(\w+) ?\}\}/g)].map(([, name]) => name);
    t.same(
      named.filter((name) => !labels.includes(name ?? '')),
      [],
      of,
    );
  }
});

t.test('commands and events that alerts name exist', async (t) => {
  const names = CTL_COMMANDS.map(({ name }) => name);
  for (const { name, text } of alerts) {
    for (const [, command = ''] of text.matchAll(/`sluice ctl ([\w-]+)/g)) {
      t.ok(names.includes(command), `${name}: ${command}`);
    }
    for (const [, event = ''] of text.matchAll(/event `([\w-]+)`/g)) {
      t.ok(event in EVENTS, `${name}: ${event}`);
    }
    t.match(text, /severity: (critical|warning)\b[\s\S]*summary: [\s\S]*description: /, name);
  }
});

t.test('every alert is tested by promtool', async (t) => {
  const tests = readFile('sluice-alerts.test.yml');
  for (const { name } of alerts) t.match(tests, `alertname="${name}"`, name);
});

t.test('the dashboard shows every metric, and no panel covers another', async (t) => {
  const shown = new Set(targets.flatMap(({ expr }) => readQuery(expr).selectors.map(base)));
  const missing = Object.values(METRICS).filter(({ name }) => !shown.has(name));
  t.same(
    missing.map(({ name }) => name),
    ['process_start_time_seconds'],
    'that one is an annotation',
  );
  const fields = board.panels.flatMap(({ title, gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)} ${title}`),
  );
  const places = fields.map((field) => field.split(' ')[0]);
  t.equal(new Set(places).size, places.length);
  for (const { definition = '' } of board.templating.list) {
    const [, selector = ''] = /^label_values\((.*), \w+\)$/.exec(definition) ?? [];
    t.same(readQuery(selector).selectors.flatMap(faults), []);
  }
});

t.test(
  'promtool accepts configuration and rules, and the alerts fire when they should',
  async (t) => {
    if (!haveServers(t, 'promtool')) return;
    await promtool(t, 'check', 'config', join(OBSERVABILITY, 'prometheus.yml'));
    await promtool(t, 'test', 'rules', join(OBSERVABILITY, 'sluice-alerts.test.yml'));
  },
);

t.test('promtool accepts the expression of every panel', async (t) => {
  if (!haveServers(t, 'promtool')) return;
  const rules = queries.map(({ expr }, index) => ({
    record: `panel_${index}`,
    expr: expr.replaceAll('$__rate_interval', '5m'),
  }));
  const file = join(tempFolder(t), 'panels.yml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'panels', rules }] }));
  await promtool(t, 'check', 'rules', file);
});

/** The metric of the catalogue. */
function base({ metric }: Selector): string {
  return metric.replace(/_(seconds|retransmits)_(bucket|sum|count)$/, '_$1');
}

async function promtool(t: Test, ...words: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await runToEnd(program('promtool'), words, { limitMs: 60_000 });
  t.equal(code, 0, `${stdout}\n${stderr}`);
}
