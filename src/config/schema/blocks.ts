/** Lists of addresses and CIDR blocks, in whatever table they are. */
import type { AddressBlock } from '../../core/spec.js';
import { parseBlock } from '../address.js';
import { readList, readString } from '../reading.js';
import { mixed } from './kinds.js';
import type { KeyOptions } from './node.js';

const STRING = { type: 'string', minLength: 1 };

/** A key with up to `most` blocks. */
export function blockList<const O extends KeyOptions>(most: number, options: O) {
  return mixed<readonly AddressBlock[], O>(
    options,
    'a list of addresses and CIDR blocks',
    { anyOf: [{ type: 'array', items: STRING, maxItems: most }] },
    (raw) => readList(raw, most, 'blocks', (one) => readString(one, parseBlock)),
  );
}
