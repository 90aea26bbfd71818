import { grantTokens, reverseGrant, type GrantResult } from '../db/money/grants.ts';
import { afterWrite, type AfterWriteDeps } from './after-write.ts';

type Grant = Omit<Parameters<typeof grantTokens>[1], 'now'>;
type Reversal = Omit<Parameters<typeof reverseGrant>[1], 'now'>;

/** Gives a person tokens. @throws AppError as `grantTokens`. */
export async function grant(deps: AfterWriteDeps, wanted: Grant): Promise<GrantResult> {
  return followed(deps, await grantTokens(deps.database, { ...wanted, now: deps.now() }));
}

/** Takes a grant back, whole or in part. The person may then be at 90 %. @throws AppError as `reverseGrant`. */
export async function reverse(deps: AfterWriteDeps, wanted: Reversal): Promise<GrantResult> {
  return followed(deps, await reverseGrant(deps.database, { ...wanted, now: deps.now() }));
}

/** A repeated key has booked nothing, so nothing follows. */
async function followed(deps: AfterWriteDeps, result: GrantResult): Promise<GrantResult> {
  if (!result.repeated) await afterWrite(deps, result.userId);
  return result;
}
