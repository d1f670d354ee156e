/**
 * `sluice ctl clients` and what `explain` says of a client: which client has what, and what is
 * left.
 */
import t from 'tap';
import { startOperated } from '../support/ctl.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { listenerText, poolText } from '../support/settings.js';
import { type Target, tryDial, type Wire } from '../support/wire.js';

interface Clients {
  readonly items: readonly {
    readonly client: string;
    readonly listener: string;
    readonly sessions: number;
    readonly per_second: number | null;
    readonly bytes: number;
    readonly refused: number | null;
  }[];
}

async function served(target: Target, bytes = 1): Promise<Wire | null> {
  const wire = await tryDial(target);
  if (typeof wire === 'string') return null;
  wire.socket.write('x'.repeat(bytes));
  const answer = await wire.read(bytes).catch(() => null);
  if (answer === null) wire.socket.destroy();
  return answer === null ? null : wire;
}

t.test('the client with most comes first, and explain says what is against a client', async (t) => {
  const backends = await startEchoes(t, 1);
  const { daemon, ctl, ask } = await startOperated(t, {
    toml:
      poolText({ name: 'echo', backends }) +
      listenerText({
        name: 'limited',
        pool: 'echo',
        lines: 'limits.sessions_per_client = 2\naccess.deny = ["127.0.0.66"]',
      }) +
      listenerText({
        name: 'tried',
        pool: 'echo',
        lines:
          'limits.sessions_per_client = 1\nlimits.dry_run = true\n' +
          'access.deny = ["127.0.0.7"]\naccess.dry_run = true',
      }) +
      listenerText({ name: 'open', pool: 'echo' }),
    workers: 2,
  });
  await daemon.backendsUp('echo', 1);
  const from = async (listener: string, localAddress: string, bytes?: number) =>
    served({ port: await daemon.port(listener), localAddress }, bytes);
  for (let n = 0; n < 2; n++) t.ok(await from('limited', '127.0.0.7'));
  for (let n = 0; n < 3; n++) t.equal(await from('limited', '127.0.0.7'), null);
  t.ok(await from('limited', '127.0.0.8', 5_000));
  t.ok(await from('open', '127.0.0.9'));

  const { items } = await ask<Clients>('clients');
  t.match(items, [
    { client: '127.0.0.7', listener: 'limited', sessions: 2, refused: 3, bytes: 4 },
    { client: '127.0.0.8', listener: 'limited', sessions: 1, refused: 0, bytes: 10_000 },
    { client: '127.0.0.9', listener: 'open', sessions: 1, refused: null, per_second: null },
  ]);
  t.ok(Number(items[0]?.per_second) > 0);
  const byBytes = await ask<Clients>('clients', '--sort', 'bytes', '--limit', '1');
  t.match(byBytes.items, [{ client: '127.0.0.8' }]);
  t.equal(byBytes.items.length, 1);
  const { items: open } = await ask<Clients>('clients', '--listener', 'open');
  t.same(
    open.map(({ client }) => client),
    ['127.0.0.9'],
  );
  const table = await ctl('clients');
  t.match(
    table.stdout,
    /^CLIENT +LISTENER +SESSIONS +RATE +BYTES +REFUSED\n127\.0\.0\.7 +limited +2 /,
  );
  t.match(await ctl('clients', '--listener', 'nowhere'), { code: 1 });

  const outcome = async (client: string, listener = 'limited'): Promise<string> =>
    (await ask<{ readonly outcome: string }>('explain', listener, client)).outcome;
  t.match(await outcome('127.0.0.7'), /^It is refused: too-many-sessions, it has 2 already/);
  t.match(await outcome('127.0.0.8'), /^It goes to echo\//);
  t.match(await outcome('127.0.0.66'), /^It is refused: denied, by the listener's access list/);
  t.match(
    await outcome('127.0.0.7', 'tried'),
    /^It goes to echo\/\S+\. Without dry_run it would be refused: denied, by the listener's/,
  );
  t.ok(await from('tried', '127.0.0.10'));
  t.match(
    await outcome('127.0.0.10', 'tried'),
    /^It goes to echo\/\S+\. Without dry_run it would be refused: too-many-sessions, it has 1/,
  );
  await ctl('deny', '127.0.0.8');
  t.match(await outcome('127.0.0.8'), /^It is refused: 127\.0\.0\.8 is denied by \S+ \(since/);
});
