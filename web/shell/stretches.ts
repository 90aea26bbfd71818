/** The most characters of a stretch: laid out in a few milliseconds. */
const LONGEST = 1_000;

/** A text in stretches that can be read one after the other: by lines, and within a longer one by words. */
export function stretchesOf(text: string): string[] {
  const stretches: string[] = [];
  for (let at = 0; at < text.length;) {
    const most = text.slice(at, at + LONGEST);
    const end = at + most.length === text.length ? most.length : lengthOf(most);
    const stretch = text.slice(at, at + end).trim();
    if (stretch !== '') stretches.push(stretch);
    at += end;
  }
  return stretches;
}

function lengthOf(most: string): number {
  const [line, word] = [most.lastIndexOf('\n') + 1, most.lastIndexOf(' ') + 1];
  if (line > 0 || word > 0) return line > 0 ? line : word;
  // Never between the halves of a character.
  return /[\ud800-\udbff]$/.test(most) ? most.length - 1 : most.length;
}
