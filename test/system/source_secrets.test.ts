/** Sources whose servers repeat what they were sent: no output shows a token or a password. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startOperated } from '../support/ctl.js';
import { BINARY } from '../support/daemon.js';
import { eventually } from '../support/deadline.js';
import { leaksOf } from '../support/leaks.js';
import { tempFolder } from '../support/places.js';
import { runToEnd } from '../support/process.js';
import { serviceText } from '../support/settings.js';

/** By kind of source: what its file holds, and its lines. */
const KINDS: Readonly<
  Record<string, { canary: string; lines: (at: string, file: string) => string }>
> = {
  http: {
    canary: 'q7httpk3v9x2m1',
    lines: (at, file) => `url = "${at}/members"\ninterval = "1s"\ntoken_file = "${file}"`,
  },
  consul: {
    canary: 'q7consk3v9x2m2',
    lines: (at, file) => `url = "${at}"\nservice = "pg"\ntoken_file = "${file}"`,
  },
  etcd: {
    canary: 'q7etcdk3v9x2m3',
    lines: (at, file) => `urls = ["${at}"]\nprefix = "/pg/"\nuser = "u"\npassword_file = "${file}"`,
  },
  kubernetes: {
    canary: 'q7kubek3v9x2m4',
    lines: (_, file) => `service = "default/pg"\nkubeconfig = "${file}"`,
  },
};

/** What a server makes of what it was sent. */
const MANNERS: readonly ((said: string, answer: ServerResponse) => unknown)[] = [
  (said, answer) => answer.setHeader('content-type', said).end('no list'),
  (said, answer) => answer.writeHead(403).end(said),
  (said, answer) => answer.writeHead(401).end(JSON.stringify({ error: said, message: said })),
  (said, answer) => answer.end(JSON.stringify([{ targets: [said] }])),
  (said, answer) => answer.end(JSON.stringify({ error: Buffer.from(said).toString('base64') })),
  (said, answer) => {
    const node = { Node: said, Address: said };
    answer.setHeader('x-consul-index', '5');
    answer.end(
      JSON.stringify([{ Node: node, Service: { ID: said, Address: said, Port: 99_999 } }]),
    );
  },
  (said, answer) =>
    answer.end(
      JSON.stringify({
        metadata: { resourceVersion: '1' },
        items: [
          {
            metadata: { name: said },
            endpoints: [{ addresses: [said] }],
            ports: [{ name: said, port: said }],
            addressType: 'IPv4',
          },
        ],
      }),
    ),
];

t.test('no output shows the secret of a source, whatever its server makes of it', async (t) => {
  const folder = tempFolder(t);
  const state = join(folder, 'state');
  mkdirSync(state);
  const heard = new Map<string, string>();
  const services: string[] = [];
  for (const [kind, { canary, lines }] of Object.entries(KINDS)) {
    for (const [index, manner] of MANNERS.entries()) {
      const name = `${kind}-${index}`;
      const at = await repeats(t, manner, (said) =>
        heard.set(name, (heard.get(name) ?? '') + said),
      );
      const file = join(folder, name);
      writeFileSync(file, kind === 'kubernetes' ? kubeconfig(at, canary) : canary, { mode: 0o600 });
      const source = `[[pools.${name}.discovery]]\nkind = "${kind}"\n${lines(at, file)}\n`;
      services.push(serviceText({ name, backends: [], health: NONE, sections: source }));
    }
  }
  const { daemon, ctl } = await startOperated(t, { toml: services.join(''), state, workers: 1 });
  for (const name of Object.keys(KINDS).flatMap((kind) => MANNERS.map((_, i) => `${kind}-${i}`))) {
    const canary = KINDS[name.split('-')[0] ?? '']?.canary ?? '';
    await eventually(`${name} was sent its secret`, () => heard.get(name)?.includes(canary));
  }
  await eventually('each answer was looked at', async () => {
    const { stdout } = await ctl('discovery', '--json');
    const { items } = JSON.parse(stdout) as Discovery;
    return items.every(({ state }) => state !== 'asking') || undefined;
  });
  const discovered = await runToEnd(process.execPath, [BINARY, 'discover', '-c', daemon.file]);
  const seen = [discovered.stdout + discovered.stderr];
  for (const path of ['/health', '/metrics', '/ready']) seen.push((await daemon.get(path)).body);
  for (const words of [['discovery'], ['discovery', '--json'], ['events'], ['backends']]) {
    seen.push((await ctl(...words)).stdout);
  }
  for (const name of readdirSync(state)) seen.push(readFileSync(join(state, name), 'utf8'));
  seen.push(...daemon.events.past.map((record) => JSON.stringify(record)));
  t.match(seen.join('\n'), 'discovery-failed');
  t.match(seen.join('\n'), /answers 403: [^"]*\*\*\*/, 'what hides it is seen');
  for (const { canary } of Object.values(KINDS)) {
    t.same(seen.flatMap((output) => leaksOf(canary, output)).slice(0, 3), [], canary);
  }
});

const NONE = 'probe = "none"';

interface Discovery {
  readonly items: readonly { readonly state: string }[];
}

/** A server that answers with whatever secret it was sent, in its manner. */
async function repeats(
  t: Test,
  manner: (typeof MANNERS)[number],
  hear: (said: string) => unknown,
): Promise<string> {
  const server = createServer((request, answer) => {
    void bodyOf(request).then((body) => {
      const { authorization = '', 'x-consul-token': token = '' } = request.headers;
      const said = `${authorization} ${String(token)} ${body}`.trim();
      hear(said);
      manner(said, answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  return Buffer.concat(await request.toArray()).toString();
}

function kubeconfig(server: string, token: string): string {
  return JSON.stringify({
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
    clusters: [{ name: 'k', cluster: { server } }],
    users: [{ name: 'u', user: { token } }],
  });
}
