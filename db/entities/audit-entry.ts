import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import type { AuditFigures } from '../../domain/audit.ts';
import { sqlIndex } from './postgres.ts';
import { User } from './user.ts';

export const AuditEntry = defineEntity({
  name: 'AuditEntry',
  tableName: 'audit_entries',
  properties: {
    id: p.bigint('number').primary().generated('identity'),
    admin: () => p.manyToOne(User).nullable().deleteRule('no action'),
    action: p.text(),
    target: p.text(),
    reason: p.text().nullable(),
    before: p.json<AuditFigures>().nullable(),
    after: p.json<AuditFigures>().nullable(),
    requestId: p.text().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
  checks: [
    { name: 'audit_actions_are_object_and_verb', expression: "action ~ '^[a-z_]+[.][a-z_]+$'" },
    { name: 'audit_targets_are_kind_and_id', expression: "target ~ '^[a-z_]+(:[A-Za-z0-9_.:/-]+)?$'" },
    { name: 'audit_names_the_request_of_an_admin', expression: '(admin_id is null) = (request_id is null)' },
  ],
  indexes: [
    sqlIndex('audit_of_admin', 'audit_entries (admin_id, id desc)'),
    { name: 'audit_of_action', columns: [{ name: 'action' }, { name: 'id', sort: 'desc' }] },
    { name: 'audit_of_target', columns: [{ name: 'target' }, { name: 'id', sort: 'desc' }] },
  ],
});
export type AuditEntry = InferEntity<typeof AuditEntry>;
