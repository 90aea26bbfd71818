/**
 * A notification's text without the address that its button has. The text names it last, behind "Buy tokens:", for
 * channels that have no button.
 */
export function bodyOf({ body, purchaseUrl }: { readonly body: string; readonly purchaseUrl: string }): string {
  const at = purchaseUrl === '' ? -1 : body.indexOf(purchaseUrl);
  if (at === -1) return body;
  const before = body.slice(0, at);
  const label = /[^.!?\n]*:\s*$/.exec(before);
  return `${label === null ? before : before.slice(0, label.index)}${body.slice(at + purchaseUrl.length)}`.trim();
}
