import { pino, type Logger } from 'pino';
import { readLogFields } from './log-fields.ts';

export type { Logger };

/**
 * Structured logs, one JSON object a line, to standard output and, when `file` is set, to that file too. Each line has
 * the ids of its request, turn and trace (`log-fields.ts`). No secret and no chat text is ever passed in. The paths
 * below are a second fence, not the first.
 */
export function createLog(options: { level: string; file?: string | undefined; name: string }): Logger {
  const base = {
    name: options.name,
    level: options.level,
    redact: {
      paths: [
        'authorization',
        '*.authorization',
        'headers.authorization',
        'token',
        '*.token',
        'apiKey',
        '*.apiKey',
        'content',
        '*.content',
      ],
      remove: true,
    },
    timestamp: pino.stdTimeFunctions.isoTime,
    mixin: readLogFields,
  };
  if (options.file === undefined) return pino(base);
  return pino(
    base,
    pino.multistream([
      { level: 'trace', stream: pino.destination(1) },
      { level: 'trace', stream: pino.destination({ dest: options.file, mkdir: true, sync: false }) },
    ]),
  );
}
