import type * as jestGlobals from '@jest/globals';
import type { ModernFakeTimers } from '@jest/fake-timers';

type Given = Pick<
  typeof jestGlobals,
  'afterAll' | 'afterEach' | 'beforeAll' | 'beforeEach' | 'describe' | 'expect' | 'it' | 'test'
>;

/** What `@jest/globals` exports to the file that runs now; a module that stays loaded sees the next file's. */
export let afterAll: Given['afterAll'];
export let afterEach: Given['afterEach'];
export let beforeAll: Given['beforeAll'];
export let beforeEach: Given['beforeEach'];
export let describe: Given['describe'];
export let expect: Given['expect'];
export let it: Given['it'];
export let test: Given['test'];
/** What tests use of it. */
export let jest: Pick<
  ModernFakeTimers,
  'useFakeTimers' | 'useRealTimers' | 'advanceTimersByTimeAsync' | 'getTimerCount'
> & { setTimeout(ms: number): void };

export type Globals = Given & { readonly jest: typeof jest };

export function setGlobals(globals: Globals): void {
  ({ afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest, test } = globals);
}
