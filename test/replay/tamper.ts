import { attributesOf, decode, markerOf, type RecordedEvent, type RecordedHistory } from './recorded.ts';

/**
 * Changes to a recorded history, each as if other workflow code had written it; null where one does not apply. Replay
 * must refuse every one, or it would also accept wrong code.
 */
export const TAMPERS: Record<string, (history: RecordedHistory) => RecordedHistory | null> = {
  'a regular activity of another type': (history) =>
    changed(history, 'ACTIVITY_TASK_SCHEDULED', (attributes) => {
      attributes.activityType.name = 'another';
    }),
  'a local activity of another type': (history) =>
    changed(history, 'MARKER_RECORDED', (attributes) => {
      const [payload] = attributes.details.data.payloads;
      payload.data = Buffer.from(JSON.stringify({ ...decode(payload), activity_type: 'another' })).toString('base64');
    }),
  'its last local activity left out': (history) => without(history, 'MARKER_RECORDED'),
  'its search attribute left out': (history) => without(history, 'UPSERT_WORKFLOW_SEARCH_ATTRIBUTES'),
  'a failure in place of its success': (history) =>
    ended(history, 'Completed', 'Failed', { failure: { message: 'x', applicationFailureInfo: { type: 'X' } } }),
  'a success in place of its failure': (history) => ended(history, 'Failed', 'Completed', {}),
  'an end in place of its going on': (history) => ended(history, 'Continued_As_New', 'Completed', {}),
};

/** Changes the attributes of the last event of a kind. */
function changed(history: RecordedHistory, kind: string, change: (attributes: any) => void): RecordedHistory | null {
  const events = structuredClone(history.events);
  const event = lastOf(events, kind);
  if (event === undefined) return null;
  change(event[attributesOf(event)]);
  return { events };
}

/** Removes the event consistently: later events move up, and references to their ids follow. */
function without(history: RecordedHistory, kind: string): RecordedHistory | null {
  const gone = lastOf(history.events, kind);
  if (gone === undefined) return null;
  const moved = (id: string) => (Number(id) > Number(gone.eventId) ? String(Number(id) - 1) : id);
  const text = JSON.stringify(history.events.filter((event) => event !== gone));
  return {
    events: JSON.parse(text, (key, value: unknown) =>
      /eventId$/i.test(key) && typeof value === 'string' ? moved(value) : value,
    ) as RecordedEvent[],
  };
}

function ended(history: RecordedHistory, from: string, to: string, attributes: object): RecordedHistory | null {
  const events = structuredClone(history.events);
  const last = events.at(-1);
  if (last?.eventType !== `EVENT_TYPE_WORKFLOW_EXECUTION_${from.toUpperCase()}`) return null;
  const { eventId, eventTime, taskId } = last;
  const { workflowTaskCompletedEventId } = last[attributesOf(last)];
  events.splice(-1, 1, {
    eventId,
    eventTime,
    taskId,
    eventType: `EVENT_TYPE_WORKFLOW_EXECUTION_${to.toUpperCase()}`,
    [`workflowExecution${to}EventAttributes`]: { workflowTaskCompletedEventId, ...attributes },
  });
  return { events };
}

function lastOf(events: RecordedEvent[], kind: string): RecordedEvent | undefined {
  return events.findLast(
    (event) =>
      event.eventType === `EVENT_TYPE_${kind}` &&
      (kind !== 'MARKER_RECORDED' || 'activity_type' in markerOf(event[attributesOf(event)])),
  );
}
