/** Names for completion, from the running daemon. */
import type { BACKENDS, LISTENERS, POOLS } from '../control/api/lists.js';
import type { OVERRIDES } from '../control/api/overrides.js';
import type { ShapeOf } from '../control/api/shape.js';
import { usualSocketPath } from '../control/control_path.js';
import { unreachable } from '../core/assert.js';
import type { NamesOf } from './completion.js';
import { Client, CtlFailure } from './ctl/client.js';
import type { NameKind } from './option.js';
import { typedWord } from './typed_word.js';

/** The most that an answer has. */
const MOST = { limit: '10000' };
const SOCKET = '--socket';

/** Asks the daemon at `--socket` of the typed words, or where one usually is. */
export function namesOfDaemon(typed: readonly string[]): NamesOf {
  const client = new Client(socketIn(typed.map(typedWord)) ?? usualSocketPath(process.env));
  return async (kind) => {
    try {
      return await names(client, kind);
    } catch (error) {
      if (error instanceof CtlFailure) return [];
      throw error;
    }
  };
}

function socketIn(words: readonly string[]): string | undefined {
  const at = words.findIndex((word) => word === SOCKET || word.startsWith(`${SOCKET}=`));
  const word = words[at];
  return word === SOCKET ? words[at + 1] : word?.slice(SOCKET.length + 1);
}

async function names(client: Client, kind: NameKind): Promise<readonly string[]> {
  switch (kind) {
    case 'listener': {
      const { items } = await client.get<ShapeOf<typeof LISTENERS>>('/listeners');
      return items.map(({ name }) => name);
    }
    case 'pool': {
      const { items } = await client.get<ShapeOf<typeof POOLS>>('/pools');
      return items.map(({ name }) => name);
    }
    case 'denied': {
      const { items } = await client.get<ShapeOf<typeof OVERRIDES>>('/overrides', MOST);
      return items.filter((one) => one.kind === 'deny').map(({ value }) => String(value));
    }
    case 'backend':
    case 'backends': {
      const { items } = await client.get<ShapeOf<typeof BACKENDS>>('/backends', MOST);
      const pools = kind === 'backend' ? [] : new Set(items.map(({ pool }) => `${pool}/*`));
      return [...items.map(({ pool, name }) => `${pool}/${name}`), ...pools];
    }
    default:
      return unreachable(kind);
  }
}
