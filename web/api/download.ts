import { accepted } from './api-error.ts';
import { authorizedFetch } from '../session/fetch.ts';

/**
 * Saves what a call answers, under the name that it gives. By a call, because the key goes in a header, which a plain
 * link cannot send.
 * @returns the file's name. @throws ApiError
 */
export async function download(path: string, accept: string): Promise<string> {
  const response = await accepted(await authorizedFetch(`${location.origin}${path}`, { headers: { Accept: accept } }));
  const name = /filename="?([^";]+)"?/.exec(response.headers.get('content-disposition') ?? '')?.[1] ?? 'turnkeeper';
  const link = Object.assign(document.createElement('a'), {
    href: URL.createObjectURL(await response.blob()),
    download: name,
  });
  link.click();
  URL.revokeObjectURL(link.href);
  return name;
}
