/**
 * A process with few descriptors that proxies to one backend, and reports to its parent when
 * accepting fails. Arguments: a module that exports `makeEngine`, and the backend's endpoint in
 * JSON.
 */
import type { Endpoint } from '../../../src/core/endpoint.js';
import { LOOPBACK } from '../../support/peer.js';
import { TcpDriver } from '../../support/tcp_driver.js';
import { BACKLOG, IDLE_HOOKS, LISTENER, type MakeEngine } from './bench.js';

export type Report =
  | { readonly kind: 'listening'; readonly local: Endpoint }
  | { readonly kind: 'acceptFailed'; readonly errno: string };

const [makeModule = '', backend = ''] = process.argv.slice(2);
const { makeEngine } = (await import(makeModule)) as { makeEngine: MakeEngine };

const driver = new TcpDriver();
const report = (what: Report): void => {
  process.send?.(what);
};
const accepting = driver.acceptFailed.bind(driver);
driver.acceptFailed = (key, errno) => {
  accepting(key, errno);
  report({ kind: 'acceptFailed', errno });
};
const under = await makeEngine({ pairs: 1_000, flows: 1 }, driver, IDLE_HOOKS);
driver.drive(under.engine.tcp);
driver.proxyTo(JSON.parse(backend) as Endpoint);
const source = under.source(LOOPBACK, BACKLOG);
const opened = await under.engine.tcp.openListener(LISTENER, source, BACKLOG);
if (!opened.ok) throw new Error(opened.sentence);
report({ kind: 'listening', local: opened.local });
process.once('disconnect', () => process.exit(0));
