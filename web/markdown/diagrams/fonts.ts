const FAMILIES = ['Inter Variable', 'Noto Sans KR Variable'];
/** The most files of a font that a picture carries; what they lack is shown in the system's font. */
const MOST_FILES = 30;

interface Face {
  readonly family: string;
  readonly weight: string;
  readonly range: string;
  readonly url: string;
}

export interface Fonts {
  /** As CSS names them. */
  readonly family: string;
  /** Rules that load the fonts from their addresses. */
  readonly linked: string;
  /** Rules that hold the fonts themselves. */
  embedded(): Promise<string>;
}

/** The page's fonts for the characters of a text. */
export async function fontsFor(text: string): Promise<Fonts> {
  const letters = new Set([...text, ...'0123456789'].map((letter) => letter.codePointAt(0) ?? 0));
  const faces = [...document.styleSheets]
    .flatMap((sheet) => facesIn(sheet.cssRules, sheet.href ?? location.href))
    .filter(({ family, range }) => FAMILIES.includes(family) && hasOne(range, letters))
    .slice(0, MOST_FILES);
  return {
    family: `${FAMILIES.join(', ')}, sans-serif`,
    linked: faces.map((face) => ruleOf(face, face.url)).join(''),
    async embedded() {
      return (await Promise.all(faces.map(async (face) => ruleOf(face, await dataOf(face.url))))).join('');
    },
  };
}

function facesIn(rules: CSSRuleList, base: string): Face[] {
  return [...rules].flatMap((rule): Face[] => {
    if (rule instanceof CSSFontFaceRule) {
      const { style } = rule;
      const [, address] = /url\(["']?([^"')]+)/.exec(style.getPropertyValue('src')) ?? [];
      if (address === undefined) return [];
      return [
        {
          family: style.getPropertyValue('font-family').replaceAll(/["']/g, ''),
          weight: style.getPropertyValue('font-weight'),
          range: style.getPropertyValue('unicode-range'),
          url: new URL(address, base).href,
        },
      ];
    }
    return 'cssRules' in rule ? facesIn(rule.cssRules as CSSRuleList, base) : [];
  });
}

/** @param ranges such as `U+AC00-AC0F, U+20` or `U+4??`. */
function hasOne(ranges: string, letters: ReadonlySet<number>): boolean {
  return ranges.split(',').some((range) => {
    const [first = '', end = first] = range.trim().replace(/^U\+/i, '').split('-');
    const from = Number.parseInt(first.replaceAll('?', '0'), 16);
    const to = Number.parseInt(end.replaceAll('?', 'F'), 16);
    return [...letters].some((letter) => letter >= from && letter <= to);
  });
}

function ruleOf({ family, weight, range }: Face, url: string): string {
  return `@font-face{font-family:"${family}";font-weight:${weight};unicode-range:${range};src:url("${url}") format("woff2")}`;
}

async function dataOf(url: string): Promise<string> {
  const font = await (await fetch(url)).blob();
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onloadend = () => {
      if (typeof reader.result === 'string') resolve(reader.result);
      else reject(new TypeError('a font could not be read'));
    };
    reader.readAsDataURL(font);
  });
}
