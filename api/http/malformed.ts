import { STATUS_CODES, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { v7 as uuidv7 } from 'uuid';
import type { ErrorCode } from '../../domain/errors.ts';
import { errorSentence } from '../../domain/messages.ts';
import { envelopeOf, FLAT_ENVELOPE, type ErrorEnvelope } from './errors.ts';

/** What Node's parser refuses, by the code of its error. Anything else is 400. */
const REFUSALS: Readonly<Record<string, { status: number; code: ErrorCode }>> = {
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, code: 'invalid_request' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, code: 'payload_too_large' },
  HPE_HEADER_OVERFLOW: { status: 431, code: 'invalid_request' },
};
const MALFORMED = { status: 400, code: 'invalid_request' } as const;

/**
 * Answers bytes that are no HTTP request (a broken chunk, a header with a NUL, a body that does not come), too, and
 * closes their connection: where the next request would begin is not known. Of the language nothing is known either.
 * The shape is that of the route where one has begun to read, else the flat one.
 */
export function answerMalformed(server: Server): void {
  const answering = new WeakMap<Socket, ServerResponse>();
  server.on('request', ({ socket }, response) => answering.set(socket, response));
  // Node's 417 has no body. An expectation that is not known may be passed over (RFC 9110, 10.1.1).
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const last = answering.get(socket);
    const open = last === undefined || last.writableFinished ? null : last;
    // Half of an answer that has begun must not be followed by another.
    if (socket.writable && open?.headersSent !== true)
      socket.end(answerTo(REFUSALS[error.code ?? ''] ?? MALFORMED, open === null ? FLAT_ENVELOPE : envelopeOf(open)));
    socket.destroySoon();
  });
}

function answerTo({ status, code }: { status: number; code: ErrorCode }, envelope: ErrorEnvelope): string {
  const requestId = uuidv7();
  const body = JSON.stringify(envelope.wrap({ code, message: errorSentence(code, 'ko'), details: {}, requestId }));
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Content-Language: ko',
    `X-Request-Id: ${requestId}`,
    'X-Content-Type-Options: nosniff',
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}
