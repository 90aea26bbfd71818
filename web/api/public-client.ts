import createClient from 'openapi-fetch';
import type { paths } from './schema.d.ts';

/** The client for calls that need no session. The session needs their answers, so it cannot be used for them. */
export const publicApi = createClient<paths>({ baseUrl: location.origin });
