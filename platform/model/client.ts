import OpenAI from 'openai';
import { STALL_LIMITS } from '../../domain/attempt-limits.ts';
import { SetupError } from '../../domain/setup-error.ts';
import { NO_TRACING, type Tracing } from '../telemetry/span.ts';
import { ModelCall, type OnDelta } from './call.ts';
import type { ModelEnd, ModelRequest, StallLimits } from './exchange.ts';
import { createModelHttp } from './http.ts';

/**
 * A client for any OpenAI-compatible provider of streamed chat completions. It retries nothing, because Temporal owns
 * retries (G30).
 */
export interface ModelClient {
  /** Calls `onDelta` with each piece of the answer. It also resolves when `signal` aborts. @throws ModelFailure. */
  stream(request: ModelRequest, onDelta: OnDelta): Promise<ModelEnd>;
  close(): Promise<void>;
}

/** Above every attempt's own limit (30 minutes), so that only our own limits end a call. */
const LONGEST_CALL_MS = 35 * 60_000;

/** @throws SetupError without a key, unless the provider is a server of your own. */
export function createModelClient(
  {
    apiKey,
    baseUrl,
    stall = STALL_LIMITS,
  }: { apiKey: string | undefined; baseUrl: string | undefined; stall?: StallLimits },
  tracing: Tracing = NO_TRACING,
): ModelClient {
  if (apiKey === undefined && baseUrl === undefined)
    throw new SetupError('OPENAI_API_KEY: must be set (or OPENAI_BASE_URL for a provider that needs none).');
  const http = createModelHttp();
  const client = new OpenAI({
    apiKey: apiKey ?? 'none',
    baseURL: baseUrl ?? 'https://api.openai.com/v1',
    // Null, because the client would otherwise read the environment itself.
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    timeout: LONGEST_CALL_MS,
    logLevel: 'off',
    fetch: http.fetch,
  });
  const closing = new AbortController();
  const context = { client, http, closing: closing.signal, withoutUsage: new Set<string>() };
  const calls = new Set<Promise<ModelEnd>>();
  return {
    async stream(request, onDelta) {
      const call = traced(tracing, request, () => new ModelCall({ stall, ...request }, context).run(onDelta));
      calls.add(call);
      try {
        return await call;
      } finally {
        calls.delete(call);
      }
    },
    async close() {
      closing.abort();
      await Promise.allSettled(calls);
      http.close();
    },
  };
}

/**
 * Traces a call under OpenTelemetry's names for it. It takes figures only: the conventions would also take the prompt
 * and the answer.
 */
function traced(
  tracing: Tracing,
  { model, outputLimit }: ModelRequest,
  call: () => Promise<ModelEnd>,
): Promise<ModelEnd> {
  const attributes = {
    'gen_ai.operation.name': 'chat',
    'gen_ai.request.model': model.name,
    'gen_ai.request.max_tokens': outputLimit,
  };
  return tracing.child(`chat ${model.name}`, { kind: 'client', attributes }, async (span) => {
    const end = await call();
    span.set({
      'gen_ai.response.finish_reasons': end.finishReason ?? (end.aborted ? 'aborted' : 'none'),
      ...(end.usage === null
        ? {}
        : {
            'gen_ai.usage.input_tokens': end.usage.promptTokens ?? 0,
            'gen_ai.usage.output_tokens': end.usage.completionTokens ?? 0,
          }),
    });
    return end;
  });
}
