import {
  ChartNoAxesColumn,
  CircleUserRound,
  KeyRound,
  Keyboard,
  LogOut,
  Moon,
  Settings2,
  ShieldCheck,
  Sun,
  SunMoon,
} from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMe } from '../session/me.ts';
import { signOut } from '../session/session.ts';
import { buttonClass } from '../ui/Button.tsx';
import { SHORTCUTS } from '../ui/keys/shortcuts.ts';
import { Menu } from '../ui/menu/Menu.tsx';
import { applyTheme, currentTheme, type Theme } from '../ui/theme.ts';

const THEMES = [
  ['system', SunMoon],
  ['light', Sun],
  ['dark', Moon],
] as const;

export function UserMenu() {
  const { t } = useTranslation();
  const me = useMe();
  const [theme, setTheme] = useState(currentTheme);
  const choose = (value: string) => {
    applyTheme(value as Theme);
    setTheme(value as Theme);
  };
  return (
    <Menu
      aria-label={t('account')}
      className={buttonClass({ look: 'bare', size: 'icon' }, 'hover:bg-hover')}
      width="w-60"
      entries={[
        { kind: 'title', label: me.email ?? t('userNumber', { id: me.userId }), hint: t(`role.${me.role}`) },
        { kind: 'link', label: t('usage'), icon: ChartNoAxesColumn, href: '/usage' },
        { kind: 'link', label: t('preferences'), icon: Settings2, href: '/preferences' },
        { kind: 'link', label: t('keys'), icon: KeyRound, href: '/keys' },
        ...(me.role === 'admin'
          ? [{ kind: 'link', label: t('admin'), icon: ShieldCheck, href: '/admin' } as const]
          : []),
        { kind: 'line' },
        {
          kind: 'choice',
          label: t('theme.label'),
          value: theme,
          inRow: true,
          onChoose: choose,
          options: THEMES.map(([value, icon]) => ({ value, icon, label: t(`theme.${value}`) })),
        },
        { kind: 'line' },
        {
          kind: 'action',
          label: t('shortcuts'),
          icon: Keyboard,
          onSelect: () => dispatchEvent(new Event(SHORTCUTS)),
        },
        { kind: 'action', label: t('signOut'), icon: LogOut, onSelect: signOut },
      ]}
    >
      <CircleUserRound aria-hidden className="size-5" />
    </Menu>
  );
}
