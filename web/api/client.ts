import createClient from 'openapi-fetch';
import { authorizedFetch } from '../session/fetch.ts';
import type { paths } from './schema.d.ts';

export const api = createClient<paths>({ baseUrl: location.origin, fetch: authorizedFetch });
