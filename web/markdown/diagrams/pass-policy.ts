/**
 * Lets the drawing library work under the page's policy, which the frame inherits: it refuses styles without the page's
 * nonce, style attributes, and HTML made of strings. In a frame that has no origin and no network, and whose drawing is
 * shown as a picture, none of them harms anybody. So styles get the nonce, attributes are set by property, and those in
 * HTML have another name until the drawing leaves.
 */
export function passPolicy(): void {
  const create = document.createElement.bind(document);
  const createNS = document.createElementNS.bind(document);
  Object.assign(document, {
    createElement: (name: string, options?: ElementCreationOptions) => withNonce(create(name, options)),
    createElementNS: (namespace: string | null, name: string) => withNonce(createNS(namespace, name)),
  });
  const { setAttribute } = Element.prototype;
  Element.prototype.setAttribute = function set(name: string, value: string) {
    if (name === 'style' && (this instanceof HTMLElement || this instanceof SVGElement)) this.style.cssText = value;
    else setAttribute.call(this, name, value);
  };
  const types = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes;
  if (types === undefined) return;
  const createPolicy = types.createPolicy.bind(types);
  const passing = { createHTML: passHtml };
  types.createPolicy = (name, rules) => createPolicy(name, { ...rules, ...passing });
  createPolicy('default', passing);
}

interface TrustedTypes {
  createPolicy(name: string, rules: object): unknown;
}

const nonce = document.querySelector('script')?.nonce ?? '';
const STYLE = 'data-passed-style';

export function passHtml(html: string): string {
  return html
    .replaceAll(/(\s)style(\s*=)/gi, `$1${STYLE}$2`)
    .replaceAll(/<style(?=[\s>])/gi, `<style nonce="${nonce}"`);
}

/** The drawing as the library made it. */
export function withoutTraces(svg: string): string {
  return svg.replaceAll(` ${STYLE}=`, ' style=').replaceAll(` nonce="${nonce}"`, '');
}

function withNonce<E extends Element>(element: E): E {
  if (element.localName === 'style' && 'nonce' in element) element.nonce = nonce;
  return element;
}
