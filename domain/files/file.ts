import type { Encoding } from '../model.ts';
import { imageTokens, type Vision } from './vision.ts';

/** What a person may attach to a question: an image that a model looks at, or a text that it reads. */
export const IMAGE_TYPES = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'] as const;
export const FILE_TYPES = [...IMAGE_TYPES, 'text/plain'] as const;
export type FileType = (typeof FILE_TYPES)[number];

export const FILE_LIMITS = {
  /** Of one file, as it is sent. */
  bytes: 5 * 1_024 * 1_024,
  /** Code points of a text. */
  characters: 100_000,
  /** Of one side of an image, and in all. */
  side: 16_000,
  pixels: 50_000_000,
  /** Code points of a name. */
  name: 120,
  /** Of one question: how many, and their bytes together. A prompt takes as many more from the earlier questions. */
  perTurn: 8,
  perTurnBytes: 10 * 1_024 * 1_024,
  /** What the smallest file counts in the bound of a person's files, so that their number has one, too. */
  leastCounted: 4 * 1_024,
  /** After so long a file that no question names is deleted. */
  unattachedHours: 24,
} as const;

/** Why a file is not taken. Each has a sentence (`domain/messages.ts`). */
export const FILE_REFUSALS = ['empty', 'type', 'broken', 'animated', 'pixels', 'text'] as const;
export type FileRefusal = (typeof FILE_REFUSALS)[number];

/** A file as admission and the prompt need it. */
export interface AttachedFile {
  readonly fileId: string;
  readonly mediaType: FileType;
  readonly name: string;
  readonly bytes: number;
  /** Of an image, in pixels; null for a text. */
  readonly width: number | null;
  readonly height: number | null;
  /** Tokenizer counts of a text as the model reads it, by encoding. */
  readonly textTokens: Partial<Record<Encoding, number>> | null;
  /** SHA-256 in hex of an image that is kept in the S3 store; null: its bytes are in PostgreSQL. */
  readonly objectHash: string | null;
}

/** A text as the model reads it. */
export function textForModel(name: string, text: string): string {
  return `<file name=${JSON.stringify(name)}>\n${text}\n</file>`;
}

/** Whether a model sees a file: a text is read by every one. */
export function isSeenBy({ vision }: { readonly vision: Vision | null }, file: Pick<AttachedFile, 'width'>): boolean {
  return file.width === null || vision !== null;
}

/** The tokens of a file in the prompt of a model that sees it; null for a text that nobody counted in its encoding. */
export function tokensOfFile(
  { width, height, textTokens }: Pick<AttachedFile, 'width' | 'height' | 'textTokens'>,
  { vision, encoding }: { readonly vision: Vision | null; readonly encoding: Encoding },
): number | null {
  if (width === null || height === null) return textTokens?.[encoding] ?? null;
  if (vision === null) throw new Error('a model without a rule sees no image');
  return imageTokens(vision, { width, height });
}
