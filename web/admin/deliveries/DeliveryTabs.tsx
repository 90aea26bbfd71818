import { useTranslation } from 'react-i18next';
import { SectionTabs } from '../SectionTabs.tsx';

const TABS = [
  ['list', '/admin/deliveries'],
  ['resends', '/admin/deliveries/resends'],
] as const;

/** The views of deliveries, under the sections. */
export function DeliveryTabs() {
  const { t } = useTranslation('deliveries');
  return <SectionTabs label={t('views')} tabs={TABS.map(([tab, href]) => ({ href, name: t(`tab.${tab}`) }))} />;
}
