import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'wouter';
import { AdminNav } from '../AdminNav.tsx';

const TABS = [
  ['list', '/admin/purchases'],
  ['revenue', '/admin/purchases/revenue'],
  ['disputes', '/admin/purchases/disputes'],
  ['unmatched', '/admin/purchases/unmatched'],
] as const;

/** The views of sales, under the sections. */
export function PurchaseTabs() {
  const { t } = useTranslation('admin');
  const [location] = useLocation();
  return (
    <>
      <AdminNav />
      <nav aria-label={t('sales.views')} className="mb-5 flex flex-wrap gap-2">
        {TABS.map(([tab, href]) => (
          <Link
            key={tab}
            href={href}
            aria-current={location === href ? 'page' : undefined}
            className="rounded-full border border-line px-3.5 py-1 text-sm text-soft hover:bg-hover aria-[current=page]:border-accent aria-[current=page]:bg-accent-tint aria-[current=page]:text-accent"
          >
            {t(`sales.tab.${tab}`)}
          </Link>
        ))}
      </nav>
    </>
  );
}
