/** http: Prometheus' `http_sd`, a full list each time, from whatever keeps the inventory. */
import type { HttpSourceSpec } from '../../core/discovery_spec.js';
import { shown } from '../answers.js';
import { readTargetGroups } from '../file_sd.js';
import { askHttp } from '../http_client.js';
import { readSecrets } from '../secret_files.js';
import {
  type GiveUp,
  type Members,
  membersFound,
  type SecretDeps,
  type Source,
  type SourceAnswer,
  sourceFailed,
} from '../source.js';

export function httpSource(spec: HttpSourceSpec, deps: SecretDeps): Source {
  const { timers } = deps;
  /** Of the last list that could be read. */
  let known: { readonly etag: string; readonly answer: Members } | null = null;

  const ask = async (giveUp: GiveUp): Promise<SourceAnswer> => {
    const secrets = await readSecrets(spec, deps, giveUp);
    if (secrets.kind === 'failed') return secrets;
    const { ca, token } = secrets;
    const answer = await askHttp(
      {
        url: spec.url,
        ca,
        headers: {
          // As Prometheus has it: how long its answer will be used.
          'x-prometheus-refresh-interval-seconds': String(spec.intervalMs / 1_000),
          ...(known === null ? {} : { 'if-none-match': known.etag }),
        },
        secretHeaders: token === null ? {} : { authorization: `Bearer ${token}` },
      },
      timers,
      giveUp,
    );
    if (answer.kind === 'failed') return answer;
    const { host } = new URL(spec.url);
    if (answer.status === 304 && known !== null) return known.answer;
    if (answer.status !== 200) return sourceFailed('refused', `${host} answers ${answer.status}`);
    const list = readTargetGroups(answer.body);
    if (!list.ok) {
      const { 'content-type': type = 'no type' } = answer.headers;
      return sourceFailed('malformed', `the answer of ${host} (${shown(type)}): ${list.error}`);
    }
    const members = membersFound(list.value, spec.intervalMs);
    const { etag } = answer.headers;
    known = etag === undefined ? null : { etag, answer: members };
    return members;
  };

  return { ask };
}
