import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Request } from '../../src/admin/request.js';
import { createHttpGate } from '../../src/control/http_gate.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import type { AdminSpec } from '../../src/core/spec.js';
import { systemTimers } from '../../src/system/timers.js';
import { tempFolder } from '../support/places.js';
import { spec } from './fixtures.js';

const TOKEN = 'correct-horse-battery';
const NEAR = ipEndpoint(4, '127.0.0.1', 9600);
const FAR = ipEndpoint(4, '192.0.2.1', 9600);

function asking(target: string, authorization?: string): Request {
  const headers = new Map(authorization === undefined ? [] : [['authorization', authorization]]);
  const rest = { version: '1.1', host: 'localhost', accept: '', after: 'keep' } as const;
  return { method: 'GET', target, headers, body: Buffer.alloc(0), ...rest };
}

function setUp(t: Test, change: Partial<AdminSpec>, holds = `${TOKEN}\n`) {
  const tokenFile = join(tempFolder(t), 'token');
  writeFileSync(tokenFile, holds);
  const admin = { ...spec([]).admin, http: NEAR, tokenFile, ...change };
  const gate = createHttpGate(() => admin, systemTimers);
  const ask = (target: string, authorization?: string) => gate(asking(target, authorization));
  return { ask, tokenFile };
}

const MAY = (may: 'look' | 'change') => ({ ok: true, value: { may } });
const REFUSED = { ok: false, error: { status: 401, headers: { 'www-authenticate': 'Bearer' } } };

t.test('a request with the token may change things, and one with another nothing', async (t) => {
  const { ask, tokenFile } = setUp(t, {});
  t.match(await ask('/v1/drain', `Bearer ${TOKEN}`), MAY('change'));
  t.match(await ask('/v1/drain', `bearer  ${TOKEN} `), MAY('change'));
  for (const wrong of ['', `${TOKEN}x`, TOKEN.slice(1), 'x', TOKEN.toUpperCase(), `${TOKEN},x`]) {
    t.match(await ask('/v1/status', `Bearer ${wrong}`), REFUSED, wrong);
  }
  for (const none of [undefined, 'Basic eDp5', TOKEN]) {
    t.match(await ask('/v1/status', none), MAY('look'), none ?? 'nothing');
  }
  writeFileSync(tokenFile, 'another-token-of-today');
  t.match(await ask('/v1/drain', `Bearer ${TOKEN}`), REFUSED, 'it was rotated');
  t.match(await ask('/v1/drain', 'Bearer another-token-of-today'), MAY('change'));
});

t.test('without a token_file no request changes anything, whatever is brought', async (t) => {
  for (const http of [NEAR, ipEndpoint(6, '::1', 9600)]) {
    const { ask } = setUp(t, { http, tokenFile: null });
    t.match(await ask('/v1/drain', `Bearer ${TOKEN}`), MAY('look'));
    t.match(await ask('/metrics'), MAY('look'));
  }
});

t.test('beyond loopback reading takes the token too, unless it is public', async (t) => {
  for (const http of [FAR, ipEndpoint(4, '0.0.0.0', 9600), ipEndpoint(6, '::', 9600)]) {
    const { ask } = setUp(t, { http });
    for (const path of ['/metrics', '/health?format=text', '/v1/status', '/healthz/x']) {
      t.match(await ask(path), REFUSED, path);
      t.match(await ask(path, `Bearer ${TOKEN}`), MAY('change'), path);
    }
    for (const path of ['/healthz', '/ready?listener=a', '/'])
      t.match(await ask(path), MAY('look'), path);
  }
  const { ask } = setUp(t, { http: FAR, allowPublic: true });
  t.match(await ask('/v1/status'), MAY('look'));
  t.match(await ask('/v1/status', 'Bearer wrong'), REFUSED);
});

t.test('a file without a token lets no request in, and says why', async (t) => {
  for (const holds of ['', '\n', 'short', 'two words of some length', `${'x'.repeat(5_000)}`]) {
    const { ask } = setUp(t, {}, holds);
    const asked = await ask('/v1/drain', `Bearer ${holds.trim() || 'x'}`);
    t.match(asked, { ok: false, error: { detail: /^\[admin\] token_file: / } }, holds.slice(0, 20));
  }
  const { ask } = setUp(t, { tokenFile: '/does/not/exist' });
  t.match(await ask('/v1/drain', 'Bearer x'), { ok: false, error: { status: 503 } });
});
