import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import type { NotificationKind, SwitchedChannel } from '../../../domain/channels/kinds.ts';
import { User } from '../user.ts';

/** Where a person gets mail: confirmed by a link of ours. Without a row it is what their issuer has verified. */
export const Address = defineEntity({
  name: 'Address',
  tableName: 'addresses',
  properties: {
    user: () => p.oneToOne(User).primary().updateRule('no action').deleteRule('no action'),
    email: p.text(),
    verifiedAt: p.datetime(),
  },
});
export type Address = InferEntity<typeof Address>;

/** A change of address that waits for its mailboxes to confirm it: the new one, and the old one where there is one. */
export const AddressChange = defineEntity({
  name: 'AddressChange',
  tableName: 'address_changes',
  properties: {
    id: p.uuid().primary().defaultRaw('gen_random_uuid()'),
    user: () => p.manyToOne(User).updateRule('no action').deleteRule('no action'),
    email: p.text(),
    oldEmail: p.text().nullable(),
    createdAt: p.datetime(),
    expiresAt: p.datetime(),
    newConfirmedAt: p.datetime().nullable(),
    oldConfirmedAt: p.datetime().nullable(),
    /** Made, or given up for a later one. */
    endedAt: p.datetime().nullable(),
  },
  indexes: [
    { name: 'address_changes_of_user', properties: ['user', 'createdAt'] },
    { name: 'address_changes_to_address', properties: ['email', 'createdAt'] },
  ],
});
export type AddressChange = InferEntity<typeof AddressChange>;

/** Addresses that refused our mail for good, by the SHA-256 of the address. */
export const Suppression = defineEntity({
  name: 'Suppression',
  tableName: 'suppressions',
  properties: {
    hash: p.blob().$type<Buffer>().primary(),
    reason: p.text(),
    at: p.datetime(),
  },
});
export type Suppression = InferEntity<typeof Suppression>;

/** What a person has switched, by kind and channel. No row: on. */
export const NotificationPreference = defineEntity({
  name: 'NotificationPreference',
  tableName: 'notification_preferences',
  properties: {
    user: () => p.manyToOne(User).primary().updateRule('no action').deleteRule('no action'),
    kind: p.text().$type<NotificationKind>().primary(),
    channel: p.text().$type<SwitchedChannel>().primary(),
    enabled: p.boolean(),
    changedAt: p.datetime(),
  },
});
export type NotificationPreference = InferEntity<typeof NotificationPreference>;

/** Random keys of this installation, made by its first start. Links in mails are signed with one. */
export const InstallationKey = defineEntity({
  name: 'InstallationKey',
  tableName: 'installation_keys',
  properties: {
    name: p.text().primary(),
    key: p.blob().$type<Buffer>(),
  },
});
export type InstallationKey = InferEntity<typeof InstallationKey>;
