import { useTranslation } from 'react-i18next';
import { SectionTabs } from '../SectionTabs.tsx';

const TABS = [
  ['list', '/admin/purchases'],
  ['revenue', '/admin/purchases/revenue'],
  ['disputes', '/admin/purchases/disputes'],
  ['unmatched', '/admin/purchases/unmatched'],
] as const;

/** The views of sales, under the sections. */
export function PurchaseTabs() {
  const { t } = useTranslation('admin');
  return (
    <SectionTabs label={t('sales.views')} tabs={TABS.map(([tab, href]) => ({ href, name: t(`sales.tab.${tab}`) }))} />
  );
}
