/** TCP contract: an engine without descriptors says so, and serves again when there are some. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import type { Endpoint } from '../../../src/core/endpoint.js';
import { eventually, within } from '../../support/deadline.js';
import { connectPeer, LOOPBACK, type Peer, PeerServer, startPeer } from '../../support/peer.js';
import type { Report } from './exhaustion_child.js';

/** Enough for Node.js itself and a dozen pairs. */
const DESCRIPTORS = 64;

export function exhaustionContract(t: Test, makeModule: URL): void {
  t.test('without a descriptor accepting fails, is reported, and goes on later', async (t) => {
    const backend = await PeerServer.listen(LOOPBACK);
    const engine = await Child.start(makeModule, backend.endpoint);
    const clients: Peer[] = [];
    backend.serve((peer) => peer.socket.on('data', (bytes: Buffer) => peer.send(bytes)));
    try {
      for (let i = 0; i < 2 * DESCRIPTORS; i++) clients.push(await connectPeer(engine.listener));
      const { errno } = await engine.report('acceptFailed');
      t.equal(errno, 'EMFILE');
      for (const client of clients) client.reset();
      t.equal(await askUntilServed(engine.listener), 'after');
    } finally {
      await engine.stop();
      backend.close();
    }
  });
}

/** A client may still be turned away while the descriptors of the others come back. */
function askUntilServed(listener: Endpoint): Promise<string> {
  return eventually('an answer', async () => {
    const client = startPeer(listener);
    client.send('after');
    const answer = await client.takeText(5);
    client.socket.destroy();
    return answer === '' ? undefined : answer;
  });
}

class Child {
  readonly listener: Endpoint;
  readonly #process: ChildProcess;
  readonly #reports: Report[];

  private constructor(child: ChildProcess, reports: Report[], listener: Endpoint) {
    this.#process = child;
    this.#reports = reports;
    this.listener = listener;
  }

  static async start(makeModule: URL, backend: Endpoint): Promise<Child> {
    const program = fileURLToPath(new URL('./exhaustion_child.js', import.meta.url));
    const words = ['-c', `ulimit -n ${DESCRIPTORS} && exec "$@"`, 'sh'];
    const child = spawn(
      'sh',
      [...words, process.execPath, program, makeModule.href, JSON.stringify(backend)],
      { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
    );
    const reports: Report[] = [];
    child.on('message', (report: Report) => reports.push(report));
    const [first] = (await within('the child', once(child, 'message'))) as [Report];
    if (first.kind !== 'listening') throw new Error('the child begins by listening');
    return new Child(child, reports, first.local);
  }

  async report<K extends Report['kind']>(kind: K): Promise<Extract<Report, { kind: K }>> {
    for (;;) {
      const found = this.#reports.find((r): r is Extract<Report, { kind: K }> => r.kind === kind);
      if (found) return found;
      await within(`report ${kind}`, once(this.#process, 'message'));
    }
  }

  async stop(): Promise<void> {
    const exited = once(this.#process, 'exit');
    this.#process.disconnect();
    await within('the child to exit', exited);
  }
}
