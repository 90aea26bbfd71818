import { sql, type RawBuilder } from 'kysely';
import { AppError } from '../../domain/errors.ts';
import type { TurnInstructions } from '../../domain/own-instructions.ts';
import { columnsOf, type RowOf } from '../columns.ts';
import { first, type Database, type Sql, type Tx } from '../database.ts';
import { OwnInstructions } from '../entities/conversation.ts';
import type { TurnRow } from '../turns/row.ts';

const instructionColumns = columnsOf(OwnInstructions, 'i', ['text', 'tokens', 'version', 'updatedAt']);

/** A text as its person sees it. Its version is 0 where none was ever written; an instant in milliseconds. */
export type InstructionsRecord = Omit<RowOf<typeof instructionColumns>, 'updatedAt'> & {
  readonly updatedAt: number | null;
};

const NONE: InstructionsRecord = { text: '', tokens: 0, version: 0, updatedAt: null };

/** Whose they are. */
export interface Whose {
  readonly userId: number;
  /** Null: those of all the person's conversations. */
  readonly conversationId: string | null;
}

/** @throws AppError not_found, for somebody else's conversation as well. */
export async function readInstructions(on: Sql, whose: Whose): Promise<InstructionsRecord> {
  const { userId, conversationId } = whose;
  if (conversationId !== null && (await first(mine(whose), on)) === null) throw new AppError('not_found');
  const found = await first(
    sql<InstructionsRecord>`select ${instructionColumns} from own_instructions i where ${
      conversationId === null
        ? sql`user_id = ${userId} and conversation_id is null`
        : sql`conversation_id = ${conversationId}`
    }`,
    on,
  );
  return found ?? NONE;
}

/**
 * Writes a text under the next number; the same text again changes nothing, so that a write may be repeated.
 * @param text '' takes them away. @param tokens its count, at most 300. @param version the number that the writer has
 *   read; null: whatever is there.
 * @throws AppError not_found, for somebody else's conversation as well; version_conflict with the present `version`:
 *   another text was written meanwhile.
 */
export async function writeInstructions(
  database: Database,
  whose: Whose,
  { text, tokens, version }: { text: string; tokens: number; version: number | null },
): Promise<InstructionsRecord> {
  const { userId, conversationId } = whose;
  const target =
    conversationId === null
      ? sql`(user_id) where conversation_id is null`
      : sql`(conversation_id) where conversation_id is not null`;
  return database.transaction(async (tx) => {
    // An erasure takes the conversation's lock, too: nothing is written to what is being erased.
    if (conversationId !== null && (await first(sql`${mine(whose)} for no key update`, tx)) === null)
      throw new AppError('not_found');
    const written = await first(
      sql<InstructionsRecord>`insert into own_instructions as i (user_id, conversation_id, version, text, tokens)
        select ${userId}::bigint, ${conversationId}::uuid, 1, ${text}, ${tokens}::integer
        where coalesce(${version}::integer, 0) = 0 or exists (${present(whose)})
        on conflict ${target} do update set text = excluded.text, tokens = excluded.tokens,
          version = i.version + (i.text <> excluded.text)::integer, updated_at = case when i.text <> excluded.text then now() else i.updated_at end
          where ${version}::integer is null or i.version = ${version}::integer or i.text = excluded.text
        returning ${instructionColumns}`,
      tx,
    );
    if (written !== null) return written;
    throw new AppError('version_conflict', { version: (await readInstructions(tx, whose)).version });
  });
}

function mine({ userId, conversationId }: Whose): RawBuilder<unknown> {
  return sql`select 1 from conversations where id = ${conversationId} and user_id = ${userId} and erased_at is null`;
}

function present({ userId, conversationId }: Whose): RawBuilder<unknown> {
  return conversationId === null
    ? sql`select 1 from own_instructions where user_id = ${userId} and conversation_id is null`
    : sql`select 1 from own_instructions where conversation_id = ${conversationId}`;
}

/**
 * What a turn is judged with (policy 5): once it was admitted, what it was admitted with, else the texts of now. A turn
 * of the OpenAI door brings its own prompt. Null: there are none.
 */
export function instructionsOf(turnId: string): RawBuilder<TurnInstructions | null> {
  const version = sql`case when i.text <> '' then jsonb_build_object('version', i.version, 'text', i.text) end`;
  return sql<TurnInstructions | null>`(select case when t.ever_admitted then t.instructions - 'inTheWay' when not t.is_api then nullif(jsonb_strip_nulls(jsonb_build_object(
        'person', (select ${version} from own_instructions i where i.user_id = t.user_id and i.conversation_id is null),
        'conversation', (select ${version} from own_instructions i where i.conversation_id = t.conversation_id))), '{}') end
      from turns t where t.id = ${turnId})`;
}

/** What a refused turn was judged with, and whether that alone kept it out. */
export function keepInstructions(
  tx: Tx,
  row: Pick<TurnRow, 'id' | 'instructions'>,
  { instructions, inTheWay }: { instructions: TurnInstructions | null; inTheWay: boolean },
): void {
  if (instructions === null && row.instructions === null) return;
  const kept = inTheWay ? { ...instructions, inTheWay } : instructions;
  tx.write(sql`update turns set instructions = ${jsonOf(kept)} where id = ${row.id}`);
}

/** As a value of `turns.instructions`. */
export function jsonOf(instructions: TurnInstructions | null): RawBuilder<unknown> {
  return sql`${instructions === null ? null : JSON.stringify(instructions)}::jsonb`;
}
