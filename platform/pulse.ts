/**
 * The beat of all answers that stream in this process. With few streams each is written every 25 ms, with 200 or more
 * every 200 ms: five times a second, which is still read as flowing text. So up to 200 streams make 1,000 writes a
 * second, and not the 10,000 of as many chunks. One timer serves all, and those that are due at about the same time
 * leave in one packet.
 */
export interface PulseMember {
  /** Asks for one `flush`: now, where the last was a beat ago, or when it will be. Asking twice is the same as once. */
  request(): void;
  /** Flushes before this returns. */
  now(): void;
  leave(): void;
}

const SHORTEST_MS = 25;
const LONGEST_MS = 200;
/** Between so many pieces of work the process does other things. A beat of 400 streams would stop it for 40 ms. */
const AT_A_TIME = 16;

let members = 0;
/** When each piece of work is due, in milliseconds of `performance.now`. */
const waiting = new Map<() => void, number>();
const ready = new Set<() => void>();
let timer: NodeJS.Timeout | undefined;
let firesAt = 0;
let isDraining = false;

/** @param flush must not throw. */
export function joinPulse(flush: () => void): PulseMember {
  members += 1;
  let nextAt = 0;
  let hasLeft = false;
  const now = () => {
    nextAt = performance.now() + pulseMs(members);
    flush();
  };
  return {
    request() {
      if (!hasLeft) schedule(now, nextAt);
    },
    now,
    leave() {
      if (!hasLeft) members -= 1;
      hasLeft = true;
      waiting.delete(now);
      ready.delete(now);
    },
  };
}

/** Milliseconds between two writes of a stream while `writers` are open. */
export function pulseMs(writers: number): number {
  return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, writers));
}

/**
 * How long a source of a stream may rest before it is read again: nothing of it leaves before. Null while there are so
 * few streams that reading each piece as it comes costs nothing.
 */
export function restMs(): number | null {
  const ms = pulseMs(members);
  return ms > SHORTEST_MS ? ms : null;
}

/** Does `work` at about the time `at`, once, with whatever else is due then. It must not throw. */
export function schedule(work: () => void, at: number): void {
  if (waiting.has(work) || ready.has(work)) return;
  if (at <= performance.now() + slackMs()) return makeReady(work);
  waiting.set(work, at);
  arm(at);
}

/** What is due within a quarter of a beat is done together. */
function slackMs(): number {
  return pulseMs(members) / 4;
}

function arm(at: number): void {
  if (timer !== undefined && firesAt <= at) return;
  clearTimeout(timer);
  firesAt = at;
  timer = setTimeout(beat, at - performance.now());
}

function beat(): void {
  timer = undefined;
  const until = performance.now() + slackMs();
  let next = Infinity;
  for (const [work, at] of waiting) {
    if (at > until) next = Math.min(next, at);
    else {
      waiting.delete(work);
      makeReady(work);
    }
  }
  if (next !== Infinity) arm(next);
}

function makeReady(work: () => void): void {
  ready.add(work);
  if (isDraining) return;
  isDraining = true;
  setImmediate(drain);
}

function drain(): void {
  let left = AT_A_TIME;
  for (const work of ready) {
    ready.delete(work);
    work();
    left -= 1;
    if (left === 0) break;
  }
  isDraining = ready.size > 0;
  if (isDraining) setImmediate(drain);
}
