import { expect, test } from '@jest/globals';
import { createVault } from '../../../platform/payments/vault.ts';

const vault = createVault(Buffer.alloc(32, 1));
const TEXT = '신한은행 110-123-456789';

test('what is sealed is opened by its key and for its owner alone, unchanged', () => {
  const sealed = Buffer.from(vault.seal('purchase-a', TEXT));
  expect(vault.open('purchase-a', sealed)).toBe(TEXT);
  expect(sealed.includes(Buffer.from('110-123-456789'))).toBe(false);
  expect(vault.open('purchase-b', sealed)).toBeNull();
  expect(createVault(Buffer.alloc(32, 2)).open('purchase-a', sealed)).toBeNull();
  for (const i of sealed.keys()) {
    const changed = Buffer.from(sealed);
    changed[i] = (changed[i] ?? 0) ^ 1;
    expect([i, vault.open('purchase-a', changed)]).toEqual([i, null]);
  }
});

test('the same text is sealed anew each time', () => {
  expect(vault.seal('purchase-a', TEXT)).not.toEqual(vault.seal('purchase-a', TEXT));
});
