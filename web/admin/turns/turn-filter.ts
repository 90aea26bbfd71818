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
 * The filter in the address, for a query string: days become instants of the person's zone, the last day included. The
 * rest goes as it is, and the API judges it.
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

/** The same for a body, where a number is a number. */
export function filterBody(address: Address, timeZone: string): Filter {
  const { userId, replayed, ...rest } = filterQuery(address, timeZone);
  return {
    ...(rest as Filter),
    ...(userId === undefined ? {} : { userId: Number(userId) }),
    ...(replayed === undefined ? {} : { replayed: replayed === 'true' }),
  };
}

/** What clears it. */
export const NO_FILTER: Address = Object.fromEntries(NAMES.map((name) => [name, undefined]));

export function isFiltered(address: Address): boolean {
  return NAMES.some((name) => address[name] !== undefined);
}
