/** The program cannot go on, and the person in front of it can do something about it: one sentence that says what. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}
