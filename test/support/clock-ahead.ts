/**
 * Loaded before a program (`--import`): its clock is CLOCK_AHEAD_MS ahead. The database and Temporal have their own.
 */
const aheadMs = Number(process.env['CLOCK_AHEAD_MS']);
const now = () => Math.floor(performance.timeOrigin + performance.now()) + aheadMs;

globalThis.Date = new Proxy(Date, {
  construct: (real, given: [], as) => Reflect.construct(real, given.length === 0 ? [now()] : given, as) as Date,
  get: (real, name) => (name === 'now' ? now : Reflect.get(real, name)),
});
