import { CreateTurnsAndLedger } from './20261123-create-turns-and-ledger.ts';

/** In the order they run; forward only. */
export const MIGRATIONS = [CreateTurnsAndLedger] as const;
