/** A setting that keeps the program from starting. Its message is one sentence for the person who starts it. */
export class AppConfigError extends Error {
  override readonly name = 'AppConfigError';
}
