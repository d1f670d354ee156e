/**
 * The dashboard's script, last part: where the page is (its address says so), what it follows, and
 * what becomes of it. A stream that is torn leaves the last look on the page, dimmed, says since
 * when, and is opened again. A hidden page follows nothing.
 */
export const LIVE_SCRIPT = String.raw`
const AGAIN_MS = 1000;
/** The daemon is never silent for this long. */
const SILENT_MS = 15000;
const TYPING_MS = 200;
const PAGE = 50;
const EVENTS = 100;
const STATES = ['', 'trouble', 'down', 'ejected', 'full', 'degraded', 'unproven', 'unresolved',
  'drained', 'maintenance', 'standby', 'leaving', 'up'];
let latest = null;
let earlier = null;
let points = [];
let events = [];
let current = null;
let heardAt = null;
let begunAt = 0;
let again = null;

function place() { return Object.fromEntries(new URLSearchParams(location.hash.slice(1))); }

/** Goes to another place of the page; what is empty leaves the address. */
function go(change) {
  const all = Object.entries({ ...place(), ...change })
    .filter(([, value]) => value !== '' && value !== undefined && value !== 0);
  location.hash = new URLSearchParams(all).toString();
}

function livePath() {
  const { pool, backend, filter, state: name, sort, offset, open } = place();
  const lists = pool || open ? '' : 'first';
  const wanted = Object.entries(
    { pool, backend, filter, state: name, sort, offset, lists, limit: PAGE });
  return '/v1/live?' + new URLSearchParams(wanted.filter(([, value]) => value));
}

/** Why nothing new comes; 'told': the daemon itself says so, and is not out of reach. */
function lost(problem, told) {
  document.body.classList.toggle('stale', problem !== null);
  byId('lost').hidden = problem === null;
  if (problem === null) return;
  if (!told) showPhase('no answer');
  const ago = heardAt === null ? '' : ' for ' + span(performance.now() - heardAt);
  byId('lost').textContent = (told ? 'Nothing new' : 'No answer from sluice') + ago + ': ' + problem;
}

function nowFigures(look) {
  const { status, asked_pool: its } = look;
  if (place().pool) return its ? { sessions_active: its.pool.sessions } : {};
  const now = { sessions_active: status.sessions_active };
  if (!earlier || earlier.pid !== status.pid) return now;
  const spanMs = Date.parse(status.now) - Date.parse(earlier.now);
  if (spanMs <= 0) return now;
  const rate = (name) => Math.max(0, status[name] - earlier[name]) * 1000 / spanMs;
  return { ...now, accepted: rate('sessions_total'), refused: rate('refused_total'),
    bytes_in: rate('bytes_in_total'), bytes_out: rate('bytes_out_total') };
}

function showPhase(phase) {
  byId('phase').className = 'pill ' + (TONES[phase] || 'bad');
  byId('phase').textContent = phase;
}

function showAbout({ status }) {
  showPhase(status.phase);
  byId('about').textContent = 'version ' + status.version + ' · engine ' + status.engine + ' · ' +
    several(status.workers, 'worker') + ' · up ' + since(status.now, status.started) + ' · configuration ' +
    status.config_hash + ', read ' + since(status.now, status.configured) + ' ago';
  byId('about').title = status.engine_reason;
  byId('trouble').hidden = status.trouble.length === 0;
  byId('trouble').replaceChildren(...status.trouble.map((one) => element('li', '', one)));
}

function show(look) {
  rebuilt(() => {
    showAbout(look);
    showStates(look);
    showParts(look);
    showFigures(nowFigures(look), points);
    showListeners(look);
    showPools(look);
    showRows(look);
    showOverrides(look);
    refreshDetail(look);
  });
}

function heardLook(look) {
  earlier = latest === null ? null : latest.status;
  latest = look;
  show(look);
}

function heardTold(told) {
  const known = new Set(events.map(({ number }) => number));
  const fresh = told.filter(({ number }) => !known.has(number));
  events = [...fresh.toReversed(), ...events].slice(0, EVENTS);
  showEvents(events);
  const isIts = ({ pool, backend }) => detail !== null && pool + '/' + backend === detail.name;
  if (fresh.some(isIts)) openDetail(detail.name);
}

async function loadHour() {
  const { pool } = place();
  try {
    const path = '/v1/hour' + (pool ? '?pool=' + encodeURIComponent(pool) : '');
    points = (await ask(path)).items;
  } catch {
    points = [];
  }
  if (latest !== null) showFigures(nowFigures(latest), points);
}

function heardHour(point) {
  if (place().pool) return void loadHour();
  points = [...points, point].slice(-POINTS);
}

function take(text) {
  const lines = text.split('\n');
  const name = lines.find((line) => line.startsWith('event: '));
  const data = lines.find((line) => line.startsWith('data: '));
  if (!name || !data) return;
  const value = JSON.parse(data.slice(6));
  ({ look: heardLook, told: heardTold, hour: heardHour })[name.slice(7)](value);
}

async function follow(stream) {
  const answer = await fetch(livePath(),
    { headers: headers('text/event-stream'), signal: stream.signal, cache: 'no-store' });
  if (answer.status === 401) {
    sessionStorage.removeItem(TOKEN);
    if (!byId('asked').open) askToken();
  }
  if (!answer.ok) throw Object.assign(new Error((await answer.json()).detail), { told: true });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error('the connection has ended');
    heardAt = performance.now();
    lost(null);
    text += value;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      take(text.slice(0, end));
      text = text.slice(end + 2);
    }
  }
}

/** Follows what the address asks for, in place of what was followed before. */
function begin() {
  clearTimeout(again);
  if (current) current.abort();
  current = null;
  if (document.hidden) return;
  const stream = new AbortController();
  current = stream;
  begunAt = performance.now();
  void loadHour();
  follow(stream).catch((error) => {
    if (stream.signal.aborted && stream !== current) return;
    stream.abort();
    // The browser's own word for it would be of fetching.
    lost(error instanceof TypeError ? 'it cannot be reached' : error.message, error.told);
    if (stream === current) again = setTimeout(begin, AGAIN_MS);
  });
}

function arrive() {
  const { pool, filter, state: name, sort, backend } = place();
  byId('whose').textContent = (pool ? 'Pool ' + pool : 'Traffic') + ', now and in the last hour';
  byId('part-pools').textContent = pool ? 'Pool' : 'Pools';
  byId('part-events').textContent = pool ? 'Events of pool ' + pool : 'Events';
  if (pool !== shownPool) {
    showEvents(events);
    if (place().sessions === undefined) byId('of-pool').value = pool || '';
  }
  shownPool = pool;
  byId('pool').hidden = !pool;
  byId('pool').textContent = 'Only pool ' + pool + ' ✕';
  if (document.activeElement !== byId('filter')) byId('filter').value = filter || '';
  byId('state').value = name || '';
  byId('sort').value = sort || '';
  arriveSessions();
  if (backend) openDetail(backend);
  else if (byId('detail').open) byId('detail').close();
}

let shownPool;
let followed = null;
function moved() {
  arrive();
  const path = livePath();
  if (path === followed) return;
  followed = path;
  begin();
}

function options(select, values, labelOf) {
  select.replaceChildren(...values.map((value) => {
    const made = element('option', '', labelOf(value));
    made.value = value;
    return made;
  }));
}

options(byId('state'), STATES, (value) => value || 'any state');
options(byId('sort'), ['', 'trouble', 'name', 'sessions'], (value) =>
  ({ '': 'as in the file', trouble: 'trouble first', sessions: 'most sessions first' })[value] ||
  'by name');
options(byId('of-sort'), Object.keys(SESSIONS_BY), (value) => SESSIONS_BY[value]);
let typing = null;
byId('filter').addEventListener('input', ({ target }) => {
  clearTimeout(typing);
  typing = setTimeout(() => go({ filter: target.value, offset: 0 }), TYPING_MS);
});
for (const name of ['state', 'sort']) {
  byId(name).addEventListener('change', ({ target }) => go({ [name]: target.value, offset: 0 }));
}
byId('window').addEventListener('submit', (event) => event.preventDefault());
byId('pool').addEventListener('click', () => go({ pool: '', offset: 0 }));
const turn = (by) => go({ offset: Math.max(0, Number(place().offset || 0) + by) });
byId('before').addEventListener('click', () => turn(-PAGE));
byId('after').addEventListener('click', () => turn(PAGE));
byId('which').addEventListener('submit', submitSessions);
byId('token').addEventListener('click', askToken);
byId('detail').addEventListener('close', () => { detail = null; go({ backend: '' }); });
document.addEventListener('keydown', (event) => {
  const isTyping = /INPUT|SELECT|TEXTAREA/.test(event.target.tagName);
  if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  byId('filter').focus();
});
document.addEventListener('visibilitychange', () => {
  if (document.hidden || current === null) begin();
});
setInterval(() => {
  if (current && performance.now() - Math.max(begunAt, heardAt) > SILENT_MS) begin();
}, AGAIN_MS);
addEventListener('hashchange', moved);
moved();
`;
