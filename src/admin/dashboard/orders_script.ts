/** The dashboard's script, fourth part: requests, and orders with a token and a confirmation. */
export const ORDERS_SCRIPT = `
const TOKEN = 'sluice-token';

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

const ORDERS = {
  drain: ['Drain', 'It gets no new sessions; those that it has may finish.'],
  ready: ['Ready', 'It gets new sessions again.'],
  weight: ['Weight', 'A number from 0 to 1000, or a share of the configured one such as 50%.'],
};

function orderButtons(name) {
  if (!sessionStorage.getItem(TOKEN)) {
    return element('p', 'reason', 'Changes take the token: ',
      button('token', '', 'Token …', askToken));
  }
  return element('p', '', ...Object.entries(ORDERS).map(([order, [label]]) =>
    button(order, name, label + ' …', () => askOrder(order, name))));
}

function field(name, label, placeholder) {
  const input = element('input');
  Object.assign(input, { name, placeholder, autocomplete: 'off' });
  input.dataset.does = name;
  return element('label', '', label, input);
}

/** A dialog with fields, a yes and a no; what does not work is shown in it. */
function askWith(title, text, fields, yes, act) {
  const dialog = byId('asked');
  const problem = element('p', 'problem');
  problem.setAttribute('role', 'alert');
  const name = element('h2', '', title);
  name.id = 'asked-name';
  const accept = element('button', 'yes', yes);
  accept.dataset.does = 'yes';
  const form = element('form', '', name, element('p', '', text), ...fields, problem,
    element('p', '', accept, button('no', '', 'No', () => dialog.close())));
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
  openDialog(dialog);
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
