import { ImageOff } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

/** A table that is wider than the page is scrolled by itself. */
export function TableFrame({ children }: { children?: ReactNode }) {
  return (
    <div className="table-scroll" tabIndex={0} role="group">
      <table>{children}</table>
    </div>
  );
}

/** Allows only web and mail addresses: `javascript:`, `data:` and whatever else a browser might run stay text. */
function isSafeLink(href: string | undefined): href is string {
  if (href === undefined || !URL.canParse(href)) return false;
  return ['http:', 'https:', 'mailto:'].includes(new URL(href).protocol);
}

/** Opens in another tab and sends no referrer. */
export function OutsideLink({ href, children }: { href: string | undefined; children?: ReactNode }) {
  if (!isSafeLink(href)) return <span>{children}</span>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

/** A picture is never loaded, only named and linked. */
export function Picture({ src, alt }: { src: string | undefined; alt: string | null | undefined }) {
  const { t } = useTranslation('chat');
  const name = alt == null || alt === '' ? t('picture') : alt;
  return (
    <span className="inline-flex items-center gap-1.5 rounded-md bg-panel px-2 py-0.5 text-sm">
      <ImageOff aria-hidden className="size-3.5" />
      {isSafeLink(src) ? (
        <a href={src} target="_blank" rel="noopener noreferrer nofollow">
          {name}
        </a>
      ) : (
        name
      )}
    </span>
  );
}

/** Whether a task of a list is done. */
export function TaskBox({ isDone }: { isDone: boolean }) {
  const { t } = useTranslation('chat');
  return (
    <input type="checkbox" aria-label={t(isDone ? 'task.done' : 'task.open')} checked={isDone} readOnly disabled />
  );
}
