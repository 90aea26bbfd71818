/**
 * The tests of `npm run test:fast`: they need no service and take seconds. All others under test/ run with services.
 */
export const FAST_LANES = [
  'test/domain/',
  'test/deploy/',
  'test/model/',
  'test/replay/',
  'test/web/',
  'test/tidy\\.test\\.ts',
  'test/documents\\.test\\.ts',
  'test/bootstrap/(leftovers|private-folder|packages|install-scripts|variables|old-assets|summary|cli|modules|runner)\\.test\\.ts',
];

/** Whether jest, run with these arguments, reaches tests that need a browser and the built web app. */
export function needsBrowser(args: readonly string[]): boolean {
  const paths = args.filter((arg) => !arg.startsWith('-'));
  return paths.length === 0 || paths.some((path) => /test\/?$|test\/api\/?$|browser|web/.test(path));
}
