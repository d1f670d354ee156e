/** The admin endpoint over fake views and a clock that obeys, for tests with real sockets. */
import { connect } from 'node:net';
import type { Test } from 'tap';
import { type AdminDeps, startAdmin } from '../../src/admin/http.js';
import type { AdminViews } from '../../src/admin/views.js';
import { socketDescriptors } from '../../src/control/admin_sockets.js';
import { present } from '../../src/core/assert.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import { loadKernel } from '../../src/kernel/foreign.js';
import { FakeTime } from '../support/fake_time.js';
import { fakeViews } from './fake_views.js';

const ANYWHERE = ipEndpoint(4, '127.0.0.1', 0);

const kernel = loadKernel();
/** As the daemon has them; `NO_SOCKETS` where foreign calls do not work. */
export const SOCKETS = socketDescriptors(kernel.ok ? kernel.value : null);
export const NO_SOCKETS = socketDescriptors(null);

export function depsOf(views: AdminViews, time = new FakeTime()): AdminDeps {
  const hosts = () => ['sluice.example.org'];
  const none = { defect: () => {}, slow: () => {} };
  return { views, clock: time, timers: time, sockets: SOCKETS, hosts, ...none };
}

/** `more`: what is to be otherwise. */
export async function served(t: Test, more: Partial<AdminDeps> = {}) {
  const views = fakeViews();
  const time = new FakeTime();
  const defects: unknown[] = [];
  const defect = (error: unknown): void => void defects.push(error);
  const deps = { ...depsOf(views, time), defect, ...more };
  const started = await startAdmin(ANYWHERE, deps);
  const server = present(started.ok ? started.value : null, 'a free port can be bound');
  t.teardown(() => server.close());
  const { host, port } = server.endpoint;
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`http://${host}:${port}${path}`, init);
  return { views, server, ask, port, time, defects };
}

/** Sends raw bytes and resolves with everything that comes until the end. */
export async function raw(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.end(request);
  return (await socket.toArray()).join('');
}
