import type Stripe from 'stripe';
import { z } from 'zod';
import { ProviderUnavailable } from '../provider.ts';
import { answerOf } from './client.ts';

const A_PAGE = 100;
const page = z.object({ data: z.array(z.looseObject({ id: z.string().min(1) })), has_more: z.boolean() });

type Read = (part: { limit: number; starting_after?: string }) => Promise<Stripe.ApiList<object>>;

/**
 * Reads a whole list of Stripe's.
 * @param mostPages of a hundred each; a list that does not end is no answer.
 * @throws ProviderUnavailable.
 */
export async function allOf<T extends z.ZodType>(read: Read, shape: T, mostPages: number): Promise<z.infer<T>[]> {
  const all: z.infer<T>[] = [];
  let last: string | null = null;
  for (let n = 0; n < mostPages; n += 1) {
    const { data, has_more: more }: z.infer<typeof page> = await answerOf(
      read({ limit: A_PAGE, ...(last === null ? {} : { starting_after: last }) }),
      page,
    );
    const rows = z.array(shape).safeParse(data);
    if (!rows.success) throw new ProviderUnavailable('Stripe answered something else');
    all.push(...rows.data);
    last = data.at(-1)?.id ?? null;
    if (!more || last === null) return all;
  }
  throw new ProviderUnavailable('a list of Stripe does not end');
}
