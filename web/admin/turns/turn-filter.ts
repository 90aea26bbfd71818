import type { Schemas } from '../../api/schemas.ts';
import { dayAfter, startOfDay } from './days.ts';
import type { Address } from '../use-address.ts';

type Filter = Schemas['TurnFilter'];

const NAMES = [
  'state',
  'code',
  'userId',
  'conversationId',
  'model',
  'from',
  'to',
  'replayed',
] as const satisfies readonly (keyof Filter)[];

/**
 * The address's filter for a query string. Days become instants of the person's time zone, with the last day included.
 * Everything else is passed on unchanged, because the API checks it.
 */
export function filterQuery(address: Address, timeZone: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    NAMES.flatMap((name) => {
      const value = address[name];
      return value === undefined
        ? []
        : [
            [
              name,
              name === 'from'
                ? startOfDay(value, timeZone)
                : name === 'to'
                  ? startOfDay(dayAfter(value), timeZone)
                  : value,
            ],
          ];
    }),
  );
}

/** The address's filter for a JSON body, in which numbers are numbers. */
export function filterBody(address: Address, timeZone: string): Filter {
  const { userId, replayed, ...rest } = filterQuery(address, timeZone);
  return {
    ...(rest as Filter),
    ...(userId === undefined ? {} : { userId: Number(userId) }),
    ...(replayed === undefined ? {} : { replayed: replayed === 'true' }),
  };
}

/** The change of address that clears the filter. */
export const NO_FILTER: Address = Object.fromEntries(NAMES.map((name) => [name, undefined]));

export function isFiltered(address: Address): boolean {
  return NAMES.some((name) => address[name] !== undefined);
}
