/**
 * What the log keeps of an unexpected error. The message is left out where a database's driver wrote it: PostgreSQL
 * quotes the values that it refuses, and MikroORM puts the whole statement before that, with its values.
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

/** The frames of the stack, without its messages and those of its causes. */
function framesOf({ stack = '' }: Error): string {
  const frames = stack.split('\n').filter((line) => /^\s+at .*(file:|node:|\/).*:\d+:\d+\)?$/.test(line));
  return frames.join('\n');
}
