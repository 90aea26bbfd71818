/** A stretch of code: plain text, or what stands in the class of a colour. */
export type Coloured = string | readonly [className: string, inner: readonly Coloured[]];

/**
 * Cuts coloured code into pieces of these lengths, in characters. What is cut through has its colour on both sides, so
 * that a comment looks the same wherever a piece ends.
 */
export function cut(nodes: readonly Coloured[], lengths: readonly number[]): Coloured[][] {
  const pieces = lengths.map((): Coloured[] => []);
  /** The classes that are open, each with what it has in this piece. */
  const open: { readonly className: string; readonly inner: Coloured[] }[] = [];
  let [piece, left] = [0, lengths[0] ?? 0];
  const begin = (className: string): Coloured[] => {
    const inner: Coloured[] = [];
    (open.at(-1)?.inner ?? pieces[piece])?.push([className, inner]);
    return inner;
  };
  const goOn = () => {
    piece += 1;
    left = lengths[piece] ?? 0;
    for (const { className } of open.splice(0)) open.push({ className, inner: begin(className) });
  };
  const walk = (node: Coloured): void => {
    if (typeof node !== 'string') {
      const [className, inner] = node;
      open.push({ className, inner: begin(className) });
      inner.forEach(walk);
      open.pop();
      return;
    }
    for (let text = node; text !== '' && piece < pieces.length;) {
      if (left === 0) goOn();
      const part = text.slice(0, left);
      if (part !== '') (open.at(-1)?.inner ?? pieces[piece])?.push(part);
      text = text.slice(part.length);
      left -= part.length;
    }
  };
  nodes.forEach(walk);
  return pieces;
}
