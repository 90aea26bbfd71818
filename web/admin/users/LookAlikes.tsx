import { useTranslation } from 'react-i18next';

/** Beside an e-mail address: its characters that may be taken for others, by their code points. */
export function LookAlikes({ of }: { of: readonly string[] }) {
  const { t } = useTranslation('admin');
  if (of.length === 0) return null;
  return (
    <span className="ml-2 text-sm text-notice" title={t('users.lookAlikes')}>
      <span className="sr-only">{t('users.lookAlikes')} </span>
      {of.join(', ')}
    </span>
  );
}
