import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import ts from 'typescript';
import {
  ERROR_CODES,
  isTurnFailure,
  isTurnRefusal,
  TURN_FAILURE_CODES,
  TURN_FAILURES,
  TURN_REFUSALS,
} from '../../domain/errors.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const ERRORS = `${root}domain/errors.ts`;
/** Every list that must know each code, or each failure. */
const LISTS = ['api/http/errors.ts', 'domain/messages.ts', 'workflows/contract/turn.ts'];

test('a new error code does not compile until every list knows it', () => {
  expect(notCompiling({})).toEqual([]);
  expect(notCompiling({ "'invalid_json',": "'invalid_json', 'planted'," })).toEqual(LISTS.slice(0, 2));
  expect(notCompiling({ "'tokens_held',": "'tokens_held', 'planted'," })).toEqual(LISTS.slice(0, 2));
  expect(notCompiling({ 'interrupted: true,': 'interrupted: true, planted: true,' })).toEqual(LISTS);
});

test('a code’s place says whether a turn may be refused with it or fail with it', () => {
  expect(ERROR_CODES.filter(isTurnRefusal).toSorted()).toEqual([...TURN_REFUSALS].toSorted());
  expect(ERROR_CODES.filter(isTurnFailure).toSorted()).toEqual(Object.keys(TURN_FAILURES).toSorted());
  expect([...TURN_FAILURE_CODES].toSorted()).toEqual(Object.keys(TURN_FAILURES).toSorted());
  expect(['toString', 'not_found', ''].filter((code) => isTurnFailure(code) || isTurnRefusal(code))).toEqual([]);
});

/** Which of the lists the compiler refuses when `domain/errors.ts` reads as changed. */
function notCompiling(changes: Record<string, string>): string[] {
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(`${root}tsconfig.json`, (file) => ts.sys.readFile(file)).config,
    ts.sys,
    root,
  );
  let source = readFileSync(ERRORS, 'utf8');
  for (const [from, to] of Object.entries(changes)) {
    expect(source).toContain(from);
    source = source.replace(from, to);
  }
  const host = ts.createCompilerHost(options);
  const { readFile } = host;
  host.readFile = (file) => (file === ERRORS ? source : readFile(file));
  const program = ts.createProgram(
    LISTS.map((file) => root + file),
    options,
    host,
  );
  return LISTS.filter((file) => program.getSemanticDiagnostics(program.getSourceFile(root + file)).length > 0);
}
