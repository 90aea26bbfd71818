import { grantTokens, reverseGrant, type GrantResult } from '../db/money/grants.ts';
import { afterWrite, type AfterWriteDeps } from './after-write.ts';
import { writeOrFind } from './look-up.ts';

type Grant = Parameters<typeof grantTokens>[1];
type Reversal = Parameters<typeof reverseGrant>[1];

/** Gives a person tokens. @throws AppError as `grantTokens`. */
export async function grant(deps: AfterWriteDeps, wanted: Grant): Promise<GrantResult> {
  return book(deps, () => grantTokens(deps.database, wanted));
}

/** Takes a grant back, whole or in part. The person may then be at 90 %. @throws AppError as `reverseGrant`. */
export async function reverse(deps: AfterWriteDeps, wanted: Reversal): Promise<GrantResult> {
  return book(deps, () => reverseGrant(deps.database, wanted));
}

/**
 * Its key finds what was booked, so it is looked up by being sent again. A repeated key is followed too: whoever sends
 * it may never have heard that it was booked.
 */
async function book(deps: AfterWriteDeps, write: () => Promise<GrantResult>): Promise<GrantResult> {
  const result = await writeOrFind(write, write);
  await afterWrite(deps, result.userId);
  return result;
}
