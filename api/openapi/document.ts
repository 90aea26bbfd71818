import { readConfig } from '../../platform/config/config.ts';
import type { ApiDeps } from '../context.ts';
import { describeApi } from './openapi.ts';
import { routesOf, watchRoutes } from '../routes.ts';

/**
 * Prints the OpenAPI document without a running service, for files that are generated from it. Routes are made, but
 * never called.
 */
const known: Pick<ApiDeps, 'config'> = { config: readConfig({ TEST_ROUTES: 'true' }) };
process.stdout.write(
  JSON.stringify(
    describeApi([
      ...watchRoutes(known as ApiDeps),
      ...routesOf(known as ApiDeps, {
        arrive: () => {
          throw new Error('nothing is sent');
        },
        bound: () => 0,
        starting: () => ({ now: 0, bound: 0 }),
      }),
    ]),
  ),
);
