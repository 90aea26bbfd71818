// Class 08: connection exception. 53: insufficient resources. 57P: shutdown and "cannot connect now". 57014: a
// statement that took too long (15 s, a read 5 s). 55P03: a lock that was not granted in time, because its holder is
// paused, for example. 25006: a node that takes no writes. 25P03 and 25P04: a transaction that the server gave up.
// Retries outlive them, because an answer is paid for.
const SQL_STATES = /^(08|53|57P|57014|55P03|25006|25P03|25P04)/;
const SOCKET_ERRORS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'EAI_AGAIN',
  'ENOENT',
]);
// The driver's errors for a lost or unobtainable connection have no code, only these words.
const DRIVER_WORDS =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Connection ended unexpectedly|Query read timeout/i;

/** Whether an error means that PostgreSQL cannot be reached, or takes no writes, just now: a retry may succeed. */
export function isUnavailable(error: unknown): boolean {
  // The error is judged by its fields and not by its class: an error of another realm (a vm context) is an outage too.
  for (let cause = error; typeof cause === 'object' && cause !== null; cause = 'cause' in cause ? cause.cause : null) {
    const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
    const words = 'message' in cause && typeof cause.message === 'string' ? cause.message : '';
    if (SQL_STATES.test(code) || SOCKET_ERRORS.has(code) || DRIVER_WORDS.test(words)) return true;
    if ('errors' in cause && Array.isArray(cause.errors) && cause.errors.some(isUnavailable)) return true;
  }
  return false;
}

/** Whether a statement gave up waiting for a lock that somebody else holds. */
export function isLockTimeout(error: unknown): boolean {
  return hasCode(error, '55P03');
}

/** Whether a statement took longer than it may. Its connection is as good as before. */
export function isCanceled(error: unknown): boolean {
  return hasCode(error, '57014');
}

function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
