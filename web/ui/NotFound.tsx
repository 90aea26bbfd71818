import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { buttonClass } from './Button.tsx';
import { Page } from './Page.tsx';

export function NotFound() {
  const { t } = useTranslation();
  return (
    <Page title={t('notFound.title')}>
      <p className="mb-6 text-soft">{t('notFound.lead')}</p>
      <Link href="/" className={buttonClass({ look: 'primary' })}>
        {t('notFound.back')}
      </Link>
    </Page>
  );
}
