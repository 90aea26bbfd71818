import { fontsFor } from './fonts.ts';
import type { Drawing, Order } from './frame.ts';
import frameScript from './frame.ts?worker&url';

/** Longer sources stay code. */
const LONGEST = 20_000;
const LOADED_WITHIN_MS = 30_000;
/** A layout that takes longer is given up with its frame. */
const DRAWN_WITHIN_MS = 8_000;

interface Frame {
  readonly element: HTMLIFrameElement;
  readonly port: MessagePort;
}

let frame: Promise<Frame> | null = null;
let last: Promise<unknown> = Promise.resolve();

/**
 * Draws a diagram of Mermaid in a sandboxed frame, one after the other.
 * @returns the picture as the address of an image, and its size in px.
 * @throws RangeError (too long, or not done in time), TypeError (no diagram).
 */
export function drawDiagram(source: string, dark: boolean): Promise<Drawing & { src: string }> {
  const next = last.then(() => drawNow(source, dark));
  last = next.catch(() => {});
  return next;
}

async function drawNow(source: string, dark: boolean): Promise<Drawing & { src: string }> {
  if (source.length > LONGEST) throw new RangeError('too long');
  const fonts = await fontsFor(source);
  frame ??= openFrame();
  const { port } = await frame.catch((error: unknown) => {
    frame = null;
    throw error;
  });
  port.postMessage({ source, dark, fonts: fonts.linked, family: fonts.family } satisfies Order);
  const drawing = await answerOf<Drawing | null>(port, DRAWN_WITHIN_MS).catch((error: unknown) => {
    closeFrame();
    throw error;
  });
  if (drawing === null) throw new TypeError('no diagram');
  // A picture has no fonts but those within it.
  const svg = drawing.svg.replace('>', `><style>${await fonts.embedded()}</style>`);
  return { ...drawing, src: `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}` };
}

/** Loads the library into a frame of no origin. Its policy is the page's, without any network but scripts and fonts. */
async function openFrame(): Promise<Frame> {
  const element = document.createElement('iframe');
  element.setAttribute('sandbox', 'allow-scripts');
  element.setAttribute('aria-hidden', 'true');
  element.tabIndex = -1;
  element.className = 'pointer-events-none invisible fixed top-0 left-full h-[800px] w-[1200px]';
  const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.nonce ?? '';
  const script = new URL(frameScript, location.href).href;
  element.srcdoc = trusted(
    `<!doctype html><meta http-equiv="Content-Security-Policy" content="connect-src 'none'; img-src 'none'; form-action 'none'">` +
      `<body><script type="module" nonce="${nonce}" src="${script}"></script>`,
  );
  const loaded = new Promise((resolve) => element.addEventListener('load', resolve, { once: true }));
  document.body.append(element);
  await loaded;
  const { port1, port2 } = new MessageChannel();
  element.contentWindow?.postMessage('port', '*', [port2]);
  try {
    await answerOf(port1, LOADED_WITHIN_MS);
  } catch (error) {
    element.remove();
    throw error;
  }
  return { element, port: port1 };
}

function closeFrame(): void {
  void frame?.then(({ element, port }) => {
    port.close();
    element.remove();
  });
  frame = null;
}

function answerOf<T>(port: MessagePort, withinMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new RangeError('not done in time')), withinMs);
    port.onmessage = ({ data }: MessageEvent<T>) => {
      clearTimeout(timer);
      resolve(data);
    };
  });
}

/** The frame's own page, which holds nothing of an answer. */
function trusted(html: string): string {
  const { trustedTypes } = globalThis as {
    trustedTypes?: { createPolicy(name: string, rules: object): { createHTML(html: string): unknown } };
  };
  if (trustedTypes === undefined) return html;
  return trustedTypes.createPolicy('diagram-frame', { createHTML: (own: string) => own }).createHTML(html) as string;
}
