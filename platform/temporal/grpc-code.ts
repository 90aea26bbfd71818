export const INVALID_ARGUMENT = 3;

/** The status with which a server answered a call, anywhere in the chain of causes; null when none answered. */
export function grpcCodeOf(error: unknown): number | null {
  for (let cause = error; typeof cause === 'object' && cause !== null; cause = 'cause' in cause ? cause.cause : null) {
    if ('code' in cause && typeof cause.code === 'number') return cause.code;
  }
  return null;
}
