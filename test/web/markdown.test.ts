import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Nodes } from 'mdast';
import { headOf, notesOf, openCode, splitBlocks } from '../../web/markdown/blocks.ts';
import { cut, type Coloured } from '../../web/markdown/code/cut.ts';
import { piecesOf } from '../../web/markdown/code/pieces.ts';
import { closed } from '../../web/markdown/streaming.ts';
import { isTame, parse } from '../../web/markdown/syntax.ts';

function find(node: Nodes, type: Nodes['type']): string[] {
  const inner = 'children' in node ? node.children.flatMap((child) => find(child, type)) : [];
  return node.type === type ? [textOf(node), ...inner] : inner;
}

function textOf(node: Nodes): string {
  return 'value' in node ? node.value : 'children' in node ? node.children.map(textOf).join('') : '';
}

test.each([
  ['**한국어(Korean)**는', '한국어(Korean)'],
  ['**"강조"**라고', '"강조"'],
  ['**100%**의', '100%'],
  ['이것은 **‘제목’**입니다', '‘제목’'],
  ['**서울(Seoul)**과 **부산(Busan)**을', '서울(Seoul)'],
  ['**`code`**를', 'code'],
  ['これは**「強調」**です', '「強調」'],
  ['**テスト。**テスト', 'テスト。'],
  ['这是**“重点”**的', '“重点”'],
  ['**该星号不会被识别，**它会原样显示。', '该星号不会被识别，'],
])('what is bold in Korean, Japanese and Chinese is bold: %s', (source, bold) => {
  expect(find(parse(source), 'strong')[0]).toBe(bold);
});

test('signs that are no emphasis stay signs, and one dollar is money', () => {
  expect([find(parse('2 * 3 * 4'), 'emphasis'), find(parse('snake_case_name'), 'emphasis')]).toEqual([[], []]);
  expect(find(parse('$5에서 $10까지'), 'inlineMath')).toEqual([]);
});

test.each([
  ['\\(a^2\\) 뒤', 'inlineMath', 'a^2'],
  ['앞 $$a^2$$ 뒤', 'inlineMath', 'a^2'],
  ['\\[\na^2\n\\]', 'math', 'a^2'],
  ['$$\na^2\n$$', 'math', 'a^2'],
] as const)('a formula is found however a model writes it: %j', (source, type, formula) => {
  expect(find(parse(source), type).map((value) => value.trim())).toEqual([formula]);
});

test('a footnote is known to the text before it, in the order of the numbers, and only once it has a text', () => {
  const text = '하나[^b] 둘[^a] 셋[^c]\n\n[^a]: 에이\n\n[^b]: 비\n\n끝\n';
  const { known, done } = splitBlocks(text);
  expect(notesOf(text, known)).toEqual(['B', 'A']);
  const labels = { links: known.links.keys(), notes: known.notes.keys() };
  expect(find(parse(done[0]?.source ?? '', labels), 'footnoteReference')).toHaveLength(2);
  expect(find(parse(done[0]?.source ?? ''), 'footnoteReference')).toHaveLength(0);
});

describe('a table that is being written', () => {
  const text = '앞 글\n\n| 시간 | 장소 |\n|---|:-:|\n| 09:00 | 창의문 |\n';
  test('never shows its pipes', () => {
    for (let at = text.indexOf('|') + 1; at <= text.length; at += 1) {
      const { done, last, within } = splitBlocks(text.slice(0, at));
      const tree = parse(closed(headOf(within) + last));
      expect([at, find(tree, 'paragraph').join().includes('|')]).toEqual([at, false]);
      if (at > text.indexOf('시')) expect([at, find(tree, 'table').length + done.length > 0]).toEqual([at, true]);
    }
  });

  test('within a list or a quote neither', () => {
    for (const source of ['- 항목\n\n  | a | b', '> | a | b |\n> |-'])
      expect([source, find(parse(closed(source)), 'table').length]).toEqual([source, 1]);
  });
});

test('a list is split into its items, so that only the last one is drawn again', () => {
  const { done, last, within } = splitBlocks('3. 하나\n4. 둘\n   - 안쪽\n5. 셋');
  expect([done.map(({ source }) => source), last, within]).toEqual([
    ['3. 하나'],
    '4. 둘\n   - 안쪽\n5. 셋',
    { kind: 'list', ordered: true, start: 3, apart: false },
  ]);
  expect(done[0]?.within).toBe(within);
});

test('whether the items of a list stand apart is said by its first two, and then stays', () => {
  let blocks = splitBlocks('');
  const seen = ['- 하나\n', '\n', '- 둘\n', '- 셋\n', '\n  글\n', '- 넷\n'].map((delta) => {
    blocks = splitBlocks(blocks.text + delta, blocks);
    return blocks.within?.kind === 'list' && blocks.within.apart;
  });
  expect(seen).toEqual([false, false, true, true, true, true]);
  expect(splitBlocks('- 하나\n- 둘\n\n- 셋\n').within).toMatchObject({ apart: false });
});

test('a table is split into its rows, so that only the last ones are parsed again, however long it grows', () => {
  const head = '| 시간 | 장소 |\n|---|:-:|\n';
  let blocks = splitBlocks(head);
  expect([blocks.done, blocks.within]).toEqual([[], null]);
  for (let row = 1; row <= 200; row += 1) {
    const before = blocks.done;
    for (const part of [`| ${row} |`, ' **창의문** |\n']) blocks = splitBlocks(blocks.text + part, blocks);
    expect(blocks.last).toBe(`| ${row} | **창의문** |\n`);
    expect(blocks.done.slice(0, before.length)).toEqual(before);
  }
  const { done, within } = splitBlocks(`${blocks.text}\n뒤 글\n`, blocks);
  expect([done.length, done.at(-1)?.source, done.at(-1)?.within]).toEqual([
    200,
    '| 200 | **창의문** |',
    { kind: 'table', head },
  ]);
  expect([within, new Set(done.map((block) => block.within)).size]).toEqual([null, 1]);
  const [row] = done;
  expect([find(row!.tree!, 'tableCell'), find(parse(head + row!.source), 'tableCell').slice(2)]).toEqual([
    ['1', '창의문'],
    ['1', '창의문'],
  ]);
});

test('code that is still open is known without being parsed, and ends at its own fence only', () => {
  expect(openCode('```ts a\nconst a = 1;\n')).toEqual({ language: 'ts', code: 'const a = 1;\n' });
  expect([
    openCode('````\n```\n')?.code,
    openCode('```\na\n```'),
    openCode('글'),
    openCode('~~~\n```\n')?.code,
  ]).toEqual(['```\n', null, null, '```\n']);
});

test('pieces of code are the code, and no line is cut that is not endless', () => {
  const code = `${'줄\n'.repeat(95)}${'a'.repeat(9_000)}\n끝`;
  const pieces = piecesOf(code);
  expect(pieces.map(({ text }) => text).join('')).toBe(code);
  expect(pieces.map(({ within }) => within)).toEqual([false, false, false, true, true, true, false]);
});

test.each(['*a '.repeat(5_000), '_a '.repeat(5_000), `${'>'.repeat(3_000)} a`, `${'- '.repeat(2_000)}a`])(
  'signs nested thousands deep are not parsed: %.20s',
  (source) => {
    expect(isTame(source)).toBe(false);
  },
);

test('what answers do mean is tame', () => {
  const table = `| **a** | *b* |\n|---|---|\n${'| **한국어(Korean)**는 | *b* __c__ |\n'.repeat(300)}`;
  expect([isTame(table), isTame('> > > 인용\n'.repeat(300)), isTame('* 하나\n'.repeat(3_000))]).toEqual([
    true,
    true,
    true,
  ]);
});

test('a thousand link definitions are read once, not with every block', () => {
  const text = `${Array.from({ length: 1_000 }, (_, i) => `[글 ${i}][${i}]\n\n`).join('')}${Array.from({ length: 1_000 }, (_, i) => `[${i}]: https://example.com/${i}\n`).join('')}\n끝\n`;
  const blocks = splitBlocks(text);
  expect(blocks.known.links.get('999')?.url).toBe('https://example.com/999');
});

test('coloured code is cut into pieces without losing a sign: each has the classes that it has in the whole', () => {
  const signs = (nodes: readonly Coloured[], classes = ''): string[] =>
    nodes.flatMap((node) =>
      typeof node === 'string' ? node.split('').map((sign) => sign + classes) : signs(node[1], `${classes} ${node[0]}`),
    );
  const { nodes } = fc.letrec<{ node: Coloured; nodes: Coloured[] }>((tie) => ({
    node: fc.oneof({ maxDepth: 4 }, fc.string({ maxLength: 9 }), fc.tuple(fc.constantFrom('a', 'b'), tie('nodes'))),
    nodes: fc.array(tie('node'), { maxLength: 4 }),
  }));
  fc.assert(
    fc.property(nodes, fc.array(fc.nat(5), { minLength: 1, maxLength: 8 }), (whole, some) => {
      const all = signs(whole);
      const rest = Math.max(0, all.length - some.reduce((sum, length) => sum + length, 0));
      const pieces = cut(whole, [...some, rest]).map((piece) => signs(piece));
      expect(pieces.flat()).toEqual(all);
      expect(pieces.slice(0, -1).map(({ length }) => length)).toEqual(
        some.map((length, i) =>
          Math.min(length, Math.max(0, all.length - some.slice(0, i).reduce((a, b) => a + b, 0))),
        ),
      );
    }),
  );
});
