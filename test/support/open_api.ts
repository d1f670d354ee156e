/** The OpenAPI document of a running daemon, operation by operation. */
import { askControl } from './control_client.js';

interface Response {
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content: Readonly<Record<string, { readonly schema: unknown }>>;
}

export interface BodySchema {
  readonly properties: Readonly<Record<string, { readonly maxLength?: number }>>;
}

export interface Operation {
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: BodySchema }>>;
  };
  readonly 'x-sluice-may': 'look' | 'change';
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, Response>>;
}

export interface PlacedOperation {
  readonly path: string;
  readonly method: string;
  readonly operation: Operation;
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

export const DOCUMENT = '/v1/openapi.json';

export async function operationsOf(socket: string): Promise<readonly PlacedOperation[]> {
  const { paths } = (await askControl(socket, 'GET', DOCUMENT)).body as OpenApi;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path,
      method: method.toUpperCase(),
      operation,
    })),
  );
}

/** Of a daemon with a pool `app` and its backend `app/a`: a body that each change takes. */
export const CHANGES: Readonly<Record<string, object>> = {
  '/v1/kill': { pool: 'app' },
  '/v1/drain': { backends: ['app/a'] },
  '/v1/maintain': { backends: ['app/a'] },
  '/v1/ready': { backends: ['app/a'] },
  '/v1/weight': { backends: ['app/a'], value: 3 },
  '/v1/cap': { backends: ['app/a'], value: 7 },
  '/v1/hold': { pool: 'app' },
  '/v1/release': { pool: 'app' },
  '/v1/log-level': { level: 'debug' },
  '/v1/deny': { client: '192.0.2.1' },
  '/v1/admit': { client: '192.0.2.1' },
  '/v1/reset': { backends: ['app/*'] },
  '/v1/reload': {},
  '/v1/upgrade': { timeout: '60s' },
};
