/** Whatever is wrong with a file, what it says about that shows no secret of the file. */
import t from 'tap';
import { formatIssue } from '../../src/config/issue.js';
import { loadConfig } from '../../src/config/load.js';
import { leaksOf } from '../support/leaks.js';

const CANARY = 'k3v9x2m7q1w8z5';

/** Where a secret may stand, and a file around it. */
const PLACES: Readonly<Record<string, (value: string) => string>> = {
  send: (value) => health('send-expect', `send = ${value}\nexpect = "+OK"`),
  expect: (value) => health('send-expect', `send = "x"\nexpect = ${value}`),
  'send of a step': (value) => health('send-expect', `steps = [{ send = ${value} }]`),
  'expect of a step': (value) => health('send-expect', `steps = [{ expect = ${value} }]`),
  'a step': (value) => health('send-expect', `steps = [${value}]`),
  'all steps': (value) => health('send-expect', `steps = ${value}`),
  'a step by header': (value) =>
    `${health('send-expect', '')}[[pools.p.health.steps]]\nsend = ${value}\n`,
  'send of a datagram': (value) => health('udp', `send = ${value}`),
  path: (value) => health('http', `path = ${value}`),
  password_file: (value) => health('redis', `password_file = ${value}`),
  password_env: (value) => health('redis', `password_env = ${value}`),
  'a key that is not there': (value) => health('redis', `password = ${value}`),
  'the whole section': (value) => `[pools.p]\nhealth = ${value}\n`,
};

/** How it may be written, right and wrong. */
const FORMS: readonly ((secret: string) => string)[] = [
  (secret) => `"${secret}"`,
  (secret) => `'${secret}'`,
  (secret) => `"AUTH ${secret}\\r\\n"`,
  (secret) => `'AUTH ${secret}\\q ${secret}'`,
  (secret) => `"AUTH \\q${secret}"`,
  (secret) => `"AUTH ${secret}\\q = ${secret}"`,
  (secret) => `"AUTH ${secret}`,
  (secret) => `AUTH ${secret}`,
  (secret) => secret,
  (secret) => `"""\nAUTH \\q${secret}\n"""`,
  (secret) => `"\\ud800${secret}"`,
  (secret) => `"hex:${secret}"`,
  (secret) => `["${secret}"]`,
  (secret) => `[["${secret}"], "${secret}"]`,
  (secret) => `{ text = "${secret}" }`,
  (secret) => `"${secret}" "${secret}"`,
  (secret) => `"${secret.repeat(400)}"`,
  (secret) => `"/${secret}\u0001"`,
  (secret) => `"/a b?token=${secret}"`,
  (secret) => `2026-13-45 # ${secret}`,
];

/** Further mistakes in the same file. */
const BENDS: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => text.replace(/probe = "[a-z-]+"/, 'probe = "tcp"'),
  (text) => `${text}\n${text}`,
  (text) => text.replace('[pools.p.health]', '[pools.p.helth]'),
  (text) => text.replace(/\n(\w+) = /, '\n$1 = 1\n$1 = '),
];

t.test('no problem of a file shows a secret of it', async (t) => {
  let problems = 0;
  for (const [place, write] of Object.entries(PLACES)) {
    for (const form of FORMS) {
      for (const bend of BENDS) {
        const text = bend(write(form(CANARY)));
        const loaded = loadConfig(text, 'sluice.toml');
        const told = loaded.ok ? '' : loaded.error.map(formatIssue).join('\n');
        problems += loaded.ok ? 0 : 1;
        const leaks = leaksOf(CANARY, told);
        if (leaks.length > 0) t.fail(`${place}: ${leaks.join(' | ')}`, { text });
      }
    }
  }
  t.ok(problems > 400, `${problems} files had problems`);
});

t.test('an address with a password in it is shown without it', async (t) => {
  for (const key of ['bind', 'address']) {
    for (const url of [
      `postgres://app:${CANARY}@db:5432/x`,
      `redis://:${CANARY}@db`,
      `a://b://c:${CANARY}@@d`,
    ]) {
      const line = `${key} = "${url}"`;
      const text = key === 'bind' ? `[listeners.a]\n${line}` : `[[pools.p.backends]]\n${line}`;
      const loaded = loadConfig(text, 'f');
      t.same(loaded.ok ? ['it is good'] : loaded.error.flatMap((i) => leaksOf(CANARY, i.got)), []);
    }
  }
});

function health(probe: string, keys: string): string {
  return `[pools.p.health]\nprobe = "${probe}"\n${keys}\n`;
}
