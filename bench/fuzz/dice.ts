/** A source of chance that gives the same for the same seed, on every machine. */
export class Dice {
  #state: number;

  /** @param parts whole numbers: the run's seed and the number of the case. */
  constructor(...parts: readonly number[]) {
    this.#state = 0x9e3779b9;
    for (const part of parts) {
      this.#state = (Math.imul(this.#state ^ part, 0x85ebca6b) + 0xc2b2ae35) >>> 0;
      this.next();
    }
  }

  /** From 0 to below 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from 0 to below `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  /** @param chance from 0 to 1. */
  says(chance: number): boolean {
    return this.next() < chance;
  }

  pick<T>(of: readonly [T, ...T[]] | readonly T[]): T {
    return of[this.below(of.length)] as T;
  }
}
