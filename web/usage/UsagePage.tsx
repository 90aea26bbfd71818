import { useTranslation } from 'react-i18next';
import { Page } from '../shell/Page.tsx';
import { History } from './History.tsx';
import { UsageCard } from './UsageCard.tsx';

export function UsagePage() {
  const { t } = useTranslation('usage');
  return <Page title={t('title')}><div className="grid gap-8"><UsageCard detailed /><History /></div></Page>;
}
