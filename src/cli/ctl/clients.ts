/** `sluice ctl clients`: which clients have most of the listeners' sessions and flows. */
import type { CLIENTS } from '../../control/api/clients.js';
import type { ShapeOf } from '../../control/api/shape.js';
import { CLIENT_SORTS } from '../../core/questions.js';
import type { CtlCommand } from './command.js';
import { bytes, textsOf } from './sessions.js';

type Clients = ShapeOf<typeof CLIENTS>;

export const clients: CtlCommand = {
  name: 'clients',
  description: 'top talkers: clients with their sessions, rate, bytes and refusals',
  options: [
    { flags: '--listener <name>', description: 'only those of a listener', values: 'listener' },
    {
      flags: '--sort <by>',
      description: 'sessions, rate, bytes or refused: the highest first',
      default: 'sessions',
      values: CLIENT_SORTS,
    },
    { flags: '--limit <n>', description: 'how many at most, up to 1000', default: '20' },
  ],
  notes:
    'Rate (attempts per second, of the last ten) and refusals are known where [listeners.NAME.limits] has a limit for each client. IPv6 clients count by their prefix.',
  run: async ({ client, out, words }) => {
    const query = textsOf(words, ['listener', 'sort', 'limit']);
    const page = await client.get<Clients>('/clients', { ...query });
    out.show(page, (value, fit) => fit(rows(value)));
    for (const sentence of page.missing) out.complain(sentence);
    return 0;
  },
};

function rows({ items }: Clients): readonly (readonly string[])[] {
  const heads = ['CLIENT', 'LISTENER', 'SESSIONS', 'RATE', 'BYTES', 'REFUSED'];
  return [
    heads,
    ...items.map((one) => [
      one.client,
      one.listener,
      String(one.sessions),
      one.per_second === null ? '-' : `${one.per_second}/s`,
      bytes(one.bytes),
      one.refused === null ? '-' : String(one.refused),
    ]),
  ];
}
