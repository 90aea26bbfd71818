import { readableText, decodeDeltas } from '../../domain/choice.ts';
import type { EventId, ReadEvent, TurnEvent } from '../../domain/stream-events.ts';
import type { TurnRecord } from '../../domain/turn.ts';
import { followTurn } from '../../platform/streams/follow.ts';
import type { ApiDeps, Caller } from '../context.ts';
import { EventStream } from '../http/event-stream.ts';
import { presentTurn } from '../present/turn.ts';
import { secondsSinceReceived, streamBegan } from '../http/request-metrics.ts';
import type { TurnBody } from '../wire/turn.ts';
import { getTurn, type TurnProgress } from './progress.ts';

/**
 * Sends a turn's events from `lastEventId` to its ending. The turn must be held or ended.
 * @param from.sent whether this request started the turn. Then the time until its first delta is the service's, and is
 *   measured.
 */
export async function streamTurn(
  deps: ApiDeps,
  caller: Caller,
  turn: TurnRecord,
  from: { lastEventId: EventId | null; sent: boolean; progress: TurnProgress },
): Promise<null> {
  const { metrics } = deps;
  const stream = new EventStream(caller.response);
  streamBegan(caller.response, metrics);
  let waiting = from.sent;
  try {
    await followTurn<TurnBody>({
      turnId: turn.turnId,
      lastEventId: from.lastEventId,
      redis: deps.redis,
      feed: deps.feed,
      signal: caller.gone,
      emit(read) {
        const event = readable(read);
        if (event === null) return;
        if (waiting && event.type === 'delta') {
          waiting = false;
          metrics.firstDelta(secondsSinceReceived(caller.response));
        }
        return stream.send({ id: event.id, event: event.type, data: event.data });
      },
      // The first look uses the turn that is known already, unless it has changed since.
      readTurn: async () =>
        snapshotOf(from.progress.takeKnown() ?? (await getTurn(deps, turn.turnId)), (record) =>
          presentTurn(record, { locale: caller.locale, models: deps.models }),
        ),
    });
  } finally {
    stream.end();
  }
  return null;
}

/** What came of a turn of the OpenAI door as people read it: its text. @returns null for what has none. */
function readable(event: ReadEvent<TurnBody>): TurnEvent<TurnBody> | null {
  if (event.type !== 'chunk') return event;
  const text = decodeDeltas(event.data.text).map(readableText).join('');
  return text === '' ? null : { ...event, type: 'delta', data: { ...event.data, text } };
}

function snapshotOf(record: TurnRecord, present: (record: TurnRecord) => TurnBody) {
  const { turnId, conversationId, model, state, attempt, streamEntries, content } = record;
  return { turnId, conversationId, model, state, attempt, streamEntries, content, turn: present(record) };
}
