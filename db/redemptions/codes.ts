import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { AuditActor } from '../../domain/audit.ts';
import { AppError } from '../../domain/errors.ts';
import { writeAudit } from '../audit.ts';
import { columnsOf, type RowOf } from '../columns.ts';
import { first, one, type Database, type Sql } from '../database.ts';
import { CodeBatch, RedemptionCode } from '../entities/payments/redemption.ts';
import { decodeCursor, encodeCursor, pageOf, rethrowBadCursor, type Page } from '../page.ts';

export interface NewBatch {
  readonly actor: AuditActor;
  readonly codes: readonly { readonly hash: Buffer; readonly hint: string }[];
  readonly tokens: number;
  readonly maxUses: number;
  /** Milliseconds; null: they do not end by themselves. */
  readonly expiresAt: number | null;
  readonly reason: string;
  /** The same key makes no second batch. */
  readonly key: string;
}

const batchColumns = columnsOf(CodeBatch, 'b', {
  batchId: 'id',
  tokens: 'tokens',
  maxUses: 'maxUses',
  expiresAt: 'expiresAt',
  reason: 'reason',
  madeBy: 'madeById',
  createdAt: 'createdAt',
});
const counts = sql<{ codes: number; uses: number; revoked: number }>`count(c.id)::float8 as codes,
  coalesce(sum(c.uses), 0)::float8 as uses, count(c.revoked_at)::float8 as revoked`;
const codeColumns = columnsOf(RedemptionCode, 'c', {
  codeId: 'id',
  hint: 'hint',
  uses: 'uses',
  maxUses: 'maxUses',
  revokedAt: 'revokedAt',
});

/** A batch with how many codes it has, how often they were redeemed, and how many are revoked. */
export type BatchRow = RowOf<typeof batchColumns> & RowOf<typeof counts>;
export type CodeRow = RowOf<typeof codeColumns>;

/** @throws AppError idempotency_conflict for a key that has made one: its codes are nowhere any more. */
export async function makeCodes(database: Database, wanted: NewBatch): Promise<BatchRow> {
  const { actor, codes, tokens, maxUses, expiresAt, reason, key } = wanted;
  const batchId = uuidv7();
  return database.transaction(async (tx) => {
    const { numAffectedRows } =
      await sql`insert into code_batches (id, tokens, max_uses, expires_at, reason, made_by_id, idempotency_key)
      values (${batchId}, ${tokens}, ${maxUses}, ${expiresAt === null ? null : new Date(expiresAt)}, ${reason}, ${actor.adminId}, ${key})
      on conflict (idempotency_key) do nothing`.execute(tx);
    if (Number(numAffectedRows) === 0) throw new AppError('idempotency_conflict');
    await sql`insert into redemption_codes (batch_id, code_hash, hint, max_uses)
      select ${batchId}, decode(c.hash, 'hex'), c.hint, ${maxUses}
      from jsonb_to_recordset(${JSON.stringify(codes.map(({ hash, hint }) => ({ hash: hash.toString('hex'), hint })))}::jsonb) as c(hash text, hint text)`.execute(
      tx,
    );
    await writeAudit(tx, {
      actor,
      action: 'codes.make',
      target: `code_batch:${batchId}`,
      reason,
      after: {
        codes: codes.length,
        tokens,
        maxUses,
        expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
      },
    });
    return getBatch(tx, batchId);
  });
}

/** @throws AppError not_found */
export async function getBatch(on: Sql, batchId: string): Promise<BatchRow> {
  const found = await first(
    sql<BatchRow>`select ${batchColumns}, ${counts} from code_batches b left join redemption_codes c on c.batch_id = b.id
      where b.id = ${batchId} group by b.id`,
    on,
  );
  if (found === null) throw new AppError('not_found');
  return found;
}

/** Newest first. */
export async function listBatches(
  on: Sql,
  { limit, cursor }: { limit: number; cursor: string | null },
): Promise<Page<BatchRow>> {
  const after = cursor === null ? null : decodeCursor(cursor, ['string', 'string']);
  const { rows } = await sql<BatchRow & { key: string }>`select ${batchColumns}, ${counts}, b.created_at::text as key
    from (select * from code_batches
      ${after === null ? sql`` : sql`where (created_at, id) < (${after[0]}::timestamptz, ${after[1]}::uuid)`}
      order by created_at desc, id desc limit ${limit + 1}) b
    left join redemption_codes c on c.batch_id = b.id
    group by b.id, b.tokens, b.max_uses, b.expires_at, b.reason, b.made_by_id, b.created_at
    order by b.created_at desc, b.id desc`
    .execute(on)
    .catch(rethrowBadCursor);
  const page = pageOf(rows, limit, ({ key, batchId }) => encodeCursor([key, batchId]));
  return { ...page, items: page.items.map(({ key: _, ...row }) => row) };
}

/** In the order in which they were made. */
export async function listCodes(
  on: Sql,
  { batchId, limit, cursor }: { batchId: string; limit: number; cursor: string | null },
): Promise<Page<CodeRow>> {
  const [after = 0] = cursor === null ? [] : decodeCursor(cursor, ['number']);
  const { rows } = await sql<CodeRow>`select ${codeColumns} from redemption_codes c
    where batch_id = ${batchId} and id > ${after} order by id limit ${limit + 1}`
    .execute(on)
    .catch(rethrowBadCursor);
  return pageOf(rows, limit, ({ codeId }) => encodeCursor([codeId]));
}

/**
 * Nobody redeems them from now on; what was redeemed stays.
 * @param wanted.codeId null: all of the batch. @throws AppError not_found
 */
export async function revokeCodes(
  database: Database,
  wanted: { actor: AuditActor; batchId: string; codeId: number | null; reason: string },
): Promise<BatchRow> {
  const { actor, batchId, codeId, reason } = wanted;
  return database.transaction(async (tx) => {
    await getBatch(tx, batchId);
    const { found, revoked } = await one(
      sql<{ found: number; revoked: number }>`
        with meant as (
          select id from redemption_codes where batch_id = ${batchId} and (${codeId}::bigint is null or id = ${codeId}) order by id for no key update
        ), revoked as (
          update redemption_codes set revoked_at = clock_timestamp() where id in (select id from meant) and revoked_at is null returning 1
        )
        select (select count(*) from meant)::float8 as found, (select count(*) from revoked)::float8 as revoked`,
      tx,
    );
    if (found === 0) throw new AppError('not_found');
    await writeAudit(tx, {
      actor,
      action: 'codes.revoke',
      target: `code_batch:${batchId}`,
      reason,
      after: { codeId, revoked },
    });
    return getBatch(tx, batchId);
  });
}
