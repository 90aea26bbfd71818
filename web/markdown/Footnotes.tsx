import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

export function Footnotes({ children }: { children: ReactNode }) {
  const { t } = useTranslation('chat');
  return (
    <section aria-label={t('footnotes')} className="footnotes">
      <ol>{children}</ol>
    </section>
  );
}

/** A number that leads to its footnote. */
export function FootnoteLink({ note, number }: { note: string; number: number }) {
  const { t } = useTranslation('chat');
  return (
    <sup>
      <button
        type="button"
        className="px-0.5 text-accent hover:underline"
        aria-label={t('footnote', { number })}
        onClick={() => {
          const target = document.getElementById(note);
          target?.scrollIntoView({ block: 'nearest' });
          target?.focus({ preventScroll: true });
        }}
      >
        {number}
      </button>
    </sup>
  );
}
