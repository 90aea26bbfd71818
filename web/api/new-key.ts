/** An Idempotency-Key: what is sent with it again is booked once. */
export function newKey(): string {
  return `web-${crypto.getRandomValues(new Uint32Array(4)).join('-')}`;
}
