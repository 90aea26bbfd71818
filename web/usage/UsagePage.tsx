import { useTranslation } from 'react-i18next';
import { Page } from '../shell/Page.tsx';
import { UsageCard } from './UsageCard.tsx';

export function UsagePage() {
  const { t } = useTranslation('usage');
  return <Page title={t('title')}><UsageCard detailed /></Page>;
}
