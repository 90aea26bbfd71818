import type { ClientBase } from 'pg';

/** How a turn ended, as somebody was told. */
export interface Ending {
  readonly state: 'completed' | 'stopped' | 'failed' | 'refused';
  readonly content: string;
  /** 0 when nothing was said of a debit. */
  readonly debitedTokens: number;
}

/** What somebody knows of a turn that they asked for. */
export class AskedTurn {
  readonly turnId: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  conversationId: string | null = null;
  /** Requests that may make it run: sends, retries, replays. */
  asks = 0;
  asking = 0;
  /** Whether somebody was told that it is accepted. */
  isTaken = false;
  /** Whether one of them had no clear answer: then it may still run. */
  isUnclear = false;
  /** Answers are told once and for all. */
  readonly answers: Ending[] = [];
  /** The last failure or refusal, and how many had asked by then. */
  failure: (Ending & { readonly asks: number }) | null = null;

  constructor(turnId: string, body: Readonly<Record<string, unknown>>, headers: Readonly<Record<string, string>>) {
    this.turnId = turnId;
    this.body = body;
    this.headers = headers;
  }

  tell(ending: Ending): void {
    if (ending.state === 'completed' || ending.state === 'stopped') this.answers.push(ending);
    // While somebody else asks as well, it may run again at any moment.
    else if (this.asking <= 1) this.failure = { ...ending, asks: this.asks };
  }
}

/** A grant that was told, by its key. */
export interface ToldGrant {
  readonly key: string;
  readonly entryId: number;
  readonly tokens: number;
}

interface Stored {
  readonly id: string;
  readonly state: string;
  readonly content: string;
  readonly debited: number;
}

/** Compares what people were told with what is stored when all is quiet. */
export async function findBrokenWords(
  client: ClientBase,
  { turns, grants }: { turns: Iterable<AskedTurn>; grants: readonly ToldGrant[] },
): Promise<string[]> {
  const { rows } = await client.query<Stored>(
    `select id, state, coalesce(answer, '') as content, coalesce(debited_tokens, 0)::float8 as debited from turns`,
  );
  const stored = new Map(rows.map((row) => [row.id, row]));
  const found: string[] = [];
  for (const turn of turns) found.push(...brokenOf(turn, stored.get(turn.turnId)));
  const { rows: booked } = await client.query<{ key: string; id: number; tokens: number }>(
    `select idempotency_key as key, id::float8 as id, abs(tokens)::float8 as tokens from ledger_entries where idempotency_key is not null`,
  );
  const entries = new Map(booked.map((entry) => [entry.key, entry]));
  for (const { key, entryId, tokens } of grants) {
    const entry = entries.get(key);
    if (entry?.id !== entryId || entry.tokens !== tokens)
      found.push(`a grant that was told is booked: ${key} was told as entry ${entryId} of ${tokens} tokens`);
  }
  return found;
}

function brokenOf(
  { turnId, answers, failure, asks, isUnclear, isTaken }: AskedTurn,
  stored: Stored | undefined,
): string[] {
  const found: string[] = [];
  if (isTaken && stored === undefined)
    found.push(`a turn that was accepted is there: turn ${turnId} was told to be accepted, and is nowhere`);
  for (const told of answers) {
    if (
      stored?.state !== told.state ||
      stored.content !== told.content ||
      (told.debitedTokens > 0 && stored.debited !== told.debitedTokens)
    )
      found.push(
        `an answer that was told is stored: turn ${turnId} was told ${told.state} with ${told.content.length} characters for ${told.debitedTokens}, and is ${stored?.state} with ${stored?.content.length} for ${stored?.debited}`,
      );
  }
  // Somebody was told that it failed, nobody asked again, and yet it ran.
  if (failure !== null && failure.asks === asks && !isUnclear && stored !== undefined)
    if (!['failed', 'refused'].includes(stored.state))
      found.push(
        `a failure that was told stands: turn ${turnId} was told ${failure.state}, nobody asked again, and it is ${stored.state}`,
      );
  return found.slice(0, 1);
}
