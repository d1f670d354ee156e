/** The reference pages are what the catalogues say, and the catalogues keep the contract. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { METRICS } from '../../src/observe/catalogue.js';
import type { EventDefinition } from '../../src/observe/event.js';
import { EVENTS } from '../../src/observe/events.js';
import { FIELDS } from '../../src/observe/fields.js';
import type { MetricDefinition } from '../../src/observe/metric_definition.js';
import { eventsPage, metricsPage } from '../../src/observe/reference.js';
import { sources } from '../repo/support/tree.js';
import { repositoryRoot } from '../support/repository.js';

const metrics: readonly MetricDefinition[] = Object.values(METRICS);
const events: readonly [string, EventDefinition][] = Object.entries(EVENTS);

t.test('conf/metrics.md and conf/events.md are as `npm run generate` writes them', async (t) => {
  const read = (name: string) => readFileSync(join(repositoryRoot, 'conf', name), 'utf8');
  t.equal(read('metrics.md'), metricsPage());
  t.equal(read('events.md'), eventsPage());
});

t.test(
  'metrics have the prefix, base units and a sentence; none has a client as label',
  async (t) => {
    const names = metrics.map((metric) => metric.name);
    t.equal(new Set(names).size, names.length);
    for (const { name, type, help, labels, bounds } of metrics) {
      t.match(name, /^(sluice|process)_[a-z_]+$/);
      t.equal(type === 'counter', name.endsWith('_total'), `${name}: only counters end in _total`);
      t.match(help, /^[A-Z0-9].*\.$/, name);
      t.notOk(labels.some((label) => /client|address|port/.test(label)));
      t.equal(type === 'histogram', bounds !== undefined, `${name}: histograms have bounds`);
    }
  },
);

t.test('the metrics that users rely on are there', async (t) => {
  const promised = `sessions_total sessions_active bytes_total connect_seconds first_byte_seconds
    session_seconds dial_failures_total retries_total refused_total queue_length queue_seconds
    backend_up backend_eligible backend_weight_effective backend_transitions_total ejections_total
    probe_seconds probe_failures_total datagrams_total datagrams_dropped_total reloads_total
    config_hash_info worker_heartbeat_seconds build_info`;
  const names = new Set(metrics.map((metric) => metric.name));
  for (const name of promised.split(/\s+/)) t.ok(names.has(`sluice_${name}`), name);
});

t.test('events have a stable name, one sentence, and a remedy where one is needed', async (t) => {
  for (const [name, { level, message, remedy }] of events) {
    t.match(name, /^[a-z]+(-[a-z]+)*$/);
    t.match(message, /^[A-Za-z].*\.$/, name);
    if (level === 'error') t.match(remedy, /^[A-Z`].*\.$/, `${name}: an error has a remedy`);
  }
});

t.test('every field is used by an event, with one meaning', async (t) => {
  const used = new Set<string>(events.flatMap(([, event]) => event.fields));
  for (const name of Object.keys(FIELDS)) t.ok(used.has(name), name);
});

t.test('every event of the catalogue is emitted somewhere', async (t) => {
  const emitted = sources
    .filter(({ path }) => path.startsWith('src/') && !path.startsWith('src/observe/events'))
    .map(({ text }) => text)
    .join('\n');
  for (const [name] of events) t.ok(emitted.includes(`'${name}'`), name);
});
