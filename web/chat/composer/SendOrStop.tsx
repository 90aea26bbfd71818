import { ArrowUp, Square } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Button } from '../../ui/Button.tsx';
import { useSettled } from './use-settled.ts';
import type { LiveTurn } from '../turns/turn-state.ts';

/**
 * Both buttons have the same place. When one has taken the other's, it does nothing for so long: the second click of a
 * double click would stop the question that the first one sent, or send what is being written.
 */
const CHANGES_AFTER_MS = 500;

export function SendOrStop({
  running,
  ready,
  onStop,
}: {
  running: LiveTurn | null;
  ready: boolean;
  onStop: (turnId: string) => void;
}) {
  const { t } = useTranslation('chat');
  const runs = running !== null;
  const settled = useSettled(runs, CHANGES_AFTER_MS) === runs;
  if (running === null || (!settled && !running.stopping))
    return (
      <Button
        type="submit"
        look="primary"
        size="icon"
        className="ml-auto shrink-0 rounded-xl"
        disabled={!ready || !settled}
        aria-label={t('send')}
      >
        <ArrowUp aria-hidden className="size-5" />
      </Button>
    );
  return (
    <Button
      size="small"
      className="ml-auto h-9 shrink-0 rounded-xl px-2.5 pointer-coarse:h-11 pointer-coarse:min-w-11"
      disabled={running.stopping}
      aria-label={running.stopping ? t('stopping') : t('stop')}
      aria-keyshortcuts="Escape"
      onClick={() => onStop(running.turnId)}
    >
      <Square aria-hidden className={`size-3.5 fill-current ${running.stopping ? 'animate-pulse-soft' : ''}`} />
      {running.stopping && t('stopping')}
    </Button>
  );
}
