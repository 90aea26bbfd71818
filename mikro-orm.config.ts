import { ormOptions } from './db/schema/orm-options.ts';
import { SetupError } from './domain/setup-error.ts';
import { readConfig } from './platform/config/config.ts';

const { directUrl } = readConfig().database;
if (directUrl === undefined) throw new SetupError('DATABASE_URL: must be set for MikroORM’s commands');

/** For MikroORM's commands: `npm run mikro-orm -- migration:list`. */
export default ormOptions(directUrl);
