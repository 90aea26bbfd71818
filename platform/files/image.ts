import type { Size } from '../../domain/files/vision.ts';

/** An image as it is kept: nothing in it but what its pixels need. */
export interface CleanImage extends Size {
  readonly bytes: Buffer;
}

/** One format of images, read by its frame alone: no pixel is decoded. */
export interface ImageFormat {
  /** Whether a file begins as this format does. */
  begins(file: Buffer): boolean;
  /**
   * The size that the header says, and the file without comments, places, thumbnails, text and whatever follows its
   * end. @throws FileRefused: it is cut off, its parts contradict each other, or it moves.
   */
  clean(file: Buffer): CleanImage;
}
