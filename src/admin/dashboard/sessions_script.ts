/**
 * The dashboard's script: sessions, of all or of some. They are asked for once, and not followed:
 * a question goes to every worker. What was asked for stands in the address of the page.
 */
export const SESSIONS_SCRIPT = `
const SESSIONS_PAGE = 50;
const SESSIONS_BY = { age: 'oldest first', bytes: 'most bytes first', idle: 'longest idle first' };
const SESSION_FIELDS = ['listener', 'pool', 'backend', 'client', 'older', 'idle', 'sort'];
/** What is on the page was asked for with this; null: nothing is. */
let sessionsAsked = null;

function sessionRow(one) {
  return [
    cell('name', one.client), cell('long', one.listener),
    cell('long', one.backend === null ? one.pool :
      button('session-backend', one.id, one.pool + '/' + one.backend,
        () => go({ backend: one.pool + '/' + one.backend }), 'link')),
    cell('', one.state), cell('', span(one.age_ms)), cell('', span(one.idle_ms)),
    cell('', bytes(one.bytes_in)), cell('', bytes(one.bytes_out)), cell('', one.id),
  ];
}

function fillSessions(table, items) {
  fill(table, ['Client', 'Listener', 'Backend', 'State', 'Age', 'Idle', 'In', 'Out', 'Session'],
    items.map(sessionRow), 'no session');
}

/** Of one backend, on its page. */
async function showSessions(name, into) {
  const path = '/v1/sessions?limit=50&sort=age&backend=' + encodeURIComponent(name);
  const table = element('table');
  try {
    fillSessions(table, (await ask(path)).items);
    into.replaceChildren(element('div', 'card', table));
  } catch (error) {
    into.replaceChildren(element('p', 'problem', error.message));
  }
}

/** Asks for those that the address means; 'cursor': for those behind a page. */
async function askSessions(wanted, cursor) {
  sessionsAsked = wanted;
  const query = new URLSearchParams(wanted);
  query.set('limit', SESSIONS_PAGE);
  if (cursor) query.set('cursor', cursor);
  const found = byId('found');
  try {
    const { items, next, missing, elsewhere } = await ask('/v1/sessions?' + query);
    if (sessionsAsked !== wanted) return;
    fillSessions(byId('sessions'), items);
    found.textContent = [several(items.length, 'session') + (cursor ? ' more' : '') +
      ' at ' + clockTime(new Date()) + (next === null ? '' : ', and there are more'),
      ...missing, ...elsewhere].join('; ');
    byId('further').disabled = next === null;
    byId('further').onclick = () => askSessions(wanted, next);
  } catch (error) {
    if (sessionsAsked === wanted) found.textContent = error.message;
  }
}

/** The fields say what the address says; where that is new, it is asked for. */
function arriveSessions() {
  const { sessions } = place();
  if (sessions === undefined || sessions === sessionsAsked) return;
  const wanted = new URLSearchParams(sessions);
  for (const name of SESSION_FIELDS) {
    const value = wanted.get(name);
    byId('of-' + name).value = value || (name === 'sort' ? 'age' : '');
  }
  void askSessions(sessions);
}

function submitSessions(event) {
  event.preventDefault();
  const given = SESSION_FIELDS.map((name) => [name, byId('of-' + name).value.trim()]);
  const wanted = new URLSearchParams(given.filter(([, value]) => value !== '')).toString();
  if (wanted === place().sessions) void askSessions(wanted);
  else go({ sessions: wanted });
}
`;
