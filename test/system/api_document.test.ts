/** What the document of the control API says, held against what a running daemon does. */
import t from 'tap';
import { askControl } from '../support/control_client.js';
import { startOperated } from '../support/ctl.js';
import { CHANGES, operationsOf } from '../support/open_api.js';
import { serviceText } from '../support/settings.js';

const SERVICE = serviceText({
  name: 'app',
  health: 'probe = "none"',
  backends: [{ name: 'a', address: '127.0.0.1:1' }],
});

/** It starts another process; what it does is tested in upgrade. */
const UPGRADE = '/v1/upgrade';

t.test(
  'every change is ruled out by a tag of something else, and made with the present one',
  async (t) => {
    const { daemon, socket } = await startOperated(t, { toml: SERVICE });
    const change = (path: string, tag: string) =>
      askControl(socket, 'POST', path, CHANGES[path], { 'if-match': tag });
    const present = async (): Promise<string> =>
      (await askControl(socket, 'GET', '/v1/overrides')).etag ?? '';
    const changing = (await operationsOf(socket)).filter(({ method }) => method === 'POST');
    t.same(changing.map(({ path }) => path).toSorted(), Object.keys(CHANGES).toSorted());
    for (const { path } of changing) {
      for (const tag of ['"nonsense"', `W/${await present()}`, '"old", "older"']) {
        t.match(
          await change(path, tag),
          { status: 412, body: { type: /changed/ } },
          `${path} ${tag}`,
        );
      }
    }
    t.same(
      ['override-set', 'reloading', 'sessions-killed', 'upgrading'].filter(
        (name) => daemon.eventsNamed(name).length > 0,
      ),
      [],
      'nothing was done',
    );
    for (const { path } of changing) {
      if (path === UPGRADE) continue;
      t.equal((await change(path, `"old", ${await present()}`)).status, 200, path);
      // What was admitted is not denied any more, and refused for another reason.
      t.not((await change(path, '*')).status, 412, path);
    }
  },
);
