import { sql } from 'kysely';
import type { NamedPerson } from '../../domain/people.ts';
import { columnsOf } from '../columns.ts';
import type { Sql } from '../database.ts';
import { User } from '../entities/user.ts';

/** How the people of a page are named, in one statement however many rows it has. */
export async function findNames(on: Sql, userIds: Iterable<number | null>): Promise<ReadonlyMap<number, NamedPerson>> {
  const ids = [...new Set(userIds)].filter((id) => id !== null);
  if (ids.length === 0) return new Map();
  const { rows } = await sql<NamedPerson>`select ${columnsOf(User, 'u', { userId: 'id', email: 'email', name: 'name' })}
    from users u where id = any(${ids}::bigint[])`.execute(on);
  return new Map(rows.map((person) => [person.userId, person]));
}
