/** @returns `look`, whose result is remembered for `forMs`. A failure is not. */
export function remember<T>(look: () => Promise<T>, forMs: number): Remembered<T> {
  let last: Promise<T> | null = null;
  let until = 0;
  const read = () => {
    if (last === null || performance.now() > until) {
      const looking = look();
      last = looking;
      until = performance.now() + forMs;
      looking.catch(() => {
        if (last === looking) last = null;
      });
    }
    return last;
  };
  return Object.assign(read, {
    forget() {
      last = null;
    },
  });
}

export interface Remembered<T> {
  (): Promise<T>;
  /** The next one looks. */
  forget(): void;
}
