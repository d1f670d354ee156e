/**
 * What is bound beyond this machine can be read by everyone that reaches it: that takes a decision.
 */
import { isLoopback } from '../../core/endpoint.js';
import type { Check } from './check.js';

export const checkAdmin: Check = ({ config: { admin } }) => {
  const { http, token_file: tokenFile, allow_public: isPublic } = admin;
  if (http === undefined || http === null || isLoopback(http)) return [];
  if (isPublic === undefined || isPublic || tokenFile === undefined || tokenFile !== null)
    return [];
  return [
    {
      code: 'conflict',
      path: ['admin', 'http'],
      problem: 'it can be read from other machines, without a token',
      expected:
        'a loopback address, a token_file, or allow_public = true if everyone that can reach it may read it',
      rests: [
        ['admin', 'token_file'],
        ['admin', 'allow_public'],
      ],
    },
  ];
};
