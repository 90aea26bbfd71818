import { readConfig } from '../platform/config.ts';
import type { ApiDeps } from './context.ts';
import { describeApi } from './openapi.ts';
import { routesOf } from './routes.ts';

/** Prints the OpenAPI document without a running service, for what is generated from it. Routes are made, never called. */
const deps = { config: readConfig({ TEST_ROUTES: 'true' }) } as unknown as ApiDeps;
process.stdout.write(JSON.stringify(describeApi(routesOf(deps, { enter: async () => {}, bound: () => 0 }))));
