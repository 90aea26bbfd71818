import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'wouter';

const SECTIONS = [
  'stats',
  'turns',
  'redrives',
  'users',
  'models',
  'purchases',
  'codes',
  'deliveries',
  'reports',
  'audit',
] as const;

/** The console's pages. Where the screen has no room for all, the current one is in view. */
export function AdminNav() {
  const { t } = useTranslation(['admin', 'admin-home']);
  const [location] = useLocation();
  const strip = useRef<HTMLElement>(null);
  useEffect(() => {
    const current = strip.current?.querySelector<HTMLElement>('[aria-current]');
    if (strip.current === null || current == null) return;
    // By its own scrolling alone: the page stays where it is.
    strip.current.scrollLeft = current.offsetLeft - (strip.current.clientWidth - current.clientWidth) / 2;
  }, [location]);
  const tabs = [
    { href: '/admin', name: t('admin-home:title'), current: /^\/admin\/?$/.test(location) },
    ...SECTIONS.map((section) => ({
      href: `/admin/${section}`,
      name: t(`section.${section}`),
      current: location.startsWith(`/admin/${section}`),
    })),
  ];
  return (
    <nav
      ref={strip}
      aria-label={t('sections')}
      className="relative -mt-2 mb-6 flex gap-1 overflow-x-auto border-b border-line"
    >
      {tabs.map(({ href, name, current }) => (
        <Link
          key={href}
          href={href}
          aria-current={current ? 'page' : undefined}
          className={`rounded-t-lg border-b-2 px-3.5 py-2 text-sm font-medium whitespace-nowrap ${current ? 'border-accent text-accent' : 'border-transparent text-soft hover:text-ink'}`}
        >
          {name}
        </Link>
      ))}
    </nav>
  );
}
