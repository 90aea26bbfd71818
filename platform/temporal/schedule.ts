import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleOptions,
} from '@temporalio/client';

export type Armed = 'created' | 'updated';

/**
 * Creates a schedule, or brings the one of its id to the wanted form; one past its `endAt` is still there and never
 * fires again until then. A person's pause and note stay.
 */
export async function armTemporalSchedule(client: Client, schedule: ScheduleOptions): Promise<Armed> {
  for (let tries = 0; ; tries++) {
    try {
      await client.schedule.create(schedule);
      return 'created';
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    }
    try {
      const { scheduleId, memo: _memo, ...wanted } = schedule;
      await client.schedule.getHandle(scheduleId).update(({ state }) => ({ ...wanted, state }));
      return 'updated';
    } catch (error) {
      // Deleted between the two: it is created after all. More than a few times in a row is no race.
      if (!(error instanceof ScheduleNotFoundError) || tries >= 5) throw error;
    }
  }
}

/** One action now, after the one that may be running. No-op when there is no such schedule. */
export async function triggerTemporalSchedule(client: Client, scheduleId: string): Promise<void> {
  await ifThere(client.schedule.getHandle(scheduleId).trigger(ScheduleOverlapPolicy.BUFFER_ONE));
}

export async function deleteTemporalSchedule(client: Client, scheduleId: string): Promise<void> {
  await ifThere(client.schedule.getHandle(scheduleId).delete());
}

async function ifThere(work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  });
}
