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
    /** When it is to be found out whether a question shows it. Null: one did at the last look. */
    lookAt: p.datetime().nullable().defaultRaw("(now() + '24:00:00'::interval)"),
    /** SHA-256 in hex of the image in the S3 store. Null: its bytes are in `file_contents`, as a text's always are. */
    objectHash: p.text().nullable(),
  },
  checks: [
    { name: 'files_have_something', expression: 'size > 0' },
    {
      name: 'files_are_images_or_texts',
      expression:
        '(width is null) = (height is null) and (width is null) <> (text_tokens is null) and width > 0 and height > 0',
    },
    {
      name: 'files_elsewhere_are_images_with_their_hash',
      expression: "object_hash is null or (width is not null and object_hash ~ '^[0-9a-f]{64}$')",
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
    { name: 'files_to_look_at', properties: ['lookAt'], where: 'look_at is not null' },
    { name: 'files_elsewhere', properties: ['id'], where: 'object_hash is not null' },
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

/**
 * Objects of the S3 store that no file names: on their way in, as long as somebody has them in a quota, or on their way
 * out. A trigger writes the row when a file goes.
 */
export const LooseObject = defineEntity({
  name: 'LooseObject',
  tableName: 'loose_objects',
  properties: {
    fileId: p.uuid().primary(),
    user: () => p.manyToOne(User).nullable().updateRule('no action').deleteRule('no action'),
    size: p.integer().nullable(),
    notedAt: p.datetime().defaultRaw('now()'),
    removeAt: p.datetime(),
  },
  checks: [
    {
      name: 'loose_objects_under_way_have_somebody_and_a_size',
      expression: '(user_id is null) = (size is null) and size > 0',
    },
  ],
  indexes: [
    { name: 'loose_objects_due', properties: ['removeAt'] },
    { name: 'loose_objects_of_user', properties: ['user'], where: 'user_id is not null' },
    { name: 'loose_objects_by_age', properties: ['notedAt'], where: 'user_id is null' },
  ],
});
export type LooseObject = InferEntity<typeof LooseObject>;
