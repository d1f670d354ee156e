/** Unguessable text, for authentication exchanges. */
import { randomBytes } from 'node:crypto';

/** 18 random bytes in base64: 24 characters, none of them a comma. */
export function nonce(): string {
  return randomBytes(18).toString('base64');
}
