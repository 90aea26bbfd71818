/**
 * The one timer of all turn writers in this process. Few streams are written every 25 ms, a hundred or more every 100
 * ms: a person does not see the difference, and at 100 streams of 50 chunks a second it is 1,000 writes instead of
 * 5,000. Writers that are due together leave in one packet.
 */
export interface PulseMember {
  /** Asks for one `flush` at the next pulse; asking twice is one. */
  request(): void;
  leave(): void;
}

const SHORTEST_MS = 25;
const LONGEST_MS = 100;

const members = new Set<() => void>();
const due = new Set<() => void>();
let timer: NodeJS.Timeout | undefined;

/** @param flush must not throw. */
export function joinPulse(flush: () => void): PulseMember {
  members.add(flush);
  return {
    request() {
      due.add(flush);
      timer ??= setTimeout(beat, pulseMs(members.size));
    },
    leave() {
      members.delete(flush);
      due.delete(flush);
    },
  };
}

/** Milliseconds between two writes of a stream while `writers` are open. */
export function pulseMs(writers: number): number {
  return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, writers));
}

function beat(): void {
  timer = undefined;
  const flushes = [...due];
  due.clear();
  for (const flush of flushes) flush();
}
