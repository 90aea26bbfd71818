import type { z } from 'zod';
import type { KeyRecord } from '../../db/people/key-records.ts';
import type { key, personKey } from '../wire/key.ts';
import { iso, isoOrNull } from './turn.ts';

export function presentKey(record: KeyRecord): z.infer<typeof key> {
  const { name, accountId, scopes, ...rest } = presentAnyKey(record);
  // A key that a person made has all three.
  if (name === null || accountId === null || scopes === null) throw new Error(`key ${record.keyId} is no person's`);
  return { ...rest, name, accountId, scopes };
}

/** As an admin sees it: also one to sign in by. */
export function presentAnyKey(record: KeyRecord): z.infer<typeof personKey> {
  const { previousHint, previousEndsAt, ...rest } = record;
  return {
    ...rest,
    createdAt: iso(record.createdAt),
    expiresAt: isoOrNull(record.expiresAt),
    revokedAt: isoOrNull(record.revokedAt),
    lastUsedAt: isoOrNull(record.lastUsedAt),
    previous:
      previousHint === null || previousEndsAt === null ? null : { hint: previousHint, endsAt: iso(previousEndsAt) },
  };
}
