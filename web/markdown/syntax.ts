import type { Root } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { mathFromMarkdown } from 'mdast-util-math';
import { cjkFriendlyExtension } from 'micromark-extension-cjk-friendly';
import { gfm } from 'micromark-extension-gfm';
import { math } from 'micromark-extension-llm-math';
import type { Code, Extension, ParseContext, State, TokenizeContext } from 'micromark-util-types';

/** Labels that are defined elsewhere in the text, as the parser writes them: any block may refer to them. */
export interface Labels {
  readonly links: Iterable<string>;
  readonly notes: Iterable<string>;
}

const SYNTAX: readonly Extension[] = [
  // Korean writes ranges with one tilde (3~5일), so only two strike through.
  gfm({ singleTilde: false }),
  // A particle follows the closing sign without a space (**한국어(Korean)**는), which CommonMark takes for an opening one.
  cjkFriendlyExtension(),
  // One dollar is money.
  math({ singleDollarTextMath: false }),
];
const TREE = [gfmFromMarkdown(), mathFromMarkdown()];

export function parse(source: string, labels?: Labels): Root {
  const extensions = labels === undefined ? [...SYNTAX] : [...SYNTAX, knowing(labels)];
  return fromMarkdown(source, { extensions, mdastExtensions: TREE });
}

/**
 * Tells the parser of labels that the source does not define. Adding their definitions to the source would parse a
 * thousand of them with every block.
 */
function knowing({ links, notes }: Labels): Extension {
  let told = false;
  return {
    flow: {
      null: {
        tokenize(this: TokenizeContext, _effects, _ok, nok): State {
          if (!told) {
            told = true;
            const parser = this.parser as ParseContext & { gfmFootnotes?: string[] };
            parser.defined.push(...links);
            (parser.gfmFootnotes ??= []).push(...notes);
          }
          return (code: Code) => nok(code);
        },
      },
    },
  };
}

const DEEPEST = 100;

/**
 * Whether the source can be parsed in reasonable time and drawn. Signs that open thousands of levels take the parser
 * time that grows with their square, and no answer means them.
 */
export function isTame(source: string): boolean {
  return source.split(/\n[ \t]*\n/).every((part) => depthOf(part) <= DEEPEST);
}

function depthOf(part: string): number {
  let [depth, deepest] = [0, 0];
  for (const [, before, after] of part.matchAll(/(?<=(^|.))[*_]+(?=(.|$))/gmu)) {
    if (!isSpace(after)) depth += isSpace(before) ? 1 : 0;
    if (!isSpace(before)) depth = Math.max(0, depth - 1);
    deepest = Math.max(deepest, depth);
  }
  for (const [signs] of part.matchAll(/^(?:[ \t]*(?:>|[-+*]|\d+[.)])(?=[ \t>]))+/gm))
    deepest = Math.max(deepest, signs.replace(/[\s\d]/g, '').length);
  return deepest;
}

function isSpace(character: string | undefined): boolean {
  return character === undefined || character === '' || /\s/.test(character);
}
