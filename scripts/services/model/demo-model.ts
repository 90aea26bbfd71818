import { LLMock } from '@copilotkit/aimock';

/**
 * The demo model, a process of its own: it answers every question in OpenAI's streaming protocol and says that it is no
 * real model.
 */
const port = Number(process.argv[2]);
const model = new LLMock({ port, host: '127.0.0.1', chunkSize: 8, journalMaxEntries: 1 });
/** Questions that have failed once: they are answered when they come again, as after an admin's replay. */
const failed = new Set<string>();
model.addFixture({
  match: {},
  latency: 20,
  response: ({ messages }) => {
    const question = messages.findLast(({ role }) => role === 'user')?.content;
    const asked = typeof question === 'string' ? question.slice(0, 200) : '';
    if (/실패|failure/i.test(asked) && !failed.delete(asked)) {
      failed.add(asked);
      return {
        status: 400,
        error: { message: 'The demo model was asked to fail.', type: 'invalid_request_error', code: 'demo_failure' },
      };
    }
    return {
      content: `[데모 모델 · demo model] 실제 AI가 아니라 이 컴퓨터에서 도는 데모 응답입니다. OPENAI_API_KEY를 설정하면 실제 모델이 답합니다. '실패'라고 물으면 한 번 실패합니다.\n\n받은 질문: ${asked}`,
    };
  },
});
await model.start();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void model.stop().finally(() => process.exit(0)));
