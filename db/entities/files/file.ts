import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import type { FileType } from '../../../domain/files/file.ts';
import type { Encoding } from '../../../domain/model.ts';
import { Turn } from '../turn.ts';
import { User } from '../user.ts';

/** What a person attached, or is about to. All of it is erased with the last conversation that shows it. */
export const File = defineEntity({
  name: 'File',
  tableName: 'files',
  properties: {
    id: p.uuid().primary(),
    user: () => p.manyToOne(User).updateRule('no action').deleteRule('no action'),
    name: p.text(),
    mediaType: p.text().$type<FileType>(),
    /** Of what is kept. */
    size: p.integer(),
    // Of an image, in pixels.
    width: p.integer().nullable(),
    height: p.integer().nullable(),
    // Of a text: its tokens as the model reads it, by encoding.
    textTokens: p.json<Partial<Record<Encoding, number>>>().nullable(),
    /** SHA-256 of the name and the bytes that were sent, so that the same key with another file is seen. */
    sentHash: p.blob().$type<Buffer>(),
    idempotencyKey: p.text().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
  checks: [
    { name: 'files_have_something', expression: 'size > 0' },
    {
      name: 'files_are_images_or_texts',
      expression:
        '(width is null) = (height is null) and (width is null) <> (text_tokens is null) and width > 0 and height > 0',
    },
  ],
  uniques: [
    {
      name: 'files_idempotency_key_is_unique',
      properties: ['user', 'idempotencyKey'],
      where: 'idempotency_key is not null',
    },
  ],
  indexes: [
    { name: 'files_of_user', properties: ['user', 'createdAt'] },
    { name: 'files_by_age', properties: ['createdAt'] },
  ],
});
export type File = InferEntity<typeof File>;

/** The bytes of a file, in a table of their own: nothing that lists files reads them. */
export const FileContent = defineEntity({
  name: 'FileContent',
  tableName: 'file_contents',
  properties: {
    file: () => p.oneToOne(File).owner().primary().deleteRule('cascade').updateRule('no action'),
    content: p.blob().$type<Buffer>(),
  },
});
export type FileContent = InferEntity<typeof FileContent>;

/** Which files a question shows, in their order. */
export const TurnFile = defineEntity({
  name: 'TurnFile',
  tableName: 'turn_files',
  properties: {
    turn: () => p.manyToOne(Turn).primary().deleteRule('cascade').updateRule('no action'),
    position: p.smallint().primary(),
    file: () => p.manyToOne(File).updateRule('no action').deleteRule('no action'),
  },
  checks: [{ name: 'turn_files_have_a_place', expression: 'position >= 0' }],
  uniques: [{ name: 'turn_files_show_a_file_once', properties: ['turn', 'file'] }],
  indexes: [{ name: 'turn_files_of_file', properties: ['file'] }],
});
export type TurnFile = InferEntity<typeof TurnFile>;
