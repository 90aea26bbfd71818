import { createOpenAI } from '@ai-sdk/openai';
import { ChatOpenAI } from '@langchain/openai';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { generateText, streamText } from 'ai';
import { sql } from 'kysely';
import OpenAI from 'openai';
import { errorSentence } from '../../domain/messages.ts';
import { Gate } from '../fake-model/scenario.ts';
import { lockRows } from '../support/lock.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

/** What unmodified clients do with what is no answer: they are left as they come but for an address and a key. */
const MODEL = 'gpt-4.1-mini';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack.close());

interface Asked {
  readonly token: string;
  readonly fetch: typeof globalThis.fetch;
}

/** Each asks one question: whole, or as a stream whose pieces it hands on until it is cut. */
const CLIENTS: Record<
  string,
  (asked: Asked) => { whole(): Promise<string>; stream(cut: AbortController): AsyncIterable<string> }
> = {
  'openai-node': ({ token, fetch }) => {
    const client = new OpenAI({ apiKey: token, baseURL: `${stack.url}/v1`, fetch });
    const body = { model: MODEL, messages: [{ role: 'user' as const, content: 'Hello?' }] };
    return {
      whole: async () => (await client.chat.completions.create(body)).choices[0]?.message.content ?? '',
      async *stream({ signal }) {
        const chunks = await client.chat.completions.create({ ...body, stream: true }, { signal });
        for await (const { choices } of chunks) yield choices[0]?.delta.content ?? '';
      },
    };
  },
  'AI SDK, chat': ({ token, fetch }) =>
    aiSdk(createOpenAI({ apiKey: token, baseURL: `${stack.url}/v1`, fetch }).chat(MODEL)),
  'AI SDK, its default': ({ token, fetch }) =>
    aiSdk(createOpenAI({ apiKey: token, baseURL: `${stack.url}/v1`, fetch })(MODEL)),
  'LangChain JS': ({ token, fetch }) => {
    const model = new ChatOpenAI({ model: MODEL, apiKey: token, configuration: { baseURL: `${stack.url}/v1`, fetch } });
    return {
      whole: async () => (await model.invoke('Hello?')).text,
      async *stream({ signal }) {
        for await (const piece of await model.stream('Hello?', { signal })) yield piece.text;
      },
    };
  },
};

function aiSdk(model: Parameters<typeof generateText>[0]['model']) {
  return {
    whole: async () => (await generateText({ model, prompt: 'Hello?' })).text,
    stream: ({ signal }: AbortController) =>
      streamText({ model, prompt: 'Hello?', abortSignal: signal, onError: () => {} }).textStream,
  };
}

interface Books {
  readonly state: string;
  readonly debits: number;
  readonly liveHolds: number;
}

async function booksOf({ userId }: Person): Promise<Books[]> {
  const { rows } = await sql<Books>`select t.state,
      (select count(*)::int from ledger_entries where turn_id = t.id and kind = 'debit') as debits,
      (select count(*)::int from holds where turn_id = t.id and state = 'pending') as "liveHolds"
    from turns t where t.user_id = ${userId} order by t.created_at, t.id`.execute(stack.db.database.sql);
  return rows;
}

/** A client of somebody new, and the statuses of what it was answered so far. */
async function someone(name: string) {
  const person = await stack.person();
  const statuses: number[] = [];
  let onAnswer = (_status: number): Promise<void> => Promise.resolve();
  const client = CLIENTS[name]?.({
    token: person.token,
    fetch: async (...asked) => {
      const answer = await fetch(...asked);
      statuses.push(answer.status);
      await onAnswer(answer.status);
      return answer;
    },
  });
  if (client === undefined) throw new Error(`no client ${name}`);
  return { person, client, statuses, atAnswer: (then: typeof onAnswer) => void (onAnswer = then) };
}

describe.each(Object.keys(CLIENTS))('%s', (name) => {
  test('cut in the middle of a stream: the turn stops, and what came is paid once', async () => {
    const { person, client } = await someone(name);
    const gate = new Gate(2);
    stack.model.next({ chunks: ['first ', 'second'], gate });
    const cut = new AbortController();
    let said = '';
    await (async () => {
      for await (const piece of client.stream(cut)) if ((said += piece) === 'first ') cut.abort();
    })().catch((error: unknown) => {
      if (!cut.signal.aborted) throw error;
    });
    await until(async () => (await booksOf(person))[0]?.state === 'stopped');
    gate.open();
    expect([said, await booksOf(person)]).toEqual(['first ', [{ state: 'stopped', debits: 1, liveHolds: 0 }]]);
  });

  test('used up: it says our sentence, and asks once', async () => {
    const { person, client, statuses } = await someone(name);
    await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: 105 });
    const sentence = errorSentence('TOKEN_EXHAUSTED', 'ko', {}).split('.')[0] ?? '';
    await expect(client.whole()).rejects.toThrow(sentence);
    expect(statuses).toEqual([402]);
  });

  test('503 while the account is locked: it asks again by itself, and one answer and one debit come of it', async () => {
    const { person, client, statuses, atAnswer } = await someone(name);
    const lock = await lockRows(stack.db.url, 'select 1 from accounts where user_id = $1', [person.userId]);
    atAnswer(async (status) => {
      if (status === 503) await lock.release();
    });
    stack.model.next({ chunks: ['after ', 'all'] });
    expect(await client.whole()).toBe('after all');
    expect(statuses).toEqual([503, 200]);
    expect(await booksOf(person)).toEqual([{ state: 'completed', debits: 1, liveHolds: 0 }]);
  });
});
