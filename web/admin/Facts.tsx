import type { ReactNode } from 'react';

/** The facts about one thing, at the head of its page: key, name, value. */
export function Facts({
  facts,
  columns = 'sm:grid-cols-4',
  wide = [],
}: {
  facts: readonly (readonly [string, string, ReactNode])[];
  columns?: string;
  wide?: readonly string[];
}) {
  return (
    <dl className={`grid grid-cols-2 gap-x-6 gap-y-4 rounded-xl border border-line bg-raised p-5 ${columns}`}>
      {facts.map(([key, name, value]) => (
        <div key={key} className={wide.includes(key) ? 'col-span-2 sm:col-span-1' : ''}>
          <dt className="text-xs text-faint">{name}</dt>
          <dd className="mt-0.5 break-words">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
