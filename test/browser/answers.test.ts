import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Gate } from '../fake-model/scenario.ts';
import type { Person } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { audit } from './audit.ts';
import { ask, openStage, type Stage } from './stage.ts';

let stage: Stage;
let person: Person;

beforeAll(async () => {
  // The longest answer here has about 5,000 tokens.
  const model = { name: 'gpt-4.1-mini', contextWindow: 1_000_000, maxOutputTokens: 8_192, defaultOutputTokens: 8_192 };
  stage = await openStage({ MODELS: JSON.stringify([model]) });
  person = await stage.stack.person();
});
afterEach(async () => {
  expect(await stage.leave()).toEqual([]);
});
afterAll(() => stage.close());

const RICH = `**한국어(Korean)**는 굵게, **100%**의 힘. 日本語の**「強調」**です.

각주가 있습니다[^1]. 그리고 [링크][a].

| 시간 | 장소<br>둘째 줄 |
|---|---|
| 09:00 | 창의문<br>북악산 |

피타고라스 \\(a^2+b^2=c^2\\), 가격은 $5에서 $10.

\\[\\int_0^1 x^2\\,dx\\]

$$
\\sqrt{\\frac{a}{b}}
$$

مرحبا بالعالم

- 하나
- 둘

\`\`\`ts
const a = 1;
\`\`\`

[a]: https://example.com

[^1]: 각주의 **내용**입니다.`;

test('an answer reads right while it streams and afterwards, under the page policy: emphasis in CJK, footnotes, breaks, formulas, directions', async () => {
  const page = await stage.visitAs(person, '/', { viewport: { width: 390, height: 800 } });
  const gate = new Gate('finish');
  stage.stack.model.next({ chunks: RICH.match(/.{1,5}/gsu) ?? [], delayMs: 1, gate });
  await page.evaluate(() => {
    const seen = window as unknown as { pipes: string[] };
    seen.pipes = [];
    new MutationObserver(() => {
      // Until what draws answers is loaded, they are shown as they came.
      const text = document.querySelector('.answer:has(p)')?.textContent ?? '';
      if (text.includes('|')) seen.pipes.push(text.slice(-40));
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  await ask(page, '풍부한 답');
  const answer = page.getByRole('article', { name: '답변' }).locator('.answer');
  const check = async () => {
    await answer.getByText('각주의').waitFor();
    await answer.locator('.katex').nth(2).waitFor();
    expect(await answer.locator('strong').allInnerTexts()).toEqual(['한국어(Korean)', '100%', '「強調」', '내용']);
    expect([await answer.locator('td br').count(), await answer.locator('th br').count()]).toEqual([1, 1]);
    expect(await answer.locator('.katex-display').count()).toBe(2);
    expect(await answer.getByText('$5에서 $10').count()).toBe(1);
    const arabic = answer.getByText('مرحبا بالعالم');
    expect(await arabic.evaluate((element) => getComputedStyle(element).direction)).toBe('rtl');
    expect(await answer.getByRole('link', { name: '링크' }).getAttribute('href')).toBe('https://example.com');
  };
  await check();
  expect(await page.evaluate(() => (window as unknown as { pipes: string[] }).pipes)).toEqual([]);
  gate.open();
  await page
    .getByRole('article', { name: '답변' })
    .getByText(/토큰 · gpt/)
    .waitFor();
  await check();
  await answer.getByRole('button', { name: '각주 1' }).press('Enter');
  expect(await answer.locator('.footnotes li').evaluate((note) => note === document.activeElement)).toBe(true);
  expect(await audit(page)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
});

const COMMENT = `/* ${Array.from({ length: 60 }, (_, n) => `line ${n}`).join('\n')} */`;
const BODY = `\`\`\`ts
const before = 1;
${COMMENT}
const after = '${'a'.repeat(6_000)}';
\`\`\`

${Array.from({ length: 200 }, (_, n) => `- ${n}번째 길에서는 물을 챙기세요.\n`).join('')}
| 번호 | 장소 |
|---|---|
${Array.from({ length: 200 }, (_, n) => `| ${n} | 창의문 |\n`).join('')}`;
const END = '\n여기까지입니다.';

test('an answer of code, a long list and a long table ends without looking at all of them anew, looks the same when it is opened again, and is read out in stretches', async () => {
  const page = await stage.visitAs(person, '/');
  const chunks = [...(BODY.match(/[^]{1,400}/g) ?? []), END];
  const gate = new Gate(chunks.length);
  stage.stack.model.next({ chunks, delayMs: 5, honourLimit: false, gate });
  await ask(page, '긴 답');
  const answer = page.getByRole('article', { name: '답변' }).locator('.answer');
  await answer.getByRole('cell', { name: '199', exact: true }).waitFor();
  await stage.browser.startTracing(page, { categories: ['devtools.timeline'] });
  gate.open();
  const status = page.getByRole('status').locator('p');
  await status.filter({ hasText: END.trim() }).waitFor({ state: 'attached' });
  const { traceEvents } = JSON.parse((await stage.browser.stopTracing()).toString()) as {
    traceEvents: readonly { readonly name: string; readonly args?: { readonly elementCount?: number } }[];
  };
  // How many elements the browser styled at once does not depend on how busy the machine is.
  const styled = traceEvents.flatMap(({ name, args }) =>
    name === 'UpdateLayoutTree' ? [args?.elementCount ?? 0] : [],
  );
  expect(styled.length).toBeGreaterThan(5);
  expect(Math.max(...styled)).toBeLessThan(200);
  const said = await status.allTextContents();
  expect([said.length > 10, Math.max(...said.map(({ length }) => length)) <= 1_000]).toEqual([true, true]);
  expect(said.join('').replace(/\s/g, '')).toBe((BODY + END).replace(/\s/g, ''));
  const coloured = async () => {
    const comment = answer.locator('.hljs-comment');
    await until(async () => (await comment.allTextContents()).join('') === COMMENT);
    // The line that is longer than a piece, and so plain, is whole.
    expect(await answer.locator('code').textContent()).toContain(`'${'a'.repeat(6_000)}';`);
    return answer.innerHTML();
  };
  const streamed = await coloured();
  await page.reload();
  expect(await coloured()).toBe(streamed);
});

test.each([
  ['signs nested thousands deep', '*a '.repeat(5_000)],
  ['one word of 50 KB in a code block', `\`\`\`js\n${'a'.repeat(50_000)}\n\`\`\`\n\n끝`],
  ['a list of 2,000 dashes', '- '.repeat(2_000)],
  [
    '1,000 link definitions',
    `${'[글][1]와 [글][2]\n\n'.repeat(200)}${Array.from({ length: 1_000 }, (_, i) => `[${i}]: https://example.com/${i}\n`).join('')}`,
  ],
])('%s do not freeze the page', async (_what, text) => {
  const page = await stage.visitAs(person, '/');
  const metrics = await page.context().newCDPSession(page);
  await metrics.send('Performance.enable', { timeDomain: 'threadTicks' });
  const chunks = Array.from({ length: 50 }, (_, i) =>
    text.slice(Math.floor((i * text.length) / 50), Math.floor(((i + 1) * text.length) / 50)),
  );
  stage.stack.model.next({ chunks, delayMs: 10, honourLimit: false });
  await ask(page, '무거운 답');
  await page
    .getByRole('article', { name: '답변' })
    .getByText(/토큰 · gpt/)
    .waitFor();
  const { metrics: all } = await metrics.send('Performance.getMetrics');
  expect(all.find(({ name }) => name === 'TaskDuration')?.value).toBeLessThan(6);
});
