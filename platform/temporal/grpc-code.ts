export const INVALID_ARGUMENT = 3;

/** The status with which a server answered a call, wherever in the causes it stands; null: none did. */
export function grpcCodeOf(error: unknown): number | null {
  for (let cause = error; typeof cause === 'object' && cause !== null; cause = 'cause' in cause ? cause.cause : null) {
    if ('code' in cause && typeof cause.code === 'number') return cause.code;
  }
  return null;
}
