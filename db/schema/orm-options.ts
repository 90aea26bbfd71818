import { fileURLToPath } from 'node:url';
import { Migrator } from '@mikro-orm/migrations';
import { defineConfig } from '@mikro-orm/postgresql';
import { MIGRATIONS } from '../../migrations/index.ts';
import { ENTITIES } from '../entities/index.ts';
import { MigrationFile } from './migration-file.ts';
import { Names } from './names.ts';
import { OurSchemaGenerator } from './schema-generator.ts';

const names = new Names();

/** What the program and MikroORM's own commands (mikro-orm.config.ts) share. */
export function ormOptions(url: string) {
  return defineConfig({
    clientUrl: url,
    // MikroORM reads host, user and database of the URL alone. The driver reads all of it: without this line
    // `?sslmode=verify-full` would be silently in the clear.
    driverOptions: { connectionString: url },
    entities: [...ENTITIES],
    namingStrategy: Names,
    extensions: [Migrator, OurSchemaGenerator],
    schemaGenerator: { ignoreTriggers: true, ignoreRoutines: true },
    baseDir: fileURLToPath(new URL('../..', import.meta.url)),
    migrations: {
      tableName: 'schema_migrations',
      migrationsList: [...MIGRATIONS],
      path: 'migrations',
      fileName: (timestamp, name) => names.classToMigrationName(timestamp, name),
      generator: MigrationFile,
      // The snapshot is the schema after the newest migration. The next migration is the difference of the entities to
      // it.
      snapshot: true,
      snapshotName: 'schema',
      snapshotOnMigrate: false,
      transactional: true,
      allOrNothing: false,
    },
  });
}
