import { createHash } from 'node:crypto';
import type { RedisClient } from '../redis.ts';

/** A script of one key that Redis runs as a whole. It is sent once a server, and then called by its hash. */
export interface RedisScript {
  /** @throws the server's error. */
  run(commands: RedisClient, key: string, args: readonly string[]): Promise<unknown>;
}

export function redisScript(text: string): RedisScript {
  const hash = createHash('sha1').update(text).digest('hex');
  return {
    async run(commands, key, args) {
      const call = { keys: [key], arguments: [...args] };
      try {
        return await commands.evalSha(hash, call);
      } catch (error) {
        // A server that has started anew, or taken over, does not know it. It has done nothing.
        if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
        return await commands.eval(text, call);
      }
    },
  };
}
