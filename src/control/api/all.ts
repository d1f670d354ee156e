/** Every endpoint of the control API, in the order of its document. */
import type { AdminViews } from '../../admin/views.js';
import type { FileInUse } from '../file_in_use.js';
import type { Reloads } from '../reloads.js';
import type { Endpoint } from './endpoint.js';
import { reloadEndpoint } from './reload.js';
import { statusEndpoint } from './status.js';

/** What the endpoints ask and order. */
export interface ApiDeps {
  readonly views: AdminViews;
  readonly inUse: FileInUse;
  readonly reloads: Reloads;
}

export function endpointsOf(deps: ApiDeps): readonly Endpoint[] {
  return [statusEndpoint(deps), reloadEndpoint(deps)];
}
