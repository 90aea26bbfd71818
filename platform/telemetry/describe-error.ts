/**
 * What a log keeps of an error that nobody expected. The message is left out where a database's driver wrote it:
 * PostgreSQL quotes what it refuses, and MikroORM puts the whole statement before that, with its values.
 */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { name: typeof error };
  return {
    name: error.name,
    ...('severity' in error ? { stack: framesOf(error) } : { message: error.message, stack: error.stack }),
    code: 'code' in error ? error.code : undefined,
    constraint: 'constraint' in error ? error.constraint : undefined,
  };
}

/** The stack without the messages that stand in it, those of causes too. */
function framesOf({ stack = '' }: Error): string {
  const frames = stack.split('\n').filter((line) => /^\s+at .*(file:|node:|\/).*:\d+:\d+\)?$/.test(line));
  return frames.join('\n');
}
