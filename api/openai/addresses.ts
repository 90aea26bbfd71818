import type { RequestHandler } from 'express';
import { AppError } from '../../domain/errors.ts';

/**
 * Clients join a base URL and a path with a slash too many, and put a model's name into an address as it is, with the
 * slashes that are part of it.
 */
export const readAddress: RequestHandler = (request, _response, next) => {
  if (/^\/+v1\//i.test(request.url)) request.url = addressOf(request.url);
  next();
};

/** @param url of the door, with its query. */
export function addressOf(url: string): string {
  const end = url.indexOf('?');
  const [path, query] = end === -1 ? [url, ''] : [url.slice(0, end), url.slice(end)];
  const plain = path.replaceAll(/\/{2,}/g, '/');
  const [, models, name] = /^(\/v1\/models\/)(.+?)\/?$/i.exec(plain) ?? [];
  return (models === undefined || name === undefined ? plain : models + name.replaceAll('/', '%2F')) + query;
}

/**
 * Lets pages of every origin ask and read the door, as OpenAI's own does: clients run in browsers, too. A page can
 * bring no key but one that it was given, because there are no cookies.
 */
export const letPages: RequestHandler = ({ method, headers }, response, next) => {
  response.set({ 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': '*' });
  if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return next();
  const asked = headers['access-control-request-headers'] ?? '';
  response
    .status(204)
    .set({
      'Access-Control-Allow-Methods': 'GET, HEAD, POST',
      // Named one by one: `*` does not stand for Authorization, and clients send headers of their own.
      'Access-Control-Allow-Headers': /^[\w\-, ]{1,2000}$/.test(asked) ? asked : 'Authorization, Content-Type',
      'Access-Control-Max-Age': '7200',
    })
    .end();
};

/** Where a client asks that takes the service's address itself for the base URL. */
export const WITHOUT_VERSION = ['/chat/completions', '/responses', '/completions', '/embeddings', '/models'];

/** @throws AppError not_found, which says where the door is. */
export const refuseAddress: RequestHandler = ({ method, baseUrl, path }) => {
  const address = (baseUrl + path).replace(/\/$/, '').slice(0, 200);
  throw new AppError('not_found', { reason: `${method} ${address}: ${adviceFor(address)}` });
};

function adviceFor(path: string): string {
  if (!/^\/v1\b/i.test(path)) return 'the base URL must end in /v1';
  if (/^\/v1\/v1\b/i.test(path)) return 'the base URL and the client both add /v1';
  if (/^\/v1\/completions$/i.test(path)) return 'is not offered here; ask POST /v1/chat/completions';
  return 'is not offered here; there are POST /v1/chat/completions, POST /v1/responses and GET /v1/models';
}
