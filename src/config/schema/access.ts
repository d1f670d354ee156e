/** `[listeners.NAME.access]`: who may come. */
import type { AccessSpec, AddressBlock } from '../../core/spec.js';
import { parseBlock } from '../address.js';
import { fault, fits, type Reading, readEach } from '../reading.js';
import { flag, mixed } from './kinds.js';
import { table, type ValueOf } from './node.js';

/** Longer lists belong into files, where a bad line is one line. */
const MAX_BLOCKS = 10_000;
const MAX_FILES = 16;

interface EmptyList {
  readonly default: readonly string[];
  readonly doc: string;
}

const STRING = { type: 'string', minLength: 1 };

function blocks(doc: string) {
  return mixed<readonly AddressBlock[], EmptyList>(
    { default: [], doc },
    'a list of addresses and CIDR blocks',
    { anyOf: [{ type: 'array', items: STRING, maxItems: MAX_BLOCKS }] },
    (raw): Reading<readonly AddressBlock[]> => {
      if (!Array.isArray(raw)) return fault('wrong-type', 'wrong type');
      if (raw.length > MAX_BLOCKS) return fault('too-many', `more than ${MAX_BLOCKS} blocks`);
      return readEach(raw, (one) =>
        typeof one === 'string' ? parseBlock(one) : fault('wrong-type', 'wrong type'),
      );
    },
  );
}

function files(doc: string) {
  return mixed<readonly string[], EmptyList>(
    { default: [], doc },
    'a list of absolute paths',
    { anyOf: [{ type: 'array', items: STRING, maxItems: MAX_FILES }] },
    (raw): Reading<readonly string[]> => {
      if (!Array.isArray(raw)) return fault('wrong-type', 'wrong type');
      if (raw.length > MAX_FILES) return fault('too-many', `more than ${MAX_FILES} files`);
      return readEach(raw, (one) => {
        if (typeof one !== 'string') return fault('wrong-type', 'wrong type');
        return one.startsWith('/') ? fits(one) : fault('malformed', 'not an absolute path');
      });
    },
  );
}

export const ACCESS = table(
  'Who may come, by the client\'s address: who may not is reset before a byte is read, or for UDP dropped. The most specific block decides, and "deny" between two that are the same; UNIX clients may always come. Behind a trusted proxy the client of the PROXY header counts, and of the proxy only what denies it. Who is here when a block is added stays.',
  {
    allow: blocks(
      'Addresses and CIDR blocks. Not empty, or with `allow_files`: everybody else is refused, as `not-allowed`.',
    ),
    deny: blocks('Addresses and CIDR blocks that are refused, as `denied`.'),
    allow_files: files(
      'Files with more of them: one block a line, "#" begins a comment. They are watched: a change holds within two seconds. One with a bad line, or that cannot be read, changes nothing, and `access-list-kept` says why; at a start or reload it is refused. All lists of a listener may have 1,000,000 blocks.',
    ),
    deny_files: files('The same for `deny`.'),
    dry_run: flag({
      default: false,
      doc: 'true: nobody is refused; who would be is counted in `sluice_would_refuse_total`.',
    }),
  },
);

export function accessSpec(value: ValueOf<typeof ACCESS>): AccessSpec | null {
  const { allow, deny, allow_files: allowFiles, deny_files: denyFiles } = value;
  if ([allow, deny, allowFiles, denyFiles].every((list) => list.length === 0)) return null;
  return { allow, deny, allowFiles, denyFiles, dryRun: value.dry_run };
}
