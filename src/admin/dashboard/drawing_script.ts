/**
 * The dashboard's script for browsers, first part: elements, words, charts. Text goes into the page
 * by textContent only.
 */
export const DRAWING_SCRIPT = `
'use strict';
const POINTS = 360;
const TONES = {
  up: 'good', open: 'good', serving: 'good', passed: 'good', info: 'idle', debug: 'idle',
  unproven: 'warn', full: 'warn', panic: 'warn', ejected: 'warn', starting: 'warn',
  backup: 'warn', degraded: 'warn', stopping: 'warn', unresolved: 'warn', warn: 'warn',
  closing: 'idle', drained: 'idle', maintenance: 'idle', leaving: 'idle', standby: 'idle',
};
const byId = (id) => document.getElementById(id);

function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/**
 * One that is found again, by what it does and to what, and keeps the focus, when its part of the
 * page is built anew.
 */
function button(does, to, label, act, className) {
  const made = element('button', className || '', ...[label].flat());
  made.type = 'button';
  made.dataset.does = does;
  made.dataset.key = does + ' ' + to;
  made.addEventListener('click', act);
  return made;
}

function rebuilt(build) {
  const key = document.activeElement && document.activeElement.dataset.key;
  build();
  if (key && document.activeElement.dataset.key !== key) focusAt(key);
}

function focusAt(key) {
  const same = [...document.querySelectorAll('[data-key]')].find((one) => one.dataset.key === key);
  if (same) same.focus({ preventScroll: true });
}

/** What had the focus has it again afterwards, although it was built anew meanwhile. */
function openDialog(dialog) {
  const { key } = document.activeElement.dataset;
  if (key) dialog.addEventListener('close', () => focusAt(key), { once: true });
  dialog.showModal();
}

function count(value) {
  if (value > 0 && value < 10 && !Number.isInteger(value)) return value.toFixed(1);
  return value < 1e5 ? Math.round(value).toLocaleString('en') :
    Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 }).format(value);
}

function bytes(value) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) { value /= 1024; unit++; }
  return (unit === 0 ? Math.round(value) : value.toFixed(1)) + ' ' + units[unit];
}

function millis(value) {
  if (value === null || value === undefined) return '–';
  return (value < 10 ? value.toFixed(1) : count(value)) + ' ms';
}

function span(ms) {
  const units = [['d', 86400000], ['h', 3600000], ['min', 60000], ['s', 1000]];
  for (const [name, size] of units) if (ms >= size) return Math.floor(ms / size) + ' ' + name;
  return '0 s';
}

/** By the clock of the daemon. */
function since(now, time) { return span(Date.parse(now) - Date.parse(time)); }

/** Of another day with the day. */
function clockTime(time) {
  const at = new Date(time);
  const isToday = at.toDateString() === new Date().toDateString();
  const day = isToday ? '' : at.toLocaleDateString([], { month: 'short', day: 'numeric' }) + ', ';
  return day + at.toLocaleTimeString([], { hour12: false });
}

/** A word, a colour and a sign: each of them says it alone. */
function state(name, label) {
  return element('span', 'state ' + (TONES[name] || 'bad'), label || name);
}

function load(value, limit) {
  if (limit === 0) return [count(value)];
  const bar = element('i');
  bar.style.width = Math.min(100, 100 * value / limit) + '%';
  return [count(value) + ' of ' + count(limit), element('span', 'load', bar)];
}

/** So that a number has its word: 1 worker, 2 workers. */
function several(number, word) { return count(number) + ' ' + word + (number === 1 ? '' : 's'); }

function counts(list) {
  return list.map(({ reason, count: times }) => reason + ' ' + count(times)).join(', ');
}

function svg(tag, attributes) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** Lines over the last hour; the caption shows the point under the pointer. */
function chart(points, lines, format, caption) {
  const made = svg('svg', { viewBox: '0 0 360 40', preserveAspectRatio: 'none', role: 'img' });
  made.setAttribute('aria-label', 'over the last hour');
  const all = points.flatMap((point) => lines.map((name) => point[name])).filter((v) => v !== null);
  const most = Math.max(1e-9, ...all);
  const first = POINTS - points.length;
  for (const [at, name] of lines.entries()) {
    const drawn = points.map((point, i) => [first + i, point[name]]).filter(([, v]) => v !== null);
    const path = drawn.map(([x, value]) => x + ',' + (38 - 36 * value / most).toFixed(1)).join(' ');
    made.append(svg('polyline', { points: path, class: 'line' + at }));
  }
  const usual = caption.textContent;
  made.addEventListener('pointermove', (event) => {
    const box = made.getBoundingClientRect();
    const index = Math.round((event.clientX - box.left) * POINTS / box.width) - first;
    const point = points[Math.max(0, Math.min(points.length - 1, index))];
    if (!point) return;
    const values = lines.map((name) => point[name] === null ? '–' : format(point[name]));
    caption.textContent = clockTime(point.time) + ': ' + values.join(' / ');
  });
  made.addEventListener('pointerleave', () => { caption.textContent = usual; });
  return made;
}

function figureCard(value, caption, ...more) {
  return element('div', 'card figure', element('b', '', value), caption, ...more);
}

const FIGURES = [
  ['sessions now', 'sessions_active', ['sessions'], count],
  ['new sessions per second', 'accepted', ['accepted_per_second'], count],
  ['refused per second', 'refused', ['refused_per_second'], count],
  ['failed dials and resets per second', 'failed', ['failed_per_second'], count],
  ['in per second', 'bytes_in', ['bytes_in_per_second'], bytes],
  ['out per second', 'bytes_out', ['bytes_out_per_second'], bytes],
  ['first byte: median / p99', 'first_byte', ['first_byte_median_ms', 'first_byte_p99_ms'], millis],
];

/** What was now: of two looks where there are two, else of the newest point. */
function showFigures(now, points) {
  const last = points.at(-1) || {};
  byId('figures').replaceChildren(...FIGURES.map(([label, name, lines, format]) => {
    const told = lines.map((line) => last[line]);
    const value = now[name] !== undefined ? format(now[name]) :
      told.map((one) => one === undefined || one === null ? '–' : format(one)).join(' / ');
    const caption = element('span', '', label);
    return figureCard(value, caption, chart(points, lines, format, caption));
  }));
}
`;
