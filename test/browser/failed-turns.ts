import type { Person, TestStack } from '../support/stack.ts';

const ANSWER = { chunks: ['다시', ' 답변'], usage: { prompt_tokens: 20, completion_tokens: 6 } };

/** Makes failed turns of the person, each in a conversation of its own; later calls are answered. */
export async function failTurns({ model }: TestStack, person: Person, count: number): Promise<void> {
  model.always({ status: 400, error: { code: 'model_broken' } });
  await Promise.all(
    Array.from({ length: count }, (_, i) => person.call('POST', '/api/chat/send', { message: `실패할 질문 ${i}` })),
  );
  model.always(ANSWER);
}
