import { passHtml, passPolicy, withoutTraces } from './pass-policy.ts';

/** What the page sends: a drawing to make, in the page's fonts. */
export interface Order {
  readonly source: string;
  readonly dark: boolean;
  /** Rules of the fonts that its characters need. */
  readonly fonts: string;
  readonly family: string;
}

/** The picture, and its size in px. */
export interface Drawing {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
}

/** The longest text, in characters, and the most connections that are drawn. */
const LIMITS = { maxTextSize: 20_000, maxEdges: 250 };

passPolicy();
const loading = import('mermaid');
let drawings = 0;

addEventListener('message', ({ ports: [port] }) => {
  if (port === undefined) return;
  port.onmessage = ({ data }: MessageEvent<Order>) => {
    void draw(data).then(
      (drawing) => port.postMessage(drawing),
      () => port.postMessage(null),
    );
  };
  void loading.then(() => port.postMessage('ready'));
});

async function draw({ source, dark, fonts, family }: Order): Promise<Drawing> {
  const { default: mermaid } = await loading;
  const faces = document.createElement('style');
  faces.textContent = fonts;
  document.head.replaceChildren(faces);
  // Labels are measured in the fonts in which they will be shown.
  await Promise.all([...document.fonts].map((face) => face.load().catch(() => null)));
  const settled = {
    startOnLoad: false,
    securityLevel: 'strict' as const,
    suppressErrorRendering: true,
    // HTML within a picture is drawn differently by each browser.
    htmlLabels: false,
    fontFamily: family,
    ...LIMITS,
  };
  // A diagram may bring settings of its own, but none of these.
  mermaid.initialize({
    ...settled,
    theme: dark ? 'dark' : 'default',
    secure: ['secure', 'dompurifyConfig', 'themeCSS', ...Object.keys(settled)],
  });
  const { svg } = await mermaid.render(`drawing${++drawings}`, source);
  const holder = document.createElement('div');
  holder.innerHTML = passHtml(svg);
  const drawing = holder.querySelector('svg');
  const [, , width = 0, height = 0] = (drawing?.getAttribute('viewBox') ?? '').split(/[ ,]+/).map(Number);
  if (drawing === null || !(width > 0 && height > 0)) throw new TypeError('nothing was drawn');
  drawing.setAttribute('width', String(width));
  drawing.setAttribute('height', String(height));
  return { svg: withoutTraces(new XMLSerializer().serializeToString(drawing)), width, height };
}
