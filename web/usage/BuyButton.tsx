import { ArrowUpRight } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { buttonClass, type ButtonLook } from '../ui/Button.tsx';
import { useBuyPlace, type BuyPlace } from './buy-place.ts';
import { rememberPlace, SHOP, isOwnShop } from './own-shop.ts';

/**
 * A link to the page where tokens are bought, unless another place on the screen already has it. Our own page opens in
 * place.
 */
export function BuyButton({
  url,
  place,
  onGo,
  className = '',
  ...look
}: { url: string; place: BuyPlace; onGo?: () => void; className?: string } & ButtonLook) {
  const { t } = useTranslation('usage');
  if (!useBuyPlace(place)) return null;
  const shape = buttonClass({ look: 'primary', size: 'small', ...look }, `hover:bg-accent-press ${className}`);
  if (isOwnShop(url))
    return (
      <Link
        href={SHOP}
        onClick={() => {
          rememberPlace();
          onGo?.();
        }}
        className={shape}
      >
        {t('buy')}
      </Link>
    );
  return (
    <a href={url} target="_blank" rel="noopener noreferrer" className={shape}>
      {t('buy')}
      <ArrowUpRight aria-hidden className="size-4" />
      <span className="sr-only">{t('opensElsewhere')}</span>
    </a>
  );
}
