import type { FileRefusal } from '../../domain/files/file.ts';

/** A file that is not taken, and why. */
export class FileRefused extends Error {
  override readonly name = 'FileRefused';
  readonly reason: FileRefusal;

  constructor(reason: FileRefusal, options?: ErrorOptions) {
    super(reason, options);
    this.reason = reason;
  }
}

/** @throws FileRefused where the bytes are not what their format says. */
export function assertWhole(isWhole: boolean): asserts isWhole {
  if (!isWhole) throw new FileRefused('broken');
}

/** Chunks or segments of one image. A large one has some hundreds, and each costs a check. */
export const MOST_PARTS = 10_000;
