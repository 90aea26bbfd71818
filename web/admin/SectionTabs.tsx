import { Link, useLocation } from 'wouter';
import { AdminNav } from './AdminNav.tsx';

/** The console's sections, and under them the views of one. */
export function SectionTabs({
  label,
  tabs,
}: {
  label: string;
  tabs: readonly { readonly href: string; readonly name: string }[];
}) {
  const [location] = useLocation();
  return (
    <>
      <AdminNav />
      <nav aria-label={label} className="mb-5 flex flex-wrap gap-2">
        {tabs.map(({ href, name }) => (
          <Link
            key={href}
            href={href}
            aria-current={location === href ? 'page' : undefined}
            className="rounded-full border border-line px-3.5 py-1 text-sm text-soft hover:bg-hover aria-[current=page]:border-accent aria-[current=page]:bg-accent-tint aria-[current=page]:text-accent"
          >
            {name}
          </Link>
        ))}
      </nav>
    </>
  );
}
