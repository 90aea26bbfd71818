// Class 08 connection exception, 53 insufficient resources, 57P shutdown and "cannot connect now", 57014 a statement that waited 15 s (for a
// lock whose holder is paused, say: an answer that is paid for outlasts that); what the sockets below say.
const SQL_STATES = /^(08|53|57P|57014)/;
const SOCKET_ERRORS = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH', 'EAI_AGAIN', 'ENOENT']);
// The driver's own words for a lost or unobtainable connection carry no code.
const DRIVER_WORDS = /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Connection ended unexpectedly/i;

/** Whether an error means that PostgreSQL cannot be reached just now, so that the same may succeed later. */
export function isUnavailable(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
    if (SQL_STATES.test(code) || SOCKET_ERRORS.has(code) || DRIVER_WORDS.test(cause.message)) return true;
    if (cause instanceof AggregateError && cause.errors.some(isUnavailable)) return true;
  }
  return false;
}
