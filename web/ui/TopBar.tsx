import { ChevronLeft, Menu } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { Bell } from '../notifications/Bell.tsx';
import { Button, buttonClass } from './Button.tsx';
import { useDrawer, useIsConsole } from '../shell/Shell.tsx';
import { UserMenu } from '../shell/UserMenu.tsx';

export function TopBar({ children }: { children?: ReactNode }) {
  const { t } = useTranslation();
  const { setOpen } = useDrawer();
  const isConsole = useIsConsole();
  return (
    <header className="flex h-14 shrink-0 items-center gap-2 px-3 sm:px-5">
      {isConsole ? (
        <Link href="/" className={buttonClass({ look: 'bare', size: 'small' }, 'hover:bg-hover')}>
          <ChevronLeft aria-hidden className="size-4" />
          {t('toChat')}
        </Link>
      ) : (
        <Button
          look="bare"
          size="icon"
          className="lg:hidden"
          aria-label={t('openSidebar')}
          onClick={() => setOpen(true)}
        >
          <Menu aria-hidden className="size-5" />
        </Button>
      )}
      <div className="min-w-0 flex-1">{children}</div>
      <Bell />
      <UserMenu />
    </header>
  );
}
