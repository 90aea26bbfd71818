import { lazy } from 'react';
import { loadWords } from '../i18n/language.ts';
import { OnDemand } from '../ui/OnDemand.tsx';
import { useUsage } from './use-usage.ts';

const LevelBanner = lazy(async () => {
  const [{ LevelBanner }] = await Promise.all([import('./levels/LevelBanner.tsx'), loadWords('banner')]);
  return { default: LevelBanner };
});

/** The banner above the composer from 90 % on, and of a suspended account: most people never load it. */
export function UsageBanner() {
  const { data: usage } = useUsage();
  if (usage === undefined) return null;
  if (!usage.suspended && (usage.level === 'NORMAL' || usage.level === 'NOTICE')) return null;
  return (
    <OnDemand closed={null}>
      <LevelBanner usage={usage} />
    </OnDemand>
  );
}
