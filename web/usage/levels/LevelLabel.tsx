import { useTranslation } from 'react-i18next';
import type { Usage } from '../use-usage.ts';
import { LEVEL_LOOK } from './level-look.ts';

export function LevelLabel({ usage: { level, suspended } }: { usage: Usage }) {
  const { t } = useTranslation('usage');
  const { icon: Icon, ink, tint } = LEVEL_LOOK[suspended ? 'BLOCKED' : level];
  return (
    <span
      className={`inline-flex items-center gap-1.5 rounded-full px-2.5 py-0.5 text-xs font-semibold ${tint} ${ink}`}
    >
      <Icon aria-hidden className="size-3.5" />
      {suspended ? t('suspended') : t(`level.${level}`)}
    </span>
  );
}
