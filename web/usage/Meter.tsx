import { LEVEL_LOOK } from './levels/level-look.ts';
import type { Usage } from './use-usage.ts';

/** A bar: the share of all tokens that is used, and held in addition. The figures beside it say the same in words. */
export function Meter({ usage, label, className = 'h-2' }: { usage: Usage; label: string; className?: string }) {
  const total = Math.max(1, usage.totalAvailable);
  const used = Math.min(100, (usage.usedTokens / total) * 100);
  const held = Math.min(100 - used, (usage.heldTokens / total) * 100);
  return (
    <div
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.min(100, usage.usagePercent)}
      className={`flex overflow-hidden rounded-full bg-line ${className}`}
    >
      <div
        className={`transition-[width] duration-500 ${LEVEL_LOOK[usage.level].fill}`}
        style={{ width: `${used}%` }}
      />
      <div
        className={`animate-pulse-soft transition-[width] duration-500 ${LEVEL_LOOK[usage.level].fill} opacity-50`}
        style={{ width: `${held}%` }}
      />
    </div>
  );
}
