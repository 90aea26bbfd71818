import katex from 'katex';
import 'katex/dist/katex.min.css';

/** Longer formulas, and those that expand further, stay their source. */
const LONGEST = 5_000;

/** Draws by elements and properties, never by HTML: the page's policy allows no other way. */
export function drawFormula(place: HTMLElement, source: string, display: boolean): void {
  try {
    if (source.length > LONGEST) throw new RangeError('too long');
    katex.render(source, place, {
      displayMode: display,
      throwOnError: true,
      strict: 'ignore',
      trust: false,
      maxSize: 20,
      maxExpand: 200,
    });
  } catch {
    place.textContent = source;
  }
}
