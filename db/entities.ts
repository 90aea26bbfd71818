import { defineEntity, p, type InferEntity } from '@mikro-orm/core';

// Only what the unit of work reads and writes; the path of the money (turns, holds, ledger, balances) is SQL beside its
// decision.

export const User = defineEntity({
  name: 'User',
  tableName: 'users',
  properties: {
    id: p.bigint('number').primary(),
    email: p.text().nullable(),
    role: p.text().$type<'user' | 'admin'>().default('user'),
    locale: p.text().$type<'ko' | 'en'>().default('ko'),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export type User = InferEntity<typeof User>;

export const Account = defineEntity({
  name: 'Account',
  tableName: 'accounts',
  properties: {
    id: p.bigint('number').primary(),
    user: () => p.oneToOne(User).owner(),
    timeZone: p.text().default('Asia/Seoul'),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export type Account = InferEntity<typeof Account>;

export const ApiKey = defineEntity({
  name: 'ApiKey',
  tableName: 'api_keys',
  properties: {
    id: p.bigint('number').primary(),
    user: () => p.manyToOne(User),
    tokenHash: p.blob(),
    tokenHint: p.text(),
    createdAt: p.datetime().defaultRaw('now()'),
    lastUsedAt: p.datetime().nullable(),
    revokedAt: p.datetime().nullable(),
  },
});
export type ApiKey = InferEntity<typeof ApiKey>;

export const Conversation = defineEntity({
  name: 'Conversation',
  tableName: 'conversations',
  properties: {
    id: p.uuid().primary(),
    user: () => p.manyToOne(User),
    title: p.text().nullable(),
    lastSequence: p.integer().default(0),
    archivedAt: p.datetime().nullable(),
    listedAt: p.datetime().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p.datetime().defaultRaw('now()'),
  },
});
export type Conversation = InferEntity<typeof Conversation>;

export const ENTITIES = [User, Account, ApiKey, Conversation] as const;
