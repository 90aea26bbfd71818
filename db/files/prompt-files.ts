import { textForModel, type AttachedFile } from '../../domain/files/file.ts';
import type { TextPart } from '../../domain/usage.ts';
import type { Sql } from '../database.ts';
import { getContent } from './files.ts';

/** An image of the prompt whose bytes are still where files are kept. */
export interface StoredImage {
  readonly type: 'stored_image';
  readonly file: Pick<AttachedFile, 'fileId' | 'mediaType' | 'bytes' | 'objectHash'>;
}

/** A question as it is read: parts only where it shows an image. */
export type StoredContent = string | readonly (TextPart | StoredImage)[];

/** What was asked: texts that are attached come first, then the question, then the images. */
export class Asked {
  #text = '';
  readonly #images: StoredImage[] = [];

  get isEmpty(): boolean {
    return this.#text === '';
  }

  async add(on: Sql, question: string, files: readonly AttachedFile[]): Promise<void> {
    if (this.#text !== '') this.#text += '\n\n';
    for (const file of files) {
      if (file.width === null) this.#text += `${await textOfFile(on, file)}\n\n`;
      else this.#images.push({ type: 'stored_image', file });
    }
    this.#text += question;
  }

  content(): StoredContent {
    return this.#images.length === 0 ? this.#text : [{ type: 'text', text: this.#text }, ...this.#images];
  }
}

/** A text as the model reads it. */
export async function textOfFile(on: Sql, { fileId, name }: Pick<AttachedFile, 'fileId' | 'name'>): Promise<string> {
  return textForModel(name, (await getContent(on, fileId)).toString('utf8'));
}
