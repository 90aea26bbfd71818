/**
 * One timer for all turn writers of this process. With few streams it fires every 25 ms, with a hundred or more every
 * 100 ms. A person does not see the difference, and 100 streams of 50 chunks a second make 1,000 writes instead of
 * 5,000. Writers that are due together leave in one packet.
 */
export interface PulseMember {
  /** Asks for one `flush` at the next pulse. Asking twice is the same as once. */
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
