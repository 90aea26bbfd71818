import { createHash, randomBytes } from 'node:crypto';
import { AppError } from '../../domain/errors.ts';
import { CODE_LENGTH, CODE_LETTERS, readCode, writeCode } from '../../domain/payments/redemption-code.ts';
import { makeCodes, type BatchRow, type NewBatch } from '../../db/redemptions/codes.ts';
import { findRedemption, redeemCode, type Redeemed } from '../../db/redemptions/redeem.ts';
import { afterWrite, type AfterWriteDeps } from '../after-write.ts';
import { writeOrFind } from '../look-up.ts';

/**
 * Gives a person the tokens of a code, however they wrote it.
 * @throws AppError code_invalid, as `redeemCode`.
 */
export async function redeem(
  deps: AfterWriteDeps,
  { userId, typed }: { userId: number; typed: string },
): Promise<Redeemed> {
  const code = readCode(typed);
  if (code === null) throw new AppError('code_invalid');
  const wanted = { userId, hash: hashOf(code) };
  const redeemed = await writeOrFind(
    () => redeemCode(deps.database, wanted),
    () => findRedemption(deps.database.sql, wanted),
  );
  await afterWrite(deps, userId);
  return redeemed;
}

/** Makes a batch. @returns its codes as they are printed: they are told once, for only their hashes are kept. */
export async function makeBatch(
  { database }: Pick<AfterWriteDeps, 'database'>,
  { count, ...wanted }: Omit<NewBatch, 'codes'> & { count: number },
): Promise<{ batch: BatchRow; codes: readonly string[] }> {
  const codes = Array.from({ length: count }, newCode);
  const hashed = codes.map((code) => ({ hash: hashOf(code), hint: code.slice(-4) }));
  return { batch: await makeCodes(database, { ...wanted, codes: hashed }), codes: codes.map(writeCode) };
}

/** 256 is eight times 32, so that each letter is as likely as the others. */
function newCode(): string {
  return [...randomBytes(CODE_LENGTH)].map((byte) => CODE_LETTERS.charAt(byte % CODE_LETTERS.length)).join('');
}

function hashOf(code: string): Buffer {
  return createHash('sha256').update(code).digest();
}
