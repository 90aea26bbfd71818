import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('..', import.meta.url));
/** All files written by hand, except for wrong ones that a test plants. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter(
    (file) =>
      /(\.(tsx?|mjs|md|yml)|Dockerfile|\.env\.example)$/.test(file) &&
      file !== 'test/documents.test.ts' &&
      existsSync(join(root, file)),
  );
const documents = files.filter((file) => file.endsWith('.md'));
const sources = files.filter((file) => !file.endsWith('.md'));

/** What can be cited by a number, and the document with each number's heading. */
const NUMBERED = [
  { cited: /\bG(\d+)\b/g, heading: (n: string) => `G${n}`, by: 'docs/guarantees.md' },
  { cited: /\bpolic(?:y|ies) (\d+)/gi, heading: (n: string) => `${n}. `, by: 'docs/policy.md' },
];

test('each guarantee and each rule of the policy that is cited stands in docs/', () => {
  expect(files.flatMap((file) => unknownNumbers(file, read(file)))).toEqual([]);
  for (const { cited } of NUMBERED)
    expect(sources.filter((file) => read(file).search(cited) >= 0).length).toBeGreaterThan(9);
});

test('a planted guarantee or rule that stands nowhere is found', () => {
  expect(unknownNumbers('db/planted.ts', '/** Decided once (G1, G999). */')).toEqual(['db/planted.ts cites G999']);
  expect(unknownNumbers('db/planted.ts', '/** As policy 5 says, and Policy 99. */')).toEqual([
    'db/planted.ts cites Policy 99',
  ]);
});

test('the guarantees are numbered without a hole, and each says whether it is kept', () => {
  const guarantees = read('docs/guarantees.md');
  const numbers = headings(guarantees).flatMap((title) => (/^G\d+$/.test(title) ? [Number(title.slice(1))] : []));
  expect(numbers.toSorted((a, b) => a - b)).toEqual(numbers.map((_, i) => i + 1));
  expect(withoutMark(guarantees)).toEqual([]);
  const planted = '### G1\n\nOne.\n\n_Kept_: [a](a.ts).\n\n### G2\n\nTwo.\n\n_Kept_: nowhere.\n\n### G3\n\nThree.\n';
  expect(withoutMark(planted)).toEqual(['G2', 'G3']);
});

test('each document that a source names is there, and so is the section', () => {
  expect(sources.flatMap((file) => unknownDocuments(file, read(file)))).toEqual([]);
});

test('a planted document or section that is not there is found, wherever a comment breaks', () => {
  const planted = (text: string) => unknownDocuments('db/planted.ts', text);
  expect(planted('// (product.md, policy 5)')).toEqual(['db/planted.ts names product.md']);
  expect(planted(`/**\n * As it is drawn (docs/api.md, Stream\n * waves).\n */`)).toEqual([
    'db/planted.ts names docs/api.md, Stream waves',
  ]);
  expect(planted(`/**\n * As it is drawn (docs/api.md, Stream\n * events).\n */`)).toEqual([]);
});

test('links of documents lead to files and headings that are there', () => {
  expect(documents.flatMap((file) => brokenLinks(file, read(file)))).toEqual([]);
  expect(documents.flatMap((file) => links(read(file))).length).toBeGreaterThan(100);
});

test("each of OWASP's ten risks stands in docs/security.md once, with the tests that hold it", () => {
  const rows = [...read('docs/security.md').matchAll(/^\| API(\d+) .*$/gm)];
  expect(rows.map(([, number]) => Number(number))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  for (const [row] of rows)
    expect([row, links(row).filter((to) => /\.test\.ts$/.test(to)).length > 1]).toEqual([row, true]);
});

test('a planted link that leads nowhere is found', () => {
  const planted = (text: string) => brokenLinks('docs/planted.md', text);
  expect(
    planted('[a](policy.md) ![b](screenshots/chat-ko.png) [c](api.md#stream-events) [d](https://example.com)'),
  ).toEqual([]);
  expect(planted('[a](docs/policy.md) [b](api.md#stream-waves) ![c](chat.png) [d](#here)')).toHaveLength(4);
  expect(planted('# Here\n\n[d](#here), and `[e](gone.md)` is code')).toEqual([]);
});

function unknownNumbers(file: string, text: string): string[] {
  return NUMBERED.flatMap(({ cited, heading, by }) => {
    const known = headings(read(by));
    return [...text.matchAll(cited)]
      .filter(([, n = '']) => !known.some((title) => `${title} `.startsWith(`${heading(n).trimEnd()} `)))
      .map(([citation]) => `${file} cites ${citation}`);
  });
}

/** Guarantees without a mark: one that is kept, even in part, names a test that holds it; a planned one says so. */
function withoutMark(guarantees: string): string[] {
  return guarantees
    .split(/^### /m)
    .slice(1)
    .filter((section) => !/^(_(Kept|Partly)_: \[[^\]]+\]\(|_Planned_\.)/m.test(section))
    .map((section) => section.slice(0, section.indexOf('\n')));
}

/** A source names a document by its path from the root, and a section behind it: `(docs/api.md, Lists)`. */
function unknownDocuments(file: string, text: string): string[] {
  const prose = text.replaceAll(/\n\s*(\*(?!\/)|\/\/|#)?\s*/g, ' ');
  return [...prose.matchAll(/(?:\.\.\/)*([\w./-]*\w\.md)\b(?:, ([A-Z][^).;:,*]*)(?=[).;:,]))?/g)]
    .filter(([, path = '', section]) => {
      if (!existsSync(join(root, path))) return true;
      return section !== undefined && !headings(read(path)).includes(section.trim());
    })
    .map(([, path, section]) => `${file} names ${path}${section === undefined ? '' : `, ${section.trim()}`}`);
}

function brokenLinks(file: string, text: string): string[] {
  return links(text)
    .filter((link) => {
      const [path = '', fragment] = link.split('#');
      const target = path === '' ? file : normalize(join(dirname(file), path));
      if (path !== '' && !existsSync(join(root, target))) return true;
      return (
        fragment !== undefined &&
        !headings(path === '' ? text : read(target))
          .map(anchorOf)
          .includes(fragment)
      );
    })
    .map((link) => `${file} links to ${link}`);
}

/** The targets of a document's links and pictures, except other sites. */
function links(text: string): string[] {
  return [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link));
}

function headings(text: string): string[] {
  return [...withoutCode(text, 'fences').matchAll(/^#{1,6} (.+)$/gm)].map(([, title = '']) => title.trim());
}

/** The anchor that GitHub makes for a heading. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

function withoutCode(text: string, what: 'all' | 'fences' = 'all'): string {
  const outside = text.replaceAll(/^ *```[\s\S]*?^ *```/gm, '');
  return what === 'fences' ? outside : outside.replaceAll(/`[^`]*`/g, '');
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}
