import { useSyncExternalStore } from 'react';
import { liveTurns } from '../../session/keep.ts';
import type { LiveTurn } from '../turns/turn-state.ts';

/** The turn of a conversation that is running; null when none is. */
export function useRunning(conversationId: string | null): LiveTurn | null {
  const turns = liveTurns();
  const live = useSyncExternalStore(turns.subscribe, turns.list);
  return live.find((turn) => turn.conversationId === conversationId && turn.phase !== 'ended') ?? null;
}
