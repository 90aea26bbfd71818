const TONE = {
  plain: 'bg-panel text-soft',
  busy: 'bg-accent-tint text-accent',
  good: 'bg-good-tint text-good',
  warn: 'bg-warn-tint text-warn',
  bad: 'bg-bad-tint text-bad',
} as const;
export type Tone = keyof typeof TONE;

/** A state as a word; its colour only helps. */
export function StateLabel({ tone, children }: { tone: Tone; children: string }) {
  return (
    <span className={`inline-block rounded-full px-2.5 py-0.5 text-xs font-medium whitespace-nowrap ${TONE[tone]}`}>
      {children}
    </span>
  );
}
