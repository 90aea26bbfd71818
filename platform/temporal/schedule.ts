import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleOptions,
} from '@temporalio/client';

export type Armed = 'created' | 'updated';

/**
 * Creates a schedule, or changes the one of its id to the wanted form. A schedule past its `endAt` still exists, but
 * does not fire until it is changed. A person's pause and note stay.
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
      // The schedule was deleted between the two calls, so it is created after all. More than a few times in a row is
      // no race.
      if (!(error instanceof ScheduleNotFoundError) || tries >= 5) throw error;
    }
  }
}

/** Fires once now, after a run that may be under way. Does nothing when there is no such schedule. */
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
