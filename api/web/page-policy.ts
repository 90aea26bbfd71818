/** Where the payment window's script may come from, and what it may reach. */
export interface PaymentScript {
  /** The origin of the script. */
  readonly origin: string;
  /** Where the script may send, load pictures from, and open frames. */
  readonly reaches: string;
}

/** Toss's script talks to other hosts of Toss; a script from elsewhere (a test's) only to its own. */
export function paymentScriptAt(url: string): PaymentScript {
  const { origin, hostname } = new URL(url);
  const isToss = hostname === 'tosspayments.com' || hostname.endsWith('.tosspayments.com');
  return { origin, reaches: isToss ? 'https://*.tosspayments.com' : origin };
}

/** The one page that may load a payment script. What a purchase's page, its address below this one, shows may not. */
export function isShopPage(path: string): boolean {
  return /^\/purchase\/?$/i.test(path);
}

/**
 * Scripts, fonts and connections come from this server only. Styles may carry this response's nonce, because the
 * dialogs' scroll lock adds a <style>. Nothing in an answer can run or load: no inline script, no foreign image, no
 * frame, no form.
 * @param parts.payment what a page that opens a payment window may do besides; null for every other page.
 */
export function pagePolicy({
  nonce,
  connectTo,
  payment,
}: {
  readonly nonce: string;
  readonly connectTo: readonly string[];
  readonly payment: PaymentScript | null;
}): string {
  const reaches = payment === null ? [] : [payment.reaches];
  const directives = {
    'default-src': ["'none'"],
    'script-src': ["'self'", ...(payment === null ? [] : [payment.origin])],
    'style-src': ["'self'", `'nonce-${nonce}'`],
    // A person's own files are shown from bytes that the page has asked for itself.
    'img-src': ["'self'", 'data:', 'blob:', ...reaches],
    'font-src': ["'self'"],
    'manifest-src': ["'self'"],
    'connect-src': ["'self'", ...connectTo, ...reaches],
    ...(payment === null ? {} : { 'frame-src': reaches }),
    'base-uri': ["'none'"],
    'form-action': payment === null ? ["'none'"] : reaches,
    'frame-ancestors': ["'none'"],
    'require-trusted-types-for': ["'script'"],
  };
  return Object.entries(directives)
    .map(([name, values]) => [name, ...values].join(' '))
    .join('; ');
}
