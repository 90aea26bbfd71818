import { ArrowUpRight } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { buttonClass, type ButtonLook } from '../ui/Button.tsx';
import { useBuyPlace, type BuyPlace } from './buy-place.ts';

/** A link to the page where tokens are bought, unless another place on the screen already has it. */
export function BuyButton({
  url,
  place,
  className = '',
  ...look
}: { url: string; place: BuyPlace; className?: string } & ButtonLook) {
  const { t } = useTranslation('usage');
  if (!useBuyPlace(place)) return null;
  return (
    <a
      href={url}
      target="_blank"
      rel="noopener noreferrer"
      className={buttonClass({ look: 'primary', size: 'small', ...look }, `hover:bg-accent-press ${className}`)}
    >
      {t('buy')}
      <ArrowUpRight aria-hidden className="size-4" />
      <span className="sr-only">{t('opensElsewhere')}</span>
    </a>
  );
}
