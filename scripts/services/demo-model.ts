import { LLMock } from '@copilotkit/aimock';

/** A process of its own that answers every question in OpenAI's streaming protocol, and says that it is no model. */
const port = Number(process.argv[2]);
const model = new LLMock({ port, host: '127.0.0.1', chunkSize: 8, journalMaxEntries: 1 });
model.addFixture({
  match: {},
  latency: 20,
  response: ({ messages }) => {
    const question = messages.findLast(({ role }) => role === 'user')?.content;
    const asked = typeof question === 'string' ? question.slice(0, 200) : '';
    return { content: `[데모 모델 · demo model] 실제 AI가 아니라 이 컴퓨터에서 도는 데모 응답입니다. OPENAI_API_KEY를 설정하면 실제 모델이 답합니다.\n\n받은 질문: ${asked}` };
  },
});
await model.start();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void model.stop().finally(() => process.exit(0)));
