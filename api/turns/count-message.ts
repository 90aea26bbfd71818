import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { AppError } from '../../domain/errors.ts';
import type { Encoding } from '../../domain/model.ts';
import { SHORT_TEXT, type TokenCounter } from '../../platform/tokens/token-counter.ts';

/** Counts the tokens of a message, and refuses who sends more than can be counted. */
export interface MessageCounter {
  /** Whether counting takes longer than asking whether the conversation takes a message. */
  isLong(message: string): boolean;
  /**
   * @param accountId whose message it is.
   * @throws AppError rate_limited; overloaded when too many messages wait.
   */
  count(message: string, encoding: Encoding, accountId: number): Promise<number>;
}

/** A message takes 0.03 s of a processor at the worst, so that the last of so many waits for some 2 s. */
const MOST_WAITING = 64;
/** Bytes of long messages of an account in this process: ten of the longest at once, one a second for ever. */
const BYTES = { points: 1_048_576, duration: 10 };

export function createMessageCounter(counter: TokenCounter): MessageCounter {
  const limiter = new RateLimiterMemory(BYTES);
  const isLong = (message: string) => message.length > SHORT_TEXT;
  return {
    isLong,
    async count(message, encoding, accountId) {
      if (isLong(message)) {
        if (counter.waiting() >= MOST_WAITING) throw new AppError('overloaded', { retryAfter: 2 });
        await limiter.consume(String(accountId), Buffer.byteLength(message)).catch((error: unknown) => {
          if (!(error instanceof RateLimiterRes)) throw error;
          throw new AppError('rate_limited', { retryAfter: error.msBeforeNext / 1_000 });
        });
      }
      return counter.count(message, encoding, accountId);
    },
  };
}
