import { useTranslation } from 'react-i18next';
import { ClosableDialog } from '../dialog/ClosableDialog.tsx';

/** ⌘ on Apple's keyboards, Ctrl on others. */
const COMMAND = /Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘' : 'Ctrl';
const SHORTCUTS = [
  ['search', [COMMAND, 'K']],
  ['new', [COMMAND, 'Shift', 'O']],
  ['send', ['Enter']],
  ['line', ['Shift', 'Enter']],
  ['stop', ['Esc']],
  ['list', ['↑', '↓']],
  ['this', ['?']],
] as const;

export function ShortcutList({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('shortcuts');
  return (
    <ClosableDialog title={t('title')} lead={t('lead')} onClose={onClose}>
      <dl className="mt-4 divide-y divide-line">
        {SHORTCUTS.map(([name, keys]) => (
          <div key={name} className="flex items-center justify-between gap-4 py-2 text-sm">
            <dt>{t(`does.${name}`)}</dt>
            <dd className="flex shrink-0 gap-1">
              {keys.map((key) => (
                <kbd
                  key={key}
                  className="min-w-7 rounded-md border border-line bg-panel px-1.5 py-0.5 text-center font-sans text-xs"
                >
                  {key}
                </kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </ClosableDialog>
  );
}
