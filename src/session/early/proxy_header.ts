/** The first stage behind a trusted proxy: its header says whose connection this is. */
import { unreachable } from '../../core/assert.js';
import { parse } from '../proxy_protocol/parse.js';
import { type EarlyStage, NEED_MORE, type StageAnswer } from './stage.js';

const BAD: StageAnswer = { kind: 'refuse', cause: 'bad-proxy-header' };

export const PROXY_HEADER: EarlyStage = {
  late: 'proxy-header-timeout',
  tooLarge: 'bad-proxy-header',
  read: (bytes, facts) => {
    const parsed = parse(bytes);
    switch (parsed.kind) {
      case 'need-more':
        return NEED_MORE;
      case 'bad':
        return BAD;
      case 'header': {
        if (parsed.transport === 'dgram') return BAD;
        const { source, destination, tlvs, length } = parsed;
        const proxied = { transport: 'stream', source, destination, tlvs } as const;
        return { kind: 'next', facts: { ...facts, proxied }, consumed: length };
      }
      default:
        return unreachable(parsed);
    }
  },
};
