/** The stage that reads a TLS hello, where a route asks for what stands in it. */
import { unreachable } from '../../core/assert.js';
import { readHello } from './client_hello.js';
import { type EarlyStage, NEED_MORE } from './stage.js';

/**
 * Nothing is consumed: the hello is the backend's. A client that sends no hello goes on without
 * one.
 */
export const TLS_HELLO: EarlyStage = {
  late: 'hello-timeout',
  tooLarge: 'no-route',
  read: (bytes, facts) => {
    const { postgres } = facts;
    // It has said what it wants, and no hello will follow.
    if (postgres !== null && postgres.kind !== 'encryption') {
      return { kind: 'next', facts, consumed: 0 };
    }
    const reading = readHello(bytes);
    switch (reading.kind) {
      case 'need-more':
        return NEED_MORE;
      case 'none':
        // It was promised TLS, and speaks something else.
        if (postgres !== null) return { kind: 'refuse', cause: 'not-postgres' };
        return { kind: 'next', facts, consumed: 0 };
      case 'hello':
        return { kind: 'next', facts: { ...facts, hello: reading.hello }, consumed: 0 };
      default:
        return unreachable(reading);
    }
  },
};
