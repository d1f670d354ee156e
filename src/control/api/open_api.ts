/** The OpenAPI document of the control API, from the declarations that check its requests. */
import { STREAM_TYPE } from '../../admin/stream.js';
import type { ApiEndpoint, Failure } from './endpoint.js';
import { list, record, type Shape, schemaOf, text, whole } from './shape.js';

const PROBLEM = record({
  type: text('`urn:sluice:problem:` and the kind.'),
  title: text('The kind in a sentence.'),
  status: whole('The status of the answer.', 400, 599),
  detail: text('What is wrong here, and what helps.'),
  problems: list('One by one, where there are several.', text('One of them.')),
});

/** What any request may be answered with. */
const STATUSES = {
  400: 'The request is not what the endpoint expects.',
  401: 'Over `[admin] http`: the token is missing, or another one.',
  408: 'The request was not whole in time.',
  413: 'The body is too long.',
  414: 'The target is too long.',
  421: 'Over `[admin] http`: the name of the host is not in `[admin] hosts`.',
  431: 'The headers are too long.',
  500: 'A defect of sluice.',
  503: 'Too many requests at once, or another process serves since; ask again.',
  505: 'Another version of HTTP.',
} as const;
/** What a change may be answered with as well. */
const OF_CHANGES = {
  403: 'The caller may look, and change nothing.',
  411: 'The body came without its length.',
  412: 'If-Match: something has changed since it was looked at.',
} as const;
const OF_HANDLERS: Readonly<Record<Failure, string>> = {
  404: 'There is nothing of that name.',
  409: 'Refused as things are; nothing has changed.',
};
/** Answered before the API is asked: a sentence alone. */
const PLAIN = '421';

const ETAG = { ETag: { description: 'Of the overrides.', schema: { type: 'string' } } };
const IF_MATCH = header(
  'If-Match',
  'Tags of overrides, or `*`: the change is made only if one of them is that of now.',
);
const LAST_EVENT_ID = header(
  'Last-Event-ID',
  'Where a stream of server-sent events was torn off: it goes on behind that event.',
);

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
        'Over the UNIX socket of `[admin] socket`: every user who can open it may look; root, ' +
        "the daemon's user and `[admin] socket_users` may change things. Over `[admin] http`: " +
        'changes take the token, and so does reading beyond loopback unless ' +
        '`[admin] allow_public` is set.',
    },
    servers: [
      { url: 'http://localhost', description: 'The UNIX socket of `[admin] socket`.' },
      {
        url: 'http://{address}',
        description: '`[admin] http`.',
        variables: { address: { default: '127.0.0.1:9600' } },
      },
    ],
    security: [{}, { token: [] }],
    paths,
    components: {
      schemas: { Problem: { ...bare(PROBLEM), required: REQUIRED } },
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'Over `[admin] http`: what `[admin] token_file` holds.',
        },
      },
    },
  };
}

const REQUIRED = ['type', 'title', 'status', 'detail'];

function operation(endpoint: ApiEndpoint): object {
  const { summary, may, queryFields, body, path, method, isResumed } = endpoint;
  const query = Object.entries(queryFields).map(([name, shape]) => {
    const { description, ...schema } = schemaOf(shape);
    return { name, in: 'query', description, required: !shape.isOptional(), schema };
  });
  const headers = [...(may === 'change' ? [IF_MATCH] : []), ...(isResumed ? [LAST_EVENT_ID] : [])];
  const parameters = [...query, ...headers];
  return {
    operationId: `${method.toLowerCase()}${inCamelCase(path)}`,
    summary,
    'x-sluice-may': may,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === null
      ? {}
      : { requestBody: { content: { 'application/json': { schema: schemaOf(body) } } } }),
    responses: responses(endpoint),
  };
}

function responses({ answer, follow, fails, isTagged, may }: ApiEndpoint): object {
  const own = Object.fromEntries(fails.map((status) => [status, OF_HANDLERS[status]]));
  const all = { ...STATUSES, ...(may === 'change' ? OF_CHANGES : {}), ...own };
  return {
    '200': {
      description: 'Done.',
      ...(isTagged ? { headers: ETAG } : {}),
      content: {
        'application/json': { schema: bare(answer) },
        ...(follow === null ? {} : { [STREAM_TYPE]: { schema: { type: 'string' } } }),
      },
    },
    ...Object.fromEntries(
      Object.entries(all).map(([status, description]) => [status, failed(status, description)]),
    ),
    default: failed('', 'Not done.'),
  };
}

function failed(status: string, description: string): object {
  const content =
    status === PLAIN
      ? { 'text/plain': { schema: { type: 'string' } } }
      : { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
  return { description, content };
}

function header(name: string, description: string): object {
  return { name, in: 'header', description, required: false, schema: { type: 'string' } };
}

/** Of an answer: bounds of texts are those of requests. */
function bare(shape: Shape<unknown>): Readonly<Record<string, unknown>> {
  const plain: Readonly<Record<string, unknown>> = JSON.parse(
    JSON.stringify(schemaOf(shape), unbounded),
  );
  return plain;
}

function unbounded(key: string, value: unknown): unknown {
  return key === 'maxLength' || key === 'pattern' ? undefined : value;
}

/** `/log-level` as `LogLevel`. */
function inCamelCase(path: string): string {
  return path.replace(/[^a-z]+([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
