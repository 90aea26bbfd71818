import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'wouter';

const SECTIONS = ['stats', 'turns', 'redrives', 'users', 'purchases', 'codes', 'audit'] as const;

export function AdminNav() {
  const { t } = useTranslation('admin');
  const [location] = useLocation();
  return (
    <nav aria-label={t('sections')} className="-mt-2 mb-6 flex gap-1 overflow-x-auto border-b border-line">
      {SECTIONS.map((section) => {
        const current = location.startsWith(`/admin/${section}`);
        return (
          <Link
            key={section}
            href={`/admin/${section}`}
            aria-current={current ? 'page' : undefined}
            className={`rounded-t-lg border-b-2 px-3.5 py-2 text-sm font-medium whitespace-nowrap ${current ? 'border-accent text-accent' : 'border-transparent text-soft hover:text-ink'}`}
          >
            {t(`section.${section}`)}
          </Link>
        );
      })}
    </nav>
  );
}
