import { metricMeter, workflowInfo } from '@temporalio/workflow';

/** A backfill's nominal time lies in the past on purpose: later than this tells nothing about lag. */
const LONGEST_LAG_SECONDS = 3_600;

/**
 * Said first by every workflow that a schedule starts: how late it fired, and when. Counted by the SDK, which says
 * nothing again in a replay.
 */
export function noteFiring(): void {
  const { searchAttributes, startTime } = workflowInfo();
  const [nominal] = searchAttributes['TemporalScheduledStartTime'] ?? [];
  if (!(nominal instanceof Date)) return;
  const late = (startTime.getTime() - nominal.getTime()) / 1_000;
  const lag = metricMeter.createHistogram(
    'turnkeeper_schedule_lag',
    'float',
    'seconds',
    'From a schedule’s nominal time to the start of its workflow',
  );
  if (late < LONGEST_LAG_SECONDS) lag.record(Math.max(0, late));
  metricMeter
    .createGauge(
      'turnkeeper_schedule_fired_timestamp_seconds',
      'float',
      undefined,
      'When a schedule last started this workflow',
    )
    .set(startTime.getTime() / 1_000);
}
