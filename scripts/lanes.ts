/** Lanes of `npm run test:fast`: they need no service and take seconds. Everything else under test/ runs with services. */
export const FAST_LANES = [
  'test/domain/', 'test/model/', 'test/replay/', 'test/tidy.test.ts', 'test/bootstrap/(leftovers|variables|summary|cli)\\.test\\.ts',
];
