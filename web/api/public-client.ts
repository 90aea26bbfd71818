import createClient from 'openapi-fetch';
import type { paths } from './schema.d.ts';

/** For what anybody may ask; the session, by which the other client speaks, is built on its answers. */
export const publicApi = createClient<paths>({ baseUrl: location.origin });
