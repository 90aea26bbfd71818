import { ArrowUpRight } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { buttonClass } from '../ui/Button.tsx';

/**
 * A link to a workflow in the Temporal UI.
 * @param url null where this installation names no UI.
 */
export function TemporalLink({ url }: { url: string | null }) {
  const { t } = useTranslation('admin');
  return (
    url !== null && (
      <a
        href={url}
        target="_blank"
        rel="noopener noreferrer"
        className={buttonClass({ size: 'small' }, 'hover:bg-hover')}
      >
        {t('turns.inTemporal')}
        <ArrowUpRight aria-hidden className="size-4" />
      </a>
    )
  );
}
