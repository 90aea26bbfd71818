import { ArrowUpRight } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { buttonClass, type ButtonLook } from '../ui/Button.tsx';

/** A link to the page where tokens are bought. */
export function BuyButton({ url, ...look }: { url: string } & ButtonLook) {
  const { t } = useTranslation('usage');
  return (
    <a
      href={url}
      target="_blank"
      rel="noopener noreferrer"
      className={buttonClass({ look: 'primary', size: 'small', ...look }, 'hover:bg-accent-press')}
    >
      {t('buy')}
      <ArrowUpRight aria-hidden className="size-4" />
      <span className="sr-only">{t('opensElsewhere')}</span>
    </a>
  );
}
