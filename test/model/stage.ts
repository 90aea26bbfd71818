import type { Model } from '../../domain/model.ts';
import type { PromptMessage } from '../../domain/usage.ts';
import type { ModelEnd, ModelRequest } from '../../platform/model/exchange.ts';
import { createModelClient, type ModelClient } from '../../platform/model/client.ts';
import { startFakeModel, type FakeModel } from '../fake-model/server.ts';

export const MODEL: Model = {
  name: 'gpt-4.1-mini',
  instructions: '',
  historyTokens: 4_000,
  historyFileTokens: 8_000,
  vision: null,
  contextWindow: 128_000,
  maxOutputTokens: 4_096,
  defaultOutputTokens: 2_048,
  limitField: 'max_completion_tokens',
  encoding: 'o200k_base',
  usageFloor: 0.5,
  systemRole: 'system',
  refuses: [],
  unanswered: 'drop',
  rate: { input: 1000, cachedInput: 1000, output: 1000 },
};
export const QUESTION: readonly PromptMessage[] = [{ role: 'user', content: 'hello world' }];

/** A conversation of ours. */
type Asked = Omit<ModelRequest, 'signal' | 'messages' | 'parameters'> & {
  readonly messages: readonly PromptMessage[];
};

export interface Call {
  readonly deltas: string[];
  readonly abort: AbortController;
  readonly ended: Promise<ModelEnd>;
  /** Resolves with the first delta. */
  readonly started: Promise<string>;
}

export interface ModelStage {
  readonly fake: FakeModel;
  readonly client: ModelClient;
  call(request?: Partial<Asked>): Call;
  close(): Promise<void>;
}

/** The real client against the fake provider's socket. */
export async function openModelStage(): Promise<ModelStage> {
  const fake = await startFakeModel();
  const client = createModelClient({ apiKey: 'sk-of-the-test', baseUrl: fake.url });
  return {
    fake,
    client,
    call(request = {}) {
      const deltas: string[] = [];
      const abort = new AbortController();
      const { promise: started, resolve } = Promise.withResolvers<string>();
      const ended = client.stream(
        { model: MODEL, messages: QUESTION, outputLimit: 100, signal: abort.signal, ...request },
        (text) => {
          deltas.push(text);
          resolve(text);
        },
      );
      // Each test awaits `ended` itself, some only after they did something to it.
      ended.catch(() => {});
      return { deltas, abort, ended, started };
    },
    async close() {
      await client.close();
      await fake.close();
    },
  };
}
