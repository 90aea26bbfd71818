import { afterAll, expect, test } from '@jest/globals';
import express from 'express';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';
import { EventStream } from '../../api/http/event-stream.ts';
import { chatCompletions } from '../../api/openai/chat-completions.ts';
import type { Said, Voice } from '../../api/openai/protocol.ts';
import { responsesProtocol } from '../../api/openai/responses/protocol.ts';
import type { Answered } from '../../api/openai/present.ts';
import { responseBody } from '../../api/wire/responses.ts';
import type { TurnRecord } from '../../domain/turn.ts';

const MODEL = 'gpt-4.1-mini';
const TURN = { turnId: '0199e7a0-1111-7222-8333-444455556666', model: MODEL, createdAt: 1_000 } as TurnRecord;
const ANSWERED = { turn: { ...TURN, content: 'one two', finishReason: 'stop' }, beside: null } as Answered;
const ASK = { model: MODEL, input: 'x' };
const BODY = responseBody.parse(ASK);

/** The words of a stream that is silent before its first and before its second piece. */
async function serve(voice: () => Voice | null) {
  const app = express().use(async (_request, response) => {
    const speaks = voice();
    const say = async (stream: EventStream, said: readonly Said[]) => {
      for (const { event, data } of said) await stream.sendData(data, event);
    };
    const stream = new EventStream(response, {
      afterMs: 20,
      ...(speaks === null ? {} : { speak: (silent) => say(silent, speaks.wait()) }),
    });
    const silence = () => new Promise((resolve) => setTimeout(resolve, 150));
    if (speaks === null) await silence();
    else {
      await say(stream, speaks.begin(null));
      for (const content of ['one', ' two']) {
        await silence();
        await say(stream, speaks.delta({ content }));
      }
      await say(stream, speaks.finish(ANSWERED));
    }
    stream.end();
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const servers: ReturnType<ReturnType<typeof express>['listen']>[] = [];
afterAll(() =>
  servers.forEach((server) => {
    server.close();
    server.closeAllConnections();
  }),
);

test('an event stream of ours says by comments that it goes on', async () => {
  const text = await (await fetch(await serve(() => null))).text();
  expect(text).toMatch(/^(: keep-alive\n\n){2,}$/);
});

test('one of the OpenAI door says so by events of its protocol, each with data: some decoders break at a comment', async () => {
  for (const voice of [
    () => chatCompletions({ includesUsage: true }).stream(TURN),
    () => responsesProtocol(BODY).stream(TURN),
  ]) {
    const blocks = (await (await fetch(await serve(voice))).text()).split('\n\n');
    expect(blocks.pop()).toBe('');
    expect(blocks.length).toBeGreaterThan(8);
    for (const block of blocks) expect(block).toMatch(/^(event: [\w.]+\n)?data: (\{.*\}|\[DONE\])$/);
  }
});

test('and an unmodified client reads the same answer as without', async () => {
  const chat = new OpenAI({
    apiKey: 'x',
    baseURL: await serve(() => chatCompletions({ includesUsage: false }).stream(TURN)),
  });
  const completion = await chat.chat.completions
    .stream({ model: MODEL, messages: [{ role: 'user', content: 'x' }] })
    .finalChatCompletion();
  expect(completion.choices[0]).toMatchObject({ message: { content: 'one two' }, finish_reason: 'stop' });

  const newer = new OpenAI({ apiKey: 'x', baseURL: await serve(() => responsesProtocol(BODY).stream(TURN)) });
  const numbers: number[] = [];
  const stream = newer.responses.stream(ASK).on('event', ({ sequence_number: n }) => numbers.push(n));
  const response = await stream.finalResponse();
  expect([response.status, response.output_text]).toEqual(['completed', 'one two']);
  expect(numbers).toEqual(numbers.map((_, n) => n));
});
