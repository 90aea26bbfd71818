import {
  missingArguments,
  presentChunk,
  presentCompletion,
  presentFirstChunk,
  presentLastChunk,
  presentUsageChunk,
  type ChunkOptions,
} from './present.ts';
import type { Protocol, Said } from './protocol.ts';

/** `/v1/chat/completions`: a completion, or chunks that end with `[DONE]`. */
export function chatCompletions(options: ChunkOptions): Protocol {
  return {
    whole: presentCompletion,
    stream: (turn) => ({
      begin: (first) => [say(presentFirstChunk(turn, first, options))],
      delta: (delta) => [say(presentChunk(turn, delta, options))],
      wait: () => [say(presentChunk(turn, {}, options))],
      finish: (answered) => [
        ...missingArguments(answered).map((call) => say(presentChunk(turn, { calls: [call] }, options))),
        say(presentLastChunk(answered, options)),
        ...(options.includesUsage ? [say(presentUsageChunk(answered))] : []),
        { data: '[DONE]' },
      ],
      // No `[DONE]` follows.
      fail: (body) => [say(body)],
    }),
  };
}

function say(body: object): Said {
  return { data: JSON.stringify(body) };
}
