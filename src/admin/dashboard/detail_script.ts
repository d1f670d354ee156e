/** The dashboard's script, third part: one backend, what it does, and its history. */
export const DETAIL_SCRIPT = `
let detail = null;

function fact(name, ...value) {
  return [element('dt', '', name), element('dd', '', ...value)];
}

function facts(now, backend) {
  const cap = backend.max_connections;
  return element('dl', '',
    ...fact('State', backendState(backend), ' for ' + since(now, backend.since)),
    ...fact('Why', backend.reason || 'nothing is wrong'),
    ...fact('Address', backend.address),
    ...fact('Sessions', ...load(backend.active, cap)),
    ...fact('Weight', weightText(backend)),
    ...fact('Last probe', ...probeFact(now, backend)));
}

/** Of a count and what it was before: how many per second; '' where that is not known. */
function rateText(name, now, traffic, before, format) {
  if (!before) return '';
  const spanMs = Date.parse(now) - Date.parse(before.now);
  if (spanMs <= 0) return '';
  return ', ' + format(Math.max(0, traffic[name] - before.traffic[name]) * 1000 / spanMs) +
    ' per second now';
}

function quantileText(its) {
  if (its === null) return 'not measured yet';
  return millis(its.median_ms) + ' / ' + millis(its.p99_ms) + ' (median / p99)';
}

function probeFact(now, backend) {
  const last = backend.last_probe;
  const when = last === null ? '' : ', ' + since(now, last.at) + ' ago';
  return [probe(now, backend), when + (last !== null && last.detail ? ': ' + last.detail : '')];
}

/** Since sluice began to count. */
function trafficFacts(now, traffic, before) {
  const { sessions, retries, failed_dials: dials, ends } = traffic;
  const rate = (name, format) => rateText(name, now, traffic, before, format);
  return element('dl', 'traffic',
    ...fact('Sessions so far', count(sessions) + rate('sessions', count)),
    ...fact('Retried here', count(retries)),
    ...fact('In', bytes(traffic.bytes_in) + rate('bytes_in', bytes)),
    ...fact('Out', bytes(traffic.bytes_out) + rate('bytes_out', bytes)),
    ...fact('Connect', quantileText(traffic.connect)),
    ...fact('First byte', quantileText(traffic.first_byte)),
    ...fact('Failed dials', counts(dials) || 'none'),
    ...fact('Ends', counts(ends) || 'none'));
}

/** How often it was down and for how long, as far back as its history goes. */
function downText(now, history) {
  const changes = history.filter(({ event }) => event === 'backend-down' || event === 'backend-up');
  const downs = changes.filter(({ event }) => event === 'backend-down');
  if (downs.length === 0) return 'never since ' + clockTime(history.at(0)?.time || now);
  const ms = downs.reduce((sum, down) => {
    const up = changes[changes.indexOf(down) + 1];
    return sum + Date.parse(up ? up.time : now) - Date.parse(down.time);
  }, 0);
  return several(downs.length, 'time') + ', ' + span(ms) + ' in all, since ' +
    clockTime(history[0].time);
}

function historyTable(history) {
  const table = element('table');
  fill(table, ['Time', 'Event', 'Why'], history.toReversed().map((entry) => [
    cell('', clockTime(entry.last) + (entry.count > 1 ? ', ' + entry.count + ' times' : '')),
    cell('', state(entry.level), ' ' + entry.event),
    cell('reason', [entry.message, entry.cause, entry.detail].filter(Boolean).join(' · ')),
  ]), 'nothing has happened to it yet');
  return table;
}

function titleOf(name) {
  const title = element('h2', '', name);
  title.id = 'detail-name';
  return title;
}

/** It stays in sight: the way out of a long page. */
function headOf(dialog, title) {
  return element('div', 'head', title, button('close', '', 'Close', () => dialog.close()));
}

async function openDetail(name) {
  const dialog = byId('detail');
  const same = detail && detail.name === name ? detail : null;
  detail = { name, before: same && same.before, sessions: same ? same.sessions : element('div') };
  const its = detail;
  try {
    const path = '/v1/why?backend=' + encodeURIComponent(name);
    const { backend, traffic, history } = await ask(path);
    if (detail !== its) return;
    const now = latest ? latest.status.now : new Date().toISOString();
    its.facts = element('div', 'facts', facts(now, backend),
      trafficFacts(now, traffic, its.before));
    rebuilt(() => dialog.replaceChildren(
      headOf(dialog, titleOf(name)), its.facts, orderButtons(name),
      element('h3', '', 'Why: its history'),
      element('p', 'reason', 'Down: ' + downText(now, history)),
      element('div', 'card', historyTable(history)),
      element('h3', '', button('sessions', name, 'Sessions …',
        () => showSessions(name, its.sessions))), its.sessions));
  } catch (error) {
    dialog.replaceChildren(headOf(dialog, titleOf(name)), element('p', 'problem', error.message));
  }
  if (!dialog.open) openDialog(dialog);
}

/** A look shows how it is now. */
function refreshDetail({ status, asked_backend: its }) {
  if (detail === null || !detail.facts || !its) return;
  if (its.backend.pool + '/' + its.backend.name !== detail.name) return;
  detail.facts.replaceChildren(facts(status.now, its.backend),
    trafficFacts(status.now, its.traffic, detail.before));
  detail.before = { now: status.now, traffic: its.traffic };
}
`;
