import { TSMigrationGenerator } from '@mikro-orm/migrations';
import type { MigrationDiff } from '@mikro-orm/core';

/** Writes a new migration in our form: named like its file, and forward only. */
export class MigrationFile extends TSMigrationGenerator {
  /** @param name `20261201093000-add-receipts`, by `Names`. */
  override generateMigrationFile(name: string, { up }: MigrationDiff): string {
    const className = name.replace(/^\d+/, '').replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    return `import { Migration } from '@mikro-orm/migrations';

export class ${className} extends Migration {
  override readonly name = '${name}';

  override up(): void {
${up.map((statement) => this.createStatement(statement, 4)).join('')}  }
}
`;
  }
}
