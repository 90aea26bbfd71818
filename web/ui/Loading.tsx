import { LoaderCircle } from 'lucide-react';
import { useTranslation } from 'react-i18next';

/** Fades in after a moment, so that it does not flash when the page comes at once. */
export function Loading({ className = 'p-8' }: { className?: string }) {
  const { t } = useTranslation();
  return (
    <div role="status" className={`flex animate-[rise_.2s_.2s_both] justify-center text-faint ${className}`}>
      <LoaderCircle aria-hidden className="size-5 animate-spin" />
      <span className="sr-only">{t('loading')}</span>
    </div>
  );
}
