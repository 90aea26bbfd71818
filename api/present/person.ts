import type { z } from 'zod';
import type { Sql } from '../../db/database.ts';
import { findNames } from '../../db/people/names.ts';
import type { UserRecord } from '../../db/reports/admin-users.ts';
import { lookAlikesOf } from '../../domain/email.ts';
import type { NamedPerson } from '../../domain/people.ts';
import type { adminUser } from '../wire/admin-user.ts';
import type { person } from '../wire/named-person.ts';
import { iso, isoOrNull } from './turn.ts';

export function presentPerson({ userId, email, name }: NamedPerson): z.infer<typeof person> {
  return { userId, email, name, emailLookAlikes: lookAlikesOf(email) };
}

export function presentUser({
  accountId: _,
  suspendedAt,
  createdAt,
  lastSeenAt,
  ...user
}: UserRecord): z.infer<typeof adminUser> {
  return {
    ...user,
    emailLookAlikes: lookAlikesOf(user.email),
    suspendedAt: isoOrNull(suspendedAt),
    createdAt: iso(createdAt),
    lastSeenAt: isoOrNull(lastSeenAt),
  };
}

type Person = z.infer<typeof person>;

/**
 * Says of each item who the people of its ids are, in one statement however many items there are.
 * @param fields the name of each new field, and the id that it is about; null for nobody (the CLI).
 */
export async function withNames<Item extends object, Field extends string>(
  on: Sql,
  items: readonly Item[],
  fields: Readonly<Record<Field, (item: Item) => number | null>>,
): Promise<(Item & Record<Field, Person | null>)[]> {
  const idsOf = Object.entries<(item: Item) => number | null>(fields);
  const names = await findNames(on, new Set(items.flatMap((item) => idsOf.map(([, idOf]) => idOf(item)))));
  return items.map((item) => {
    const named = idsOf.map(([field, idOf]) => {
      const known = names.get(idOf(item) ?? 0);
      return [field, known === undefined ? null : presentPerson(known)] as const;
    });
    return { ...item, ...(Object.fromEntries(named) as Record<Field, Person | null>) };
  });
}

/** `withNames` of one item. */
export async function withName<Item extends object, Field extends string>(
  on: Sql,
  item: Item,
  fields: Readonly<Record<Field, (item: Item) => number | null>>,
): Promise<Item & Record<Field, Person | null>> {
  const [named] = await withNames(on, [item], fields);
  if (named === undefined) throw new Error('one item has one answer');
  return named;
}
