import { sql } from 'kysely';
import type { AuditActor } from '../../domain/audit.ts';
import { AppError } from '../../domain/errors.ts';
import { writeAudit } from '../audit.ts';
import { first, type Database } from '../database.ts';
import { remember } from '../remember.ts';

/** Which models of the catalogue admins have switched off. */
export interface ModelSwitches {
  /** As PostgreSQL has it, or had it within the last second. */
  off(): Promise<ReadonlySet<string>>;
  /** For the process that has just switched one. */
  forget(): void;
}

/** What one process's sends may see late of what another has switched. */
const FOR_MS = 1_000;

export function createModelSwitches(database: Database): ModelSwitches {
  const off = remember(async () => {
    const { rows } = await sql<{ model: string }>`select model from models_off`.execute(database.sql);
    return new Set(rows.map(({ model }) => model));
  }, FOR_MS);
  return { off, forget: off.forget };
}

/**
 * Switches a model on or off, with its entry in the audit log; switched as it stands already, it changes nothing.
 * @param change.catalogue every model that may be on. One of them stays so.
 * @throws AppError invalid_request, when it is the last that is on.
 */
export async function switchModel(
  database: Database,
  {
    model,
    isOn,
    reason,
    actor,
    catalogue,
  }: { model: string; isOn: boolean; reason: string; actor: AuditActor; catalogue: readonly string[] },
): Promise<void> {
  await database.transaction(async (tx) => {
    // One admin after the other, so that two do not switch off the last two. Who only reads waits for nobody.
    await sql`lock table models_off in exclusive mode`.execute(tx);
    const { rows } = await sql<{ model: string }>`select model from models_off`.execute(tx);
    const off = new Set(rows.map((row) => row.model));
    if (off.has(model) !== isOn) return;
    if (!isOn && catalogue.every((name) => name === model || off.has(name)))
      throw new AppError('invalid_request', { field: 'isOn', reason: 'is the last model that is on' });
    await first(
      isOn ? sql`delete from models_off where model = ${model}` : sql`insert into models_off (model) values (${model})`,
      tx,
    );
    // A name may have letters that a target has not.
    const [target, named] = /^[\w.:/-]+$/.test(model) ? [`model:${model}` as const, {}] : ['model' as const, { model }];
    await writeAudit(tx, {
      actor,
      action: isOn ? 'model.switch_on' : 'model.switch_off',
      target,
      reason,
      before: { ...named, isOn: !isOn },
      after: { ...named, isOn },
    });
  });
}
