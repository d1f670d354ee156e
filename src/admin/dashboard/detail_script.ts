/** The dashboard's script, third part: one backend with its history, and orders with a token. */
export const DETAIL_SCRIPT = `
const TOKEN = 'sluice-token';
let detail = null;

function headers(accept) {
  const token = sessionStorage.getItem(TOKEN);
  return token ? { accept, authorization: 'Bearer ' + token } : { accept };
}

/** The answer as JSON, or an error with the sentence of the daemon. */
async function ask(path, body) {
  const wanted = { headers: headers('application/json'), cache: 'no-store' };
  if (body) Object.assign(wanted, { method: 'POST', body: JSON.stringify(body) });
  const answer = await fetch(path, wanted);
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.detail || 'HTTP status ' + answer.status);
  return told;
}

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
    ...fact('Last probe', probe(now, backend)));
}

function historyTable(history) {
  const table = element('table');
  fill(table, ['Time', 'Event', 'Why'], history.toReversed().map((entry) => [
    cell('', clockTime(entry.last) + (entry.count > 1 ? ', ' + entry.count + ' times' : '')),
    cell('', state(entry.level), ' ' + entry.event),
    cell('reason', [entry.message, entry.cause, entry.detail].filter(Boolean).join(' · ')),
  ]), 'nothing was told of it yet');
  return table;
}

async function showSessions(name, into) {
  const path = '/v1/sessions?limit=50&sort=age&backend=' + encodeURIComponent(name);
  const table = element('table');
  try {
    const { items } = await ask(path);
    fill(table, ['Client', 'Listener', 'State', 'Age', 'Idle', 'In', 'Out', 'Session'],
      items.map((one) => [
        cell('name', one.client), cell('', one.listener), cell('', one.state),
        cell('', span(one.age_ms)), cell('', span(one.idle_ms)),
        cell('', bytes(one.bytes_in)), cell('', bytes(one.bytes_out)), cell('', one.id),
      ]), 'no session');
    into.replaceChildren(element('div', 'card', table));
  } catch (error) {
    into.replaceChildren(element('p', 'problem', error.message));
  }
}

const ORDERS = {
  drain: ['Drain', 'It gets no new sessions; those that it has may finish.'],
  ready: ['Ready', 'It gets new sessions again.'],
  weight: ['Weight', 'A number from 0 to 1000, or a share of the configured one such as 50%.'],
};

function orderButtons(name) {
  if (!sessionStorage.getItem(TOKEN)) {
    return element('p', 'reason', 'Changes take the token: ',
      button('detail token', 'Token …', askToken));
  }
  return element('p', '', ...Object.entries(ORDERS).map(([order, [label]]) =>
    button('order ' + order, label + ' …', () => askOrder(order, name))));
}

async function openDetail(name) {
  const dialog = byId('detail');
  detail = { name, sessions: detail && detail.name === name ? detail.sessions : element('div') };
  const its = detail;
  try {
    const { backend, history } = await ask('/v1/why?backend=' + encodeURIComponent(name));
    if (detail !== its) return;
    const now = new Date().toISOString();
    const title = element('h2', '', name);
    title.id = 'detail-name';
    its.facts = element('div', '', facts(latest ? latest.status.now : now, backend));
    rebuilt(() => dialog.replaceChildren(
      element('p', 'close', button('detail close', 'Close', () => dialog.close())),
      title, its.facts, orderButtons(name),
      element('h3', '', 'Why: its history'), element('div', 'card', historyTable(history)),
      element('h3', '', button('detail sessions', 'Sessions …',
        () => showSessions(name, its.sessions))), its.sessions));
  } catch (error) {
    dialog.replaceChildren(element('p', 'close',
      button('detail close', 'Close', () => dialog.close())),
      element('p', 'problem', error.message));
  }
  if (!dialog.open) dialog.showModal();
}

/** What a look knows of it by the way. */
function refreshDetail(look) {
  if (detail === null || !detail.facts) return;
  const its = look.backends.find(({ pool, name }) => pool + '/' + name === detail.name);
  if (its) detail.facts.replaceChildren(facts(look.status.now, its));
}

function field(name, label, placeholder) {
  const input = element('input');
  Object.assign(input, { name, placeholder, autocomplete: 'off' });
  return element('label', '', label, input);
}

/** A dialog with fields, a yes and a no; what does not work is told in it. */
function askWith(title, text, fields, yes, act) {
  const dialog = byId('asked');
  const problem = element('p', 'problem');
  problem.setAttribute('role', 'alert');
  const name = element('h2', '', title);
  name.id = 'asked-name';
  const form = element('form', '', name, element('p', '', text), ...fields, problem,
    element('p', '', element('button', 'yes', yes), button('no', 'No', () => dialog.close())));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    problem.textContent = '';
    try {
      await act(Object.fromEntries(new FormData(form)));
      dialog.close();
    } catch (error) {
      problem.textContent = error.message;
    }
  });
  dialog.replaceChildren(form);
  dialog.showModal();
}

function askOrder(order, name) {
  const [label, text] = ORDERS[order];
  const value = order === 'weight' ? [field('value', 'Weight', '50%')] : [];
  const reasons = order === 'ready' ? [] :
    [field('because', 'Because', 'kernel update'), field('for', 'For', '30m; empty: until ended')];
  askWith(label + ' ' + name + '?', text, [...value, ...reasons], 'Yes, ' + order, async (given) => {
    const body = { backends: [name] };
    for (const [key, text] of Object.entries(given)) if (text !== '') body[key] = text;
    if (/^[0-9]+$/.test(body.value || '')) body.value = Number(body.value);
    await ask('/v1/' + order, body);
    await openDetail(name);
  });
}

function askToken() {
  const input = field('token', 'Token', '');
  input.lastChild.type = 'password';
  const text = 'What [admin] token_file holds. This tab keeps it until it is closed; empty: none.';
  askWith('The token', text, [input], 'Keep it', async ({ token }) => {
    const before = sessionStorage.getItem(TOKEN);
    if (token === '') sessionStorage.removeItem(TOKEN);
    else sessionStorage.setItem(TOKEN, token);
    try {
      await ask('/v1/status');
    } catch (error) {
      if (before === null) sessionStorage.removeItem(TOKEN);
      else sessionStorage.setItem(TOKEN, before);
      throw error;
    }
    if (detail !== null) await openDetail(detail.name);
    begin();
  });
}
`;
