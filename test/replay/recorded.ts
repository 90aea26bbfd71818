import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SCENARIOS, type Scenario } from './scenarios.ts';

/** The official JSON form of a history: what `historyToJSON` and `temporal workflow show -o json` write. */
export interface RecordedHistory {
  readonly events: RecordedEvent[];
}

export interface RecordedEvent extends Record<string, any> {
  eventId: string;
  readonly eventType: string;
}

export interface Recorded {
  /** `<type>/<scenario>`. */
  readonly scenario: string;
  /** `<type>/<scenario>.<version>.json`; the version is the day and the hash of the workflow code that wrote it. */
  readonly file: string;
  readonly history: RecordedHistory;
}

const folder = join(import.meta.dirname, 'histories');

/** All scenarios by `<type>/<name>`. */
export const ALL_SCENARIOS: ReadonlyMap<string, Scenario> = new Map(
  Object.entries(SCENARIOS).flatMap(([type, scenarios]) =>
    Object.entries<Scenario>(scenarios).map(([name, scenario]) => [`${type}/${name}`, scenario]),
  ),
);

export function readRecorded(): Recorded[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => {
      const history = JSON.parse(readFileSync(join(folder, file), 'utf8')) as RecordedHistory;
      return { scenario: file.replace(/\.[^/]*$/, ''), file, history };
    });
}

export function writeRecorded({
  scenario,
  version,
  history,
}: {
  scenario: string;
  version: string;
  history: RecordedHistory;
}): string {
  const file = `${scenario}.${version}.json`;
  mkdirSync(join(folder, scenario, '..'), { recursive: true });
  // One event a line: a third of the usual size, and a change still shows where it is.
  writeFileSync(
    join(folder, file),
    `{"events":[\n${history.events.map((event) => JSON.stringify(event)).join(',\n')}\n]}\n`,
  );
  return file;
}

/**
 * What workflow code did, in order: its commands as the server recorded them. Two histories of one shape replay on the
 * same code. How workflow tasks fell (heartbeats, a cancel in between) is left out, because timing decides it.
 */
export function shapeOf({ events }: RecordedHistory): string[] {
  return events.flatMap((event) => {
    const kind = event.eventType.replace('EVENT_TYPE_', '');
    const what = COMMANDS[kind]?.(event[attributesOf(event)]);
    return what === undefined ? [] : [what === '' ? kind : `${kind} ${what}`];
  });
}

/** The events that a workflow's command makes, and what tells one from another. */
const COMMANDS: Record<string, (attributes: any) => string> = {
  ACTIVITY_TASK_SCHEDULED: ({ activityType }) => activityType.name,
  ACTIVITY_TASK_CANCEL_REQUESTED: () => '',
  MARKER_RECORDED: (attributes) =>
    `${attributes.markerName} ${markerOf(attributes).activity_type ?? markerOf(attributes).id ?? ''}`.trim(),
  TIMER_STARTED: ({ timerId }) => timerId,
  TIMER_CANCELED: ({ timerId }) => timerId,
  UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: ({ searchAttributes }) => Object.keys(searchAttributes.indexedFields).join(),
  WORKFLOW_PROPERTIES_MODIFIED: () => '',
  START_CHILD_WORKFLOW_EXECUTION_INITIATED: ({ workflowType }) => workflowType.name,
  SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: ({ signalName }) => signalName,
  WORKFLOW_EXECUTION_COMPLETED: () => '',
  WORKFLOW_EXECUTION_FAILED: ({ failure }) => failure.applicationFailureInfo?.type ?? '',
  WORKFLOW_EXECUTION_CANCELED: () => '',
  WORKFLOW_EXECUTION_CONTINUED_AS_NEW: ({ workflowType }) => workflowType.name,
};

export function attributesOf(event: RecordedEvent): string {
  const name = Object.keys(event).find((key) => key.endsWith('EventAttributes'));
  if (name === undefined) throw new Error(`event ${event.eventId} has attributes`);
  return name;
}

/** The data of a marker that the SDK itself writes: a local activity, or a patch. */
export function markerOf(attributes: any): { readonly activity_type?: string; readonly id?: string } {
  return decode((attributes.details?.data ?? attributes.details?.['patch-data'])?.payloads?.[0]) ?? {};
}

export function decode(payload: { data?: string } | undefined): any {
  return payload?.data === undefined ? null : JSON.parse(Buffer.from(payload.data, 'base64').toString());
}

export function toHistory(recorded: RecordedHistory) {
  return historyFromJSON(recorded);
}
