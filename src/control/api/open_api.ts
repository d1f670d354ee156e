/** The OpenAPI document of the control API, from the declarations that check its requests. */
import { STREAM_TYPE } from '../../admin/stream.js';
import type { ApiEndpoint } from './endpoint.js';
import { list, record, schemaOf, text, whole } from './shape.js';

const PROBLEM = record({
  type: text('`urn:sluice:problem:` and the kind.'),
  title: text('The kind in a sentence.'),
  status: whole('The status of the answer.', 400, 599),
  detail: text('What is wrong here, and what helps.'),
  problems: list('One by one, where there are several.', text('One of them.')),
});

export function openApi(endpoints: readonly ApiEndpoint[], version: string): object {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const endpoint of endpoints) {
    const path = `/v1${endpoint.path}`;
    paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: operation(endpoint) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'The control API of sluice',
      version,
      description:
        'Over the UNIX socket of `[admin] socket`. Every user who can open it may look; root, ' +
        "the daemon's user and `[admin] socket_users` may change things.",
    },
    paths,
    components: { schemas: { Problem: { ...schemaOf(PROBLEM), required: REQUIRED } } },
  };
}

const REQUIRED = ['type', 'title', 'status', 'detail'];

function operation(endpoint: ApiEndpoint): object {
  const { summary, may, queryFields, body, answer, path, method, follow } = endpoint;
  const parameters = Object.entries(queryFields).map(([name, shape]) => {
    const { description, ...schema } = schemaOf(shape);
    return { name, in: 'query', description, required: !shape.isOptional(), schema };
  });
  return {
    operationId: `${method.toLowerCase()}${inCamelCase(path)}`,
    summary,
    'x-sluice-may': may,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === null
      ? {}
      : { requestBody: { content: { 'application/json': { schema: schemaOf(body) } } } }),
    responses: {
      '200': {
        description: 'Done.',
        content: {
          'application/json': { schema: schemaOf(answer) },
          ...(follow === null ? {} : { [STREAM_TYPE]: { schema: { type: 'string' } } }),
        },
      },
      default: {
        description: 'Not done.',
        content: {
          'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
        },
      },
    },
  };
}

/** `/log-level` as `LogLevel`. */
function inCamelCase(path: string): string {
  return path.replace(/[^a-z]+([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
