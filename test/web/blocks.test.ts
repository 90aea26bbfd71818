import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { headOf, openCode, splitBlocks, type Blocks } from '../../web/markdown/blocks.ts';
import { groupsOf, isSameRun, pauseOf, type Context, type Group } from '../../web/markdown/shown.ts';
import { parse } from '../../web/markdown/syntax.ts';

const PIECES = [
  '# 제목\n\n',
  '문장입니다. ',
  '**굵게** ',
  '\n\n',
  '\n',
  '- 하나\n',
  '- 둘\n  - 안쪽\n',
  '1. 첫째\n\n   이어서\n',
  '```ts\nconst a = 1;\n',
  '```\n',
  '> 인용\n',
  '| a | b |\n| --- | --- |\n| 1 | 2 |\n',
  '| 3 | **4** |\n',
  '| 5',
  '    들여쓴 코드\n',
  '<div>',
  '</div>\n',
  '---\n',
  '===\n',
  '\t',
  '~~~\n',
  '3~5일 ',
  '`코드` ',
];
/**
 * What the page shows: it parses each block by itself, a row behind its table's head, and puts the items of one list
 * into one list, the rows of one table into one table.
 */
const shown = ({ done, last, within }: Blocks) => {
  const nodes: unknown[] = [];
  let open: { whole: unknown; children: unknown[] } | null = null;
  for (const block of [...done, { source: last, within }]) {
    const [first, ...others] = parse(headOf(block.within) + block.source).children;
    if (first === undefined) continue;
    const parts = first.type === 'list' ? first.children : first.type === 'table' ? first.children.slice(1) : [];
    if (open !== null && block.within !== null && open.whole === block.within && first.type === block.within.kind)
      open.children.push(...parts);
    else {
      const children: unknown[] | null = 'children' in first ? [...first.children] : null;
      nodes.push(children === null ? first : { ...first, children });
      open = children === null ? null : { whole: block.within, children };
    }
    if (others.length > 0) open = null;
    nodes.push(...others);
  }
  return withoutPlaces(nodes);
};
/** How far apart items stand is the list's look, not its content. */
const withoutPlaces = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (key, inner: unknown) => (key === 'position' || key === 'spread' ? undefined : inner)),
  );

describe('blocks of a text that grows', () => {
  test('are those of the whole text, however it came', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...PIECES), { maxLength: 14 }),
        fc.array(fc.nat(7), { minLength: 1, maxLength: 20 }),
        (pieces, cuts) => {
          const text = pieces.join('');
          let blocks = splitBlocks('');
          for (let at = 0, i = 0; at < text.length; i += 1) {
            at += 1 + (cuts[i % cuts.length] ?? 0);
            blocks = splitBlocks(text.slice(0, at), blocks);
          }
          expect(shown(blocks)).toEqual(withoutPlaces(parse(text).children));
        },
      ),
      { numRuns: 100 },
    );
  });

  test('what is done stays the same: only the last block is read again', () => {
    const before = splitBlocks('# 제목\n\n첫 문단\n\n둘째 ');
    const after = splitBlocks('# 제목\n\n첫 문단\n\n둘째 문단\n\n셋째', before);
    expect(before).toMatchObject({ done: [{ source: '# 제목' }], last: '첫 문단\n\n둘째 ' });
    expect(after).toMatchObject({
      done: [{ source: '# 제목' }, { source: '첫 문단' }],
      last: '둘째 문단\n\n셋째',
    });
    expect(after.done[0]).toBe(before.done[0]);
  });

  test('another text begins anew', () => {
    expect(splitBlocks('다른 글', splitBlocks('# 제목\n\n글\n'))).toMatchObject({ done: [], last: '다른 글' });
  });

  test('a link target given later is known to the blocks before it', () => {
    expect(splitBlocks('[여기][1]를 보세요.\n\n[1]: https://example.com\n\n끝\n').known.links.get('1')?.url).toBe(
      'https://example.com',
    );
  });

  test('a Korean range with one tilde is not struck through, two tildes are', () => {
    const kinds = (text: string) => JSON.stringify(parse(text)).includes('"delete"');
    expect([kinds('3~5일, 7~9일'), kinds('~~지움~~')]).toEqual([false, true]);
  });
});

/** Kinds of answers, by what comes first and what each delta brings. */
const GROWING = {
  list: ['', (n: number) => `- ${n}번째 길에서는 물을 **넉넉히** 챙기세요.\n`],
  'list whose items stand apart': ['', (n: number) => `${n}. **길**\n\n   물을 챙기세요.\n\n`],
  table: ['| 시간 | 장소 |\n|---|---|\n', (n: number) => `| ${n} | **창의문** |\n`],
  paragraphs: ['', (n: number) => `${n}번째 문단입니다.\n\n`],
  links: ['', (n: number) => `[길 ${n}][a${n}]\n\n[a${n}]: https://example.com/${n}\n\n`],
  definitions: ['', (n: number) => `[a${n}]: https://example.com/${n}\n`],
  sections: [
    '',
    (n: number) => `## ${n}번째\n\n- 물\n- 간식\n\n| a |\n|---|\n| 1 |\n\n\`\`\`ts\nconst a = 1;\n\`\`\`\n\n`,
  ],
} as const satisfies Record<string, readonly [string, (n: number) => string]>;

/** How many characters were parsed at most. */
const read = ({ text }: Blocks, before: Blocks) => text.length - before.at + headOf(before.within).length;

test.each(Object.entries(GROWING))('%s: however long, each delta parses and draws the end alone', (_, [open, line]) => {
  const context = ({ known }: Blocks): Context => ({ known, notes: [], id: '' });
  const runsOf = (groups: readonly Group[]) => groups.flatMap(({ runs }) => runs);
  let blocks = splitBlocks(open);
  let runs = runsOf(groupsOf(blocks, true));
  let [parsed, drawn] = [0, 0];
  for (let n = 1; n <= 400; n += 1)
    // Half a line, and the rest of it.
    for (const delta of line(n).match(/^[^]{5}|[^]+/g) ?? []) {
      const before = blocks;
      blocks = splitBlocks(before.text + delta, before);
      const now = runsOf(groupsOf(blocks, true));
      parsed = Math.max(parsed, read(blocks, before));
      drawn = Math.max(
        drawn,
        now.filter((run, i) => !isSameRun(run, runs[i], context(before), context(blocks))).length,
      );
      runs = now;
    }
  expect([blocks.text.length > 5_000, parsed < 250, drawn <= 6]).toEqual([true, true, true]);
  // Control: read anew, it is parsed whole.
  expect(read(splitBlocks(blocks.text), splitBlocks(''))).toBeGreaterThan(5_000);
});

test('code is never parsed, neither while its fence is open nor when it closes nor afterwards, and is what the parser says', () => {
  const code = '```ts title=\\"a\\"\n'.concat('const a = [1];\n'.repeat(1_500), '```');
  const text = `앞 글:\n${code}\n\n뒤 글[^1]\n\n- 하나\n\n[1]: https://example.com\n`;
  let blocks = splitBlocks('');
  let parsed = 0;
  for (const delta of text.match(/[^]{1,40}/g) ?? []) {
    const before = blocks;
    blocks = splitBlocks(before.text + delta, before);
    // Of code that has just closed, what follows it in the same delta.
    const from = openCode(before.last) === null ? before.at : blocks.at;
    if (openCode(blocks.last) === null) parsed = Math.max(parsed, blocks.text.length - from);
  }
  expect(parsed).toBeLessThan(100);
  expect(shown(blocks)).toEqual(withoutPlaces(parse(text).children));
  const block = blocks.done.find(({ source }) => source.startsWith('```'));
  // A definition that comes later changes nothing in it.
  expect([withoutPlaces(block?.tree), block?.labels]).toEqual([withoutPlaces(parse(code)), []]);
});

test('a block that cannot be split is parsed the more seldom the longer it grows; code that is open is not parsed', () => {
  const item = (lines: number) => `1. 길\n${'   - 물을 **넉넉히** 챙기세요.\n'.repeat(lines)}`;
  const pause = (text: string) => pauseOf(splitBlocks(text), text);
  expect([item(10), `${item(10)}\`\`\`\n${'a\n'.repeat(5_000)}`].map(pause)).toEqual([0, 0]);
  for (const lines of [200, 500, 1_000]) {
    const text = item(lines);
    // At most 63 characters a millisecond, beside what else the page does.
    expect([lines, pause(text) > 0, text.length / pause(text) <= 2_000 / 32]).toEqual([lines, true, true]);
  }
});
