/**
 * The dashboard's script, for browsers. Text goes into the page by textContent only. A view that
 * fails to load leaves the last one on the page, dimmed, and says since when.
 */
export const DASHBOARD_SCRIPT = `
'use strict';
const PERIOD_MS = 1000;
const HISTORY = 60;
const TONES = {
  up: 'good', open: 'good', serving: 'good', passed: 'good',
  unproven: 'warn', full: 'warn', panic: 'warn', ejected: 'warn', starting: 'warn',
  backup: 'warn', degraded: 'warn', stopping: 'warn', unresolved: 'warn',
  closing: 'idle', drained: 'idle', maintenance: 'idle', leaving: 'idle', standby: 'idle',
};
const byId = (id) => document.getElementById(id);
const history = [];
let lastAnswer = null;
let running = false;

function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

function spark(values) {
  const ns = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(ns, 'svg');
  const line = document.createElementNS(ns, 'polyline');
  const most = Math.max(1e-9, ...values);
  const point = (value, i) => i * 100 / (HISTORY - 1) + ',' + (29 - 28 * value / most);
  svg.setAttribute('viewBox', '0 0 100 30');
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  const first = HISTORY - values.length;
  line.setAttribute('points', values.map((value, i) => point(value, first + i)).join(' '));
  svg.append(line);
  return svg;
}

function count(value) {
  return value < 1e5 ? Math.round(value).toLocaleString('en') :
    Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 }).format(value);
}

function bytes(value) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) { value /= 1024; unit++; }
  return (unit === 0 ? Math.round(value) : value.toFixed(1)) + ' ' + units[unit];
}

function span(ms) {
  const units = [['d', 86400000], ['h', 3600000], ['min', 60000], ['s', 1000]];
  for (const [name, size] of units) if (ms >= size) return Math.floor(ms / size) + ' ' + name;
  return '0 s';
}

function since(view, time) { return span(Date.parse(view.now) - Date.parse(time)); }

function state(name, label) {
  return element('span', 'state ' + (TONES[name] || 'bad'), label || name);
}

function load(value, limit) {
  if (limit === 0) return [count(value)];
  const bar = element('i');
  bar.style.width = Math.min(100, 100 * value / limit) + '%';
  return [count(value) + ' of ' + count(limit), element('span', 'load', bar)];
}

function fill(table, heads, rows) {
  const head = element('tr', '', ...heads.map((text) => element('th', '', text)));
  for (const th of head.children) th.scope = 'col';
  const body = rows.map((cells) => element('tr', '', ...cells));
  table.replaceChildren(element('thead', '', head), element('tbody', '', ...body));
}

function cell(className, ...children) { return element('td', className, ...children); }

function showFigures(traffic) {
  history.push({ at: performance.now(), ...traffic });
  if (history.length > HISTORY + 1) history.shift();
  const rates = (name) => history.slice(1).map((sample, i) =>
    Math.max(0, sample[name] - history[i][name]) * 1000 / (sample.at - history[i].at));
  const active = history.map((sample) => sample.sessions_active).slice(-HISTORY);
  const figures = [
    ['sessions now', active, count],
    ['new sessions a second', rates('sessions_total'), count],
    ['bytes in a second', rates('bytes_in_total'), bytes],
    ['bytes out a second', rates('bytes_out_total'), bytes],
    ['refused a second', rates('refused_total'), count],
  ];
  byId('figures').replaceChildren(...figures.map(([label, values, format]) =>
    element('div', 'card figure', element('b', '', format(values.at(-1) || 0)),
      element('span', '', label), spark(values))));
}

function counts(list) {
  return list.map(({ reason, count: times }) => reason + ' ' + count(times)).join(', ');
}

function showListeners(view) {
  const heads = ['Name', 'State', 'Address', 'Pool', 'Sessions', 'Refused', 'Since', 'Reason'];
  fill(byId('listeners'), heads, view.listeners.map((listener) => [
    cell('name', listener.name),
    cell('', state(listener.state)),
    cell('', element('code', '', listener.protocol + ' '), listener.addresses.join(', ')),
    cell('', listener.pools.join(', ')),
    cell('', ...load(listener.sessions, listener.max_sessions)),
    cell('counts', counts([...listener.refused, ...listener.dropped]) || '0'),
    cell('', since(view, listener.since)),
    cell('reason', listener.reason),
  ]));
}

function probe(view, pool, backend) {
  const last = backend.last_probe;
  const unprobed = pool.probe === 'none' || ['leaving', 'unresolved'].includes(backend.state);
  if (last === null) return unprobed ? '–' : 'none yet';
  const text = last.latency_ms.toFixed(1) + ' ms';
  const result = state(last.result, last.result === 'passed' ? text : last.result + ', ' + text);
  result.title = since(view, last.at) + ' ago' + (last.detail ? ': ' + last.detail : '');
  return result;
}

/** Up without sessions is what an idle backup or a weight of 0 asks for: no trouble. */
function backendState(backend) {
  if (backend.state !== 'up' || backend.eligible) return state(backend.state);
  return state('standby', 'up, ' + (backend.cause || 'not eligible'));
}

function backendRow(view, pool, backend) {
  const weight = backend.weight === backend.weight_effective ? String(backend.weight) :
    Number(backend.weight_effective.toFixed(2)) + ' of ' + backend.weight;
  return [
    cell('name', backend.name, backend.backup ? element('code', '', ' backup') : ''),
    cell('', backendState(backend)),
    cell('', backend.address),
    cell('', ...load(backend.active, backend.max_connections)),
    cell('', weight),
    cell('', probe(view, pool, backend)),
    cell('', since(view, backend.since)),
    cell('reason', backend.reason),
  ];
}

function showPools(view) {
  const heads = ['Backend', 'State', 'Address', 'Active', 'Weight', 'Last probe', 'Since',
    'Reason'];
  byId('pools').replaceChildren(...view.pools.flatMap((pool) => {
    const eligible = pool.backends.filter((backend) => backend.eligible).length;
    const about = [pool.policy, 'probe ' + pool.probe,
      eligible + ' of ' + pool.backends.length + ' eligible'];
    if (pool.queue_size > 0) about.push('queue ' + pool.queue_length + ' of ' + pool.queue_size);
    if (pool.reason) about.push(pool.reason);
    if (pool.refused.length > 0) about.push('refused: ' + counts(pool.refused));
    const title = element('h2', '', 'Pool ' + pool.name + ' ', state(pool.state),
      element('small', '', about.join(' · ')));
    const table = element('table');
    fill(table, heads, pool.backends.map((backend) => backendRow(view, pool, backend)));
    return [title, element('div', 'card', table)];
  }));
}

function show(view) {
  byId('phase').className = 'pill ' + (TONES[view.phase] || 'bad');
  byId('phase').textContent = view.phase;
  byId('about').textContent = 'version ' + view.version + ' · engine ' + view.engine + ' · ' +
    view.workers + ' workers · up ' + since(view, view.started) + ' · configuration ' +
    view.config_hash + ', read ' + since(view, view.configured) + ' ago';
  byId('about').title = view.engine_reason;
  showFigures(view.traffic);
  showListeners(view);
  showPools(view);
}

function settle(problem) {
  document.body.classList.toggle('stale', problem !== null);
  byId('lost').hidden = problem === null;
  if (problem === null) return;
  const ago = lastAnswer === null ? '' : ' for ' + span(performance.now() - lastAnswer);
  byId('lost').textContent = 'No answer from sluice' + ago + ': ' + problem;
}

async function refresh() {
  running = true;
  try {
    const answer = await fetch('/health', { signal: AbortSignal.timeout(5 * PERIOD_MS) });
    if (!answer.ok) throw new Error('HTTP status ' + answer.status);
    show(await answer.json());
    lastAnswer = performance.now();
    settle(null);
  } catch (error) {
    settle(error.message);
  }
  running = !document.hidden;
  if (running) setTimeout(refresh, PERIOD_MS);
}

document.addEventListener('visibilitychange', () => {
  if (!document.hidden && !running) refresh();
});
refresh();
`;
