import { metricMeter, workflowInfo } from '@temporalio/workflow';

/**
 * A firing that is later than this is a backfill: its nominal time lies in the past on purpose, so it says nothing
 * about lag.
 */
const LONGEST_LAG_SECONDS = 3_600;

/**
 * Records how late a schedule fired, and when. Every workflow that a schedule starts calls it first. The SDK does not
 * record again in a replay.
 */
export function recordFiring(): void {
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
