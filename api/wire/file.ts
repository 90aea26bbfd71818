import { z } from 'zod';
import { FILE_TYPES } from '../../domain/files/file.ts';
import { instant, uuid } from './fields.ts';

export const file = z
  .object({
    fileId: uuid,
    name: z.string().meta({ description: 'One line, with the ending of what the file is' }),
    mediaType: z.enum(FILE_TYPES),
    bytes: z.int().min(1).meta({ description: 'Of what is kept: without metadata, a text in UTF-8' }),
    width: z.int().min(1).nullable().meta({ description: 'Of an image, in pixels; null for a text' }),
    height: z.int().min(1).nullable(),
    createdAt: instant,
  })
  .meta({ id: 'File' });

export const uploadQuery = z.strictObject({
  name: z.string().max(1_000).default('').meta({
    description: 'What the file is called; its last part counts, without what nobody sees',
    example: 'bill.jpg',
  }),
});

/** A file as the question shows it. */
export const shownFile = file.omit({ createdAt: true }).meta({ id: 'ShownFile' });
