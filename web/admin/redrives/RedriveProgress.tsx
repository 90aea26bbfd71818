import { CircleAlert, CircleCheck, CirclePause, Clock3, LoaderCircle, SkipForward } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Schemas } from '../../api/schemas.ts';
import { useFigures } from '../../usage/figures.ts';
import type { RedriveTurnState } from '../StateLabel.tsx';

type Redrive = Schemas['Redrive'];

/** The states in the order of the bar. Turns that wait are its empty part. */
const LOOK = {
  completed: { icon: CircleCheck, ink: 'text-good', fill: 'bg-good-fill' },
  stopped: { icon: CirclePause, ink: 'text-soft', fill: 'bg-faint' },
  failed: { icon: CircleAlert, ink: 'text-bad', fill: 'bg-bad-fill' },
  skipped: { icon: SkipForward, ink: 'text-notice', fill: 'bg-notice-fill' },
  running: { icon: LoaderCircle, ink: 'text-accent', fill: 'bg-accent-fill animate-pulse-soft' },
  waiting: { icon: Clock3, ink: 'text-faint', fill: '' },
} as const satisfies Record<RedriveTurnState, unknown>;

export const REDRIVE_TURN_STATES = Object.keys(LOOK) as RedriveTurnState[];
const SKIP_REASONS = [
  'superseded',
  'suspended',
  'busy',
  'not_failed',
  'api',
  'erased',
] as const satisfies readonly (keyof Redrive['progress']['skipped'])[];

export function isOver({ state }: Redrive): boolean {
  return state === 'completed' || state === 'cancelled';
}

/** The number of turns in each state; together they are all turns of the redrive. */
export function countsOf({ progress: { skipped, ...counts } }: Redrive): Record<RedriveTurnState, number> {
  return { ...counts, skipped: Object.values(skipped).reduce((sum, count) => sum + count, 0) };
}

export function doneOf(redrive: Redrive): number {
  const { waiting, running } = redrive.progress;
  return redrive.count - waiting - running;
}

export function ProgressBar({ redrive, className = 'h-3' }: { redrive: Redrive; className?: string }) {
  const { t } = useTranslation('admin');
  const { tokens: written } = useFigures();
  const counts = countsOf(redrive);
  const done = doneOf(redrive);
  return (
    <div
      role="progressbar"
      aria-label={t('redrives.progress')}
      aria-valuemin={0}
      aria-valuemax={redrive.count}
      aria-valuenow={done}
      aria-valuetext={t('redrives.doneOf', { done: written(done), count: written(redrive.count) })}
      className={`flex overflow-hidden rounded-full bg-line ${className}`}
    >
      {REDRIVE_TURN_STATES.filter((state) => state !== 'waiting').map((state) => (
        <div
          key={state}
          className={`transition-[width] duration-500 ${LOOK[state].fill}`}
          style={{ width: `${(counts[state] / redrive.count) * 100}%` }}
        />
      ))}
    </div>
  );
}

/** The number of turns in each state; choosing one shows its turns below. */
export function Counts({
  redrive,
  chosen,
  onChoose,
}: {
  redrive: Redrive;
  chosen: string | undefined;
  onChoose: (state: RedriveTurnState) => void;
}) {
  const { t } = useTranslation('admin');
  const { tokens: written } = useFigures();
  const counts = countsOf(redrive);
  const why = SKIP_REASONS.filter((reason) => redrive.progress.skipped[reason] > 0);
  return (
    <>
      <ul aria-label={t('redrives.counts')} className="grid grid-cols-2 gap-2 sm:grid-cols-3 lg:grid-cols-6">
        {REDRIVE_TURN_STATES.map((state) => {
          const { icon: Icon, ink } = LOOK[state];
          return (
            <li key={state}>
              <button
                type="button"
                aria-pressed={chosen === state}
                onClick={() => onChoose(state)}
                className="w-full rounded-lg border border-line px-3 py-2 text-left hover:bg-hover aria-pressed:border-accent aria-pressed:bg-accent-tint"
              >
                <span className="flex items-center gap-1.5 text-xs text-soft">
                  <Icon aria-hidden className={`size-3.5 shrink-0 ${ink}`} />
                  {state === 'waiting' && isOver(redrive) ? t('redrives.notBegun') : t(`redrives.turnOf.${state}`)}
                </span>
                <b className="text-xl font-semibold tabular-nums">{written(counts[state])}</b>
              </button>
            </li>
          );
        })}
      </ul>
      {why.length > 0 && (
        <p className="text-sm text-soft">
          {t('redrives.skippedFor', {
            why: why
              .map((reason) => `${t(`redrives.why.${reason}`)} ${written(redrive.progress.skipped[reason])}`)
              .join(' · '),
          })}
        </p>
      )}
    </>
  );
}
