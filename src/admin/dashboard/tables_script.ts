/** The dashboard's script, second part: the tables, and the picture of pools. */
export const TABLES_SCRIPT = `
/** On a narrow screen each row is a card, whose cells say what they are. */
function fill(table, heads, rows, empty) {
  const head = element('tr', '', ...heads.map((text) => element('th', '', text)));
  for (const th of head.children) th.scope = 'col';
  const body = rows.map((cells) => {
    for (const [at, cell] of cells.entries()) cell.dataset.head = heads[at];
    return element('tr', '', ...cells);
  });
  if (rows.length === 0) {
    const none = element('td', 'reason', empty || 'none');
    none.colSpan = heads.length;
    body.push(element('tr', '', none));
  }
  table.replaceChildren(element('thead', '', head), element('tbody', '', ...body));
}

function cell(className, ...children) { return element('td', className, ...children); }

/** How much of a list is on the page at first, and at most: what is first needs a look first. */
const FOLDED = 6;
const UNFOLDED = 100;

/** The first of a list, or all of it; and what shows the rest. */
function folded(name, all, known) {
  const isOpen = (place().open || '').split(' ').includes(name);
  const toggle = byId('fold-' + name);
  toggle.hidden = known <= FOLDED;
  const rest = known > UNFOLDED ? '; ' + count(known - UNFOLDED) + ' more: sluice ctl ' + name : '';
  const label = isOpen ? 'The first ' + FOLDED + ' only' : 'All ' + count(Math.min(known, UNFOLDED)) + ' …';
  toggle.replaceChildren(button('fold', name, label, () => {
    const open = (place().open || '').split(' ').filter((one) => one !== '' && one !== name);
    go({ open: (isOpen ? open : [...open, name]).join(' ') });
    if (latest !== null) show(latest);
  }), element('span', 'reason', ' of ' + count(known) + (isOpen ? rest : '')));
  return isOpen ? all : all.slice(0, FOLDED);
}

function showListeners({ status, listeners, asked_pool: pool }) {
  const heads = ['Name', 'State', 'Address', 'Pool', 'Sessions', 'Refused', 'Since', 'Reason'];
  const meant = pool ? listeners.filter(({ name }) => pool.listeners.includes(name)) : listeners;
  const rows = folded('listeners', meant, pool ? meant.length : status.listeners);
  fill(byId('listeners'), heads, rows.map((listener) => [
    cell('name', listener.name),
    cell('', state(listener.state)),
    cell('long', element('code', '', listener.protocol + ' '), listener.addresses.join(', ')),
    cell('long', listener.pools.join(', ')),
    cell('', ...load(listener.sessions, listener.max_sessions)),
    cell('counts', counts([...listener.refused, ...listener.dropped]) || '0'),
    cell('', since(status.now, listener.since)),
    cell('reason', listener.reason),
  ]));
}

/** Up without sessions is what an idle backup or a weight of 0 asks for: no trouble. */
function backendState(backend) {
  if (backend.state !== 'up' || backend.eligible) return state(backend.state);
  return state('standby', 'up, ' + (backend.cause || 'not eligible'));
}

function tone(backend) {
  return backend.state === 'up' && !backend.eligible ? 'idle' : TONES[backend.state] || 'bad';
}

/** Of all of a pool: a bar, whatever place its segment has. */
function share(value, all) {
  const bar = element('i');
  bar.style.width = (all === 0 ? 0 : 100 * value / all) + '%';
  return element('span', 'load', bar);
}

/** A pool's backends side by side, each with its share of the sessions; of many, their states. */
function strip({ pool, states, backends }) {
  const made = element('div', 'strip');
  made.setAttribute('role', 'group');
  made.setAttribute('aria-label', 'Backends of ' + pool.name);
  for (const backend of backends) {
    const name = pool.name + '/' + backend.name;
    const label = [element('b', '', backend.name),
      element('small', '', backend.state + ', ' + count(backend.active)),
      share(backend.active, pool.sessions)];
    const one = button('strip', name, label, () => go({ backend: name }),
      'segment state ' + tone(backend));
    one.title = name + ': ' + backend.state + ', ' + backend.active + ' sessions';
    made.append(one);
  }
  if (backends.length > 0) return made;
  for (const { state: name, count: times } of states) {
    const act = () => go({ pool: pool.name, state: name, offset: 0 });
    const one = button('strip-state', pool.name + ' ' + name,
      [element('b', '', count(times)), element('small', '', name), share(times, pool.backends)], act,
      'segment state ' + (TONES[name] || 'bad'));
    made.append(one);
  }
  return made;
}

function spreadText(name, spread, format) {
  if (spread === null || spread.greatest <= 2 * spread.median) return [];
  return [name + ' uneven: ' + format(spread.greatest) + ' at ' + spread.backend +
    ', median ' + format(spread.median)];
}

function poolAbout({ pool }) {
  const about = [pool.policy, 'probe ' + pool.probe,
    count(pool.eligible) + ' of ' + count(pool.backends) + ' eligible',
    several(pool.sessions, 'session')];
  if (pool.queue_size > 0 || pool.queue_length > 0) {
    about.push('queue ' + pool.queue_length + ' of ' + pool.queue_size);
  }
  if (pool.refused.length > 0) about.push('refused: ' + counts(pool.refused));
  const { load: sessions, first_byte_ms: firstByte, failures } = pool.evenness;
  const share = (value) => Math.round(100 * value) + ' %';
  about.push(...spreadText('load', sessions, count), ...spreadText('first byte', firstByte, millis),
    ...spreadText('failures', failures, share));
  return about.join(' · ');
}

function showPools({ status, pools, asked_pool: asked }) {
  const { pool: wanted } = place();
  const all = asked ? [asked] : pools;
  const shown = folded('pools', all, asked ? 1 : status.pools);
  if (wanted && !asked) {
    byId('pools').replaceChildren(element('p', 'problem', 'There is no pool ' + wanted + '.'));
    return;
  }
  byId('pools').replaceChildren(...shown.map((one) => {
    const { pool, listeners } = one;
    const title = element('h3', '',
      button('pool', pool.name, 'Pool ' + pool.name,
        () => go({ pool: pool.name, state: '', offset: 0 }), 'link'),
      ' ', state(pool.state));
    const from = element('p', 'from', listeners.length === 0 ? 'no listener' : listeners.join(', '));
    const reason = pool.reason ? [element('p', 'reason', pool.reason)] : [];
    const about = element('div', '', title, element('small', '', poolAbout(one)), ...reason);
    return element('div', 'card flow', from, about, strip(one));
  }));
}

/** How all backends are, at a glance; each leads to those that are so. */
function showStates({ status, states }) {
  const worst = (name) => {
    const at = STATES.indexOf(name);
    return name === 'up' ? STATES.length : at;
  };
  const all = states.toSorted((a, b) => worst(a.state) - worst(b.state));
  byId('states').replaceChildren(
    element('span', '', count(status.backends_eligible) + ' of ' +
      several(status.backends, 'backend') + ' may get the next session'),
    ...all.map(({ state: name, count: times }) =>
      button('state', name, [element('b', '', count(times)), ' ' + name], () => {
        go({ pool: '', state: name, filter: '', offset: 0 });
        seeSection('part-backends');
      }, 'chip state ' + (TONES[name] || 'bad'))));
}

function seeSection(id) {
  byId(id).scrollIntoView();
  byId(id).focus({ preventScroll: true });
}

/** Where the page goes on, and how much is there: a long page has ways through it. */
function showParts({ status }) {
  const parts = [['listeners', status.listeners], ['pools', status.pools],
    ['backends', status.backends], ['sessions', null], ['overrides', status.overrides],
    ['events', null]];
  const back = place().pool ? [button('back', '', '‹ All pools',
    () => go({ pool: '', offset: 0 }), 'chip')] : [];
  byId('parts').replaceChildren(...back, ...parts
    .filter(([, number]) => number !== 0)
    .map(([name, number]) => button('part', name, [
      name[0].toUpperCase() + name.slice(1), number === null ? '' : element('b', '', count(number)),
    ], () => seeSection('part-' + name), 'chip')));
}

function probe(now, backend) {
  const last = backend.last_probe;
  if (last === null) return ['leaving', 'unresolved'].includes(backend.state) ? '–' : 'none yet';
  const text = millis(last.latency_ms);
  const result = state(last.result, last.result === 'passed' ? text : last.result + ', ' + text);
  result.title = since(now, last.at) + ' ago' + (last.detail ? ': ' + last.detail : '');
  return result;
}

function weightText({ weight, weight_effective: counted }) {
  return weight === counted ? String(weight) : Number(counted.toFixed(2)) + ' of ' + weight;
}

function backendRow(now, backend) {
  const name = backend.pool + '/' + backend.name;
  return [
    cell('name', button('row', name, name, () => go({ backend: name }), 'link'),
      backend.backup ? element('code', '', ' backup') : ''),
    cell('', backendState(backend)),
    cell('long', backend.address),
    cell('', ...load(backend.active, backend.max_connections)),
    cell('', weightText(backend)),
    cell('', probe(now, backend)),
    cell('', since(now, backend.since)),
    cell('reason', backend.reason),
  ];
}

function showRows({ status, backends, matched }) {
  const heads = ['Backend', 'State', 'Address', 'Sessions', 'Weight', 'Last probe', 'Since',
    'Reason'];
  fill(byId('rows'), heads, backends.map((backend) => backendRow(status.now, backend)),
    'No backend is meant by this.');
  const from = Number(place().offset || 0);
  const text = matched === 0 ? '0 of ' + count(status.backends) :
    count(from + 1) + '–' + count(from + backends.length) + ' of ' + count(matched) +
    (matched < status.backends ? ' (' + count(status.backends) + ' in all)' : '');
  if (byId('matched').textContent !== text) byId('matched').textContent = text;
  byId('before').disabled = from === 0;
  byId('after').disabled = from + backends.length >= matched;
}

/** What it is about, and how that is now: as sluice ctl says it. */
function overrideWords({ backend, kind, value }) {
  if (kind === 'deny') return [value, 'denied'];
  if (kind === 'drain' || kind === 'maintain') return [backend, value];
  if (kind !== 'hold') return [backend, kind + ' ' + value];
  const [most, drains] = value.split(' ');
  return [backend, 'held, at most ' + most + ' wait' + (drains ? ', existing sessions end' : '')];
}

function overrideRow(now, one) {
  const [what, is] = overrideWords(one);
  return [
    cell('name', what),
    cell('', is),
    cell('', String(one.replaced)),
    cell('', one.by),
    cell('', since(now, one.since) + ' ago'),
    cell('', one.until === null ? 'until it is ended' : 'in ' + since(one.until, now)),
    cell('reason', one.because),
  ];
}

const OVERRIDE_HEADS = ['What', 'Is', 'In the file', 'By', 'Since', 'Ends', 'Because'];

function showOverrides({ status, overrides }) {
  byId('deviations').hidden = overrides.length === 0;
  fill(byId('overrides'), OVERRIDE_HEADS, overrides.map((one) => overrideRow(status.now, one)));
}

const OWN_FIELDS = ['number', 'time', 'level', 'event', 'msg', 'remedy'];

function fieldsText(event) {
  return Object.entries(event)
    .filter(([name, value]) => !OWN_FIELDS.includes(name) && value !== null && value !== '')
    .map(([name, value]) => name + ' ' + (typeof value === 'object' ? JSON.stringify(value) : value))
    .join(', ');
}

/** Where one pool is looked at, what happened to it. */
function showEvents(all) {
  const heads = ['Time', 'Level', 'Event', 'What'];
  const { pool } = place();
  const events = pool ? all.filter((event) => event.pool === pool) : all;
  fill(byId('events'), heads, events.map((event) => [
    cell('', clockTime(event.time)),
    cell('', state(event.level)),
    cell('name', event.event),
    cell('what', fieldsText(event),
      element('small', '', event.msg + (event.remedy ? ' ' + event.remedy : ''))),
  ]), pool ? 'nothing of this pool among the last that happened' : 'nothing yet');
}
`;
