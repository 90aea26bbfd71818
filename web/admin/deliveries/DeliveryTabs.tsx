import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'wouter';
import { AdminNav } from '../AdminNav.tsx';

const TABS = [
  ['list', '/admin/deliveries'],
  ['resends', '/admin/deliveries/resends'],
] as const;

/** The views of deliveries, under the sections. */
export function DeliveryTabs() {
  const { t } = useTranslation('deliveries');
  const [location] = useLocation();
  return (
    <>
      <AdminNav />
      <nav aria-label={t('views')} className="mb-5 flex flex-wrap gap-2">
        {TABS.map(([tab, href]) => (
          <Link
            key={tab}
            href={href}
            aria-current={location === href ? 'page' : undefined}
            className="rounded-full border border-line px-3.5 py-1 text-sm text-soft hover:bg-hover aria-[current=page]:border-accent aria-[current=page]:bg-accent-tint aria-[current=page]:text-accent"
          >
            {t(`tab.${tab}`)}
          </Link>
        ))}
      </nav>
    </>
  );
}
