import { FLAT_ENVELOPE } from '../../api/http/errors.ts';
import { errorBody, failedTurnBody, spentBody } from '../../api/wire/error.ts';
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
test('a new error code does not compile until every list knows it', () => {
  const refused = refusalsOf({
    "'invalid_json',": "'invalid_json', 'planted_request',",
    "'tokens_held',": "'tokens_held', 'planted_refusal',",
    'interrupted: true,': 'interrupted: true, planted_failure: true,',
  });
  const all = ['planted_request', 'planted_refusal', 'planted_failure'];
  expect(refused).toEqual({
    'api/http/errors.ts': [all, ['planted_refusal']],
    'domain/messages.ts': [all],
    'workflows/contract/turn.ts': [['planted_failure']],
  });
});

test('a code’s place says whether a turn may be refused with it or fail with it', () => {
  expect(ERROR_CODES.filter(isTurnRefusal).toSorted()).toEqual([...TURN_REFUSALS].toSorted());
  expect(ERROR_CODES.filter(isTurnFailure).toSorted()).toEqual(Object.keys(TURN_FAILURES).toSorted());
  expect([...TURN_FAILURE_CODES].toSorted()).toEqual(Object.keys(TURN_FAILURES).toSorted());
  expect(['toString', 'not_found', ''].filter((code) => isTurnFailure(code) || isTurnRefusal(code))).toEqual([]);
});

/** The compiler's error number for a table that its `satisfies` refuses. */
const DOES_NOT_SATISFY = 1360;

/** What the compiler refuses of the lists of codes, by planted code, when `domain/errors.ts` is changed so. */
function refusalsOf(changes: Record<string, string>): Record<string, string[][]> {
  let source = readFileSync(ERRORS, 'utf8');
  for (const [from, to] of Object.entries(changes)) {
    expect(source).toContain(from);
    source = source.replace(from, to);
  }
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, (file) => ts.sys.readFile(file));
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const host = ts.createCompilerHost(options);
  const { readFile } = host;
  host.readFile = (file) => (file === ERRORS ? source : readFile(file));
  const lists = ['api/http/errors.ts', 'domain/messages.ts', 'workflows/contract/turn.ts'];
  const program = ts.createProgram(
    lists.map((file) => root + file),
    options,
    host,
  );
  return Object.fromEntries(
    lists.map((file) => [
      file,
      program
        .getSemanticDiagnostics(program.getSourceFile(root + file))
        .filter(({ code }) => code === DOES_NOT_SATISFY)
        .map(({ messageText }) => [
          ...new Set(ts.flattenDiagnosticMessageText(messageText, ' ').match(/planted_\w+/g)),
        ]),
    ]),
  );
}

test('the document describes the body of an error by its code: a status may have another with another code', () => {
  expect(FLAT_ENVELOPE.schemaOf(['content_filtered', 'context_length'])).toBe(failedTurnBody);
  expect(FLAT_ENVELOPE.schemaOf(['TOKEN_EXHAUSTED', 'KEY_CAP_REACHED'])).toBe(spentBody);
  for (const codes of [['file_refused'], ['payment_declined'], ['TOKEN_EXHAUSTED', 'payment_declined']] as const)
    expect(FLAT_ENVELOPE.schemaOf(codes)).toBe(errorBody);
});
