/** The program cannot go on, and whoever started it can mend that. The message is one sentence that says how. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}
