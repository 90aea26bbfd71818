/**
 * Lanes are folders of test/: `jest test/domain test/tidy.test.ts`. Services come through TEST_* variables
 * (scripts/with-services.ts).
 */
export default {
  rootDir: import.meta.dirname,
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  testRunner: '<rootDir>/test/support/jest/run-file.ts',
  testSequencer: '<rootDir>/test/support/jest/order.ts',
  transform: {},
  // Git worktrees and data folders of a running stack hold copies of our files.
  modulePathIgnorePatterns: ['<rootDir>/.turnkeeper'],
  maxWorkers: 3,
  // For what hangs. No test's promise depends on it, so that a busy machine may take its time.
  testTimeout: 180_000,
};
