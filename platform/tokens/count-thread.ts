import { parentPort } from 'node:worker_threads';
import type { Encoding } from '../../domain/model.ts';
import { countTokens } from './tokenizer.ts';

/** The thread of a token counter: each message to it is a text, each of its own the count. */
parentPort?.on('message', ({ text, encoding }: { text: string; encoding: Encoding }) => {
  parentPort?.postMessage(countTokens(text, encoding));
});
