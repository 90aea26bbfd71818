import type { TurnEnding } from '../domain/turn.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';

/** One line and one count a turn, by the process that ended it. */
export function tellEndings(metrics: Pick<Metrics, 'turnEnded'>, log: Logger): (ending: TurnEnding) => void {
  return (ending) => {
    metrics.turnEnded(ending);
    log.info(ending, 'turn ended');
  };
}
