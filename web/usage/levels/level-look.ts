import { CircleAlert, CircleCheck, CircleSlash, Info, TriangleAlert } from 'lucide-react';
import type { Level } from '../use-usage.ts';

/** The look of each level; its word and icon say the same without colour. */
export const LEVEL_LOOK = {
  NORMAL: { icon: CircleCheck, ink: 'text-good', fill: 'bg-good-fill', tint: 'bg-good-tint' },
  NOTICE: { icon: Info, ink: 'text-notice', fill: 'bg-notice-fill', tint: 'bg-notice-tint' },
  WARNING: { icon: TriangleAlert, ink: 'text-warn', fill: 'bg-warn-fill', tint: 'bg-warn-tint' },
  CRITICAL: { icon: CircleAlert, ink: 'text-bad', fill: 'bg-bad-fill', tint: 'bg-bad-tint' },
  BLOCKED: { icon: CircleSlash, ink: 'text-bad', fill: 'bg-bad-fill', tint: 'bg-bad-tint' },
} as const satisfies Record<Level, unknown>;

/** Lowest first. */
export const LEVELS = Object.keys(LEVEL_LOOK) as Level[];
