import { ArrowUpRight } from 'lucide-react';
import { useTranslation } from 'react-i18next';

/** A link to the provider's receipt; nothing where there is none. */
export function Receipt({ url }: { url: string | null }) {
  const { t } = useTranslation(['purchase', 'usage']);
  if (url === null) return null;
  return (
    <a
      href={url}
      target="_blank"
      rel="noopener noreferrer"
      className="inline-flex items-center gap-1 rounded text-accent hover:underline"
    >
      {t('receipt')}
      <ArrowUpRight aria-hidden className="size-3.5" />
      <span className="sr-only">{t('usage:opensElsewhere')}</span>
    </a>
  );
}
