import { takeAlong } from '../../session/session.ts';
import { SHOP } from '../../usage/own-shop.ts';

/**
 * Whether the browser loaded this document at the shop's address. Only there does the page's policy let the payment
 * window's script run, and a policy stays with its document whatever address the app shows afterwards.
 */
export function isPaymentDocument(): boolean {
  const [opened] = performance.getEntriesByType('navigation');
  return opened !== undefined && new URL(opened.name).pathname.replace(/\/$/, '').toLowerCase() === SHOP;
}

/** Loads the shop as a document of its own. */
export function openPaymentDocument(): void {
  takeAlong();
  location.assign(SHOP);
}

/** Loads the page that the address names by now, so that it has the strict policy again. */
export function leavePaymentDocument(): void {
  takeAlong();
  location.reload();
}
