import { CircleAlert, Info, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';

const TONE = {
  info: { look: 'border-line bg-panel text-ink', icon: Info },
  warn: { look: 'border-warn/30 bg-warn-tint text-warn', icon: TriangleAlert },
  bad: { look: 'border-bad/30 bg-bad-tint text-bad', icon: CircleAlert },
} as const;

/**
 * A short message with an icon, so that colour is never its only sign. Screen readers read `bad` at once, the others at
 * a pause.
 */
export function Notice({
  tone,
  children,
  action,
}: {
  tone: keyof typeof TONE;
  children: ReactNode;
  action?: ReactNode;
}) {
  const { look, icon: Icon } = TONE[tone];
  return (
    <div
      role={tone === 'bad' ? 'alert' : 'status'}
      className={`flex flex-wrap items-start gap-3 rounded-xl border px-4 py-3 text-sm ${look}`}
    >
      <Icon aria-hidden className="mt-0.5 size-4 shrink-0" />
      <div className="min-w-40 flex-1">{children}</div>
      {action}
    </div>
  );
}
