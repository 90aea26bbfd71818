import express, { type Response } from 'express';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { lockAccount } from '../db/money/accounts.ts';
import { one, openDatabase, type Database } from '../db/database.ts';
import { moveHold, openHold, type Hold } from '../db/money/holds.ts';
import { bookDebit } from '../db/money/ledger.ts';
import { publishRates } from '../db/money/rates.ts';
import { authenticateToken } from '../db/people/key-holders.ts';
import type { Principal } from '../db/people/users.ts';
import { decideAdmission } from '../domain/admission.ts';
import { holdTimeoutMs } from '../domain/attempt-limits.ts';
import { meter } from '../domain/metering.ts';
import { countPrompt } from '../domain/prompt-tokens.ts';
import type { Usage } from '../domain/usage.ts';
import { readConfig } from '../platform/config/config.ts';
import { createModelClient } from '../platform/model/client.ts';
import { countTokens } from '../platform/tokens/tokenizer.ts';

/**
 * A chat turn that need not survive its process, to compare with: one handler, one transaction that admits and holds,
 * the model call, one transaction that debits. Tables, statements, tokenizer and model client are Turnkeeper's. There
 * is no workflow and no Redis.
 */
const config = readConfig();
if (config.database.url === undefined) throw new Error('the bench sets DATABASE_URL');
const database = await openDatabase({ url: config.database.url, poolMax: config.database.poolMax });
const [model] = await publishRates(database, config.models);
if (model === undefined) throw new Error('a catalogue has a model');
const client = createModelClient(config.openai);

const app = express();
app.get('/', (_request, response) => {
  response.end();
});
app.post('/send', express.json(), async (request, response) => {
  const token = request.get('authorization')?.slice('Bearer '.length) ?? '';
  const holder = await authenticateToken(database, { token, from: null });
  if (holder === null) return void response.status(401).end();
  const { principal: person } = holder;
  const { message } = request.body as { message: string };
  const held = await admit(database, person, message);
  if (held === null) return void response.status(402).end();
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
  });
  let text = '';
  const { usage } = await client.stream(
    {
      model,
      messages: [
        { role: 'system', content: model.instructions },
        { role: 'user', content: message },
      ],
      outputLimit: held.outputLimit,
      signal: new AbortController().signal,
    },
    (delta) => {
      text += delta;
      send(response, 'delta', { text: delta });
    },
  );
  if (usage?.promptTokens == null || usage.completionTokens === null) throw new Error('the fake model sends usage');
  const { promptTokens, completionTokens } = usage;
  const debitedTokens = await settle(database, person, held, {
    text,
    usage: { ...usage, promptTokens, completionTokens },
  });
  send(response, 'completed', { turn: { turnId: held.turnId, content: text, usage: { debitedTokens } } });
  response.end();
});
app.listen(config.http.port, '127.0.0.1');
process.once('SIGTERM', () => process.exit(0));

async function admit(on: Database, { userId, accountId }: Principal, message: string): Promise<Hold | null> {
  const questionTokens = countTokens(message, 'o200k_base');
  return on.transaction(async (tx) => {
    const { balance } = await lockAccount(tx, accountId);
    const { heldByOthers } = await one(
      sql<{ heldByOthers: number }>`select coalesce(sum(tokens), 0)::float8 as "heldByOthers" from holds
      where account_id = ${accountId} and ended_at is null and expires_at > ${tx.clock()}`,
      tx,
    );
    if (model === undefined) return null;
    const decision = decideAdmission({
      balance,
      heldByOthers,
      model,
      askedOutput: null,
      history: [],
      baseTokens: countPrompt([countTokens(model.instructions, model.encoding), questionTokens]),
    });
    if (decision.kind !== 'admitted') return null;
    const [conversationId, turnId] = [uuidv7(), uuidv7()];
    tx.write(
      sql`insert into conversations (id, user_id, title, last_sequence, listed_at) values (${conversationId}, ${userId}, ${message.slice(0, 40)}, 1, now())`,
    );
    tx.write(sql`insert into turns (id, user_id, account_id, conversation_id, sequence, model, output_limit, body_hash, question, question_tokens, encoding, ever_admitted, admitted_at)
      values (${turnId}, ${userId}, ${accountId}, ${conversationId}, 1, ${model.name}, ${decision.hold.outputLimit}, '', ${message}, ${questionTokens}, ${model.encoding}, true, now())`);
    return openHold(tx, {
      accountId,
      turnId,
      runId: 'bare',
      size: decision.hold,
      rate: model.rate,
      forMs: holdTimeoutMs(decision.hold.outputLimit),
    });
  });
}

async function settle(
  on: Database,
  { accountId }: Principal,
  hold: Hold,
  { text, usage }: { text: string; usage: Usage },
): Promise<number> {
  const tokens = meter(usage, hold.rate);
  await on.transaction(async (tx) => {
    const account = await lockAccount(tx, accountId);
    bookDebit(tx, account, {
      turnId: hold.turnId,
      holdId: hold.id,
      rateId: hold.rateId,
      usage,
      tokens,
      heldTokens: hold.tokens,
      estimated: false,
    });
    moveHold(tx, hold.id, 'settled');
    tx.write(sql`update turns set state = 'completed', answer = ${text}, finish_reason = 'stop', prompt_tokens = ${usage.promptTokens},
      completion_tokens = ${usage.completionTokens}, debited_tokens = ${tokens}, estimated = false, ended_at = now() where id = ${hold.turnId}`);
  });
  return tokens;
}

function send(response: Response, event: string, data: unknown): void {
  response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
