import { FILE_REFUSALS, type FileRefusal } from './file.ts';

/** What people read when a file cannot be taken, shown or counted. */
export const FILE_SENTENCES = {
  file_refused: {
    ko: '이 파일은 첨부할 수 없습니다.',
    en: 'This file can’t be attached.',
  },
  file_quota_reached: {
    ko: '보관 중인 첨부 파일이 너무 많습니다. 파일이 있는 대화를 삭제한 뒤 다시 시도해 주세요.',
    en: 'Your attached files take up too much space; delete a conversation with files and try again.',
  },
  file_not_found: {
    ko: '첨부한 파일이 더 이상 없습니다. 다시 첨부해 주세요.',
    en: 'An attached file is no longer there; attach it again.',
  },
  file_attached: {
    ko: '이미 보낸 질문의 파일입니다. 대화를 삭제하면 함께 지워집니다.',
    en: 'A message shows this file; it goes when its conversation is deleted.',
  },
  model_sees_no_images: {
    ko: '이 모델은 이미지를 볼 수 없습니다. 다른 모델을 고르거나 이미지를 빼 주세요.',
    en: 'This model can’t see images; choose another model, or leave the images out.',
  },
} as const;

const REFUSED = {
  empty: { ko: '빈 파일은 첨부할 수 없습니다.', en: 'An empty file can’t be attached.' },
  type: {
    ko: 'PNG, JPEG, WebP, GIF 이미지와 텍스트 파일만 첨부할 수 있습니다.',
    en: 'Only PNG, JPEG, WebP and GIF images and text files can be attached.',
  },
  broken: {
    ko: '이미지 파일이 손상되었거나 일부만 전송되었습니다. 다른 파일로 다시 시도해 주세요.',
    en: 'The image is damaged or incomplete; try another file.',
  },
  animated: {
    ko: '움직이는 이미지는 볼 수 없습니다. 정지된 이미지로 다시 시도해 주세요.',
    en: 'Moving images can’t be seen; try again with a still one.',
  },
  pixels: {
    ko: '이미지가 너무 큽니다. 가로와 세로 16,000픽셀, 전체 5,000만 화소까지 첨부할 수 있습니다.',
    en: 'The image is too large: at most 16,000 pixels a side and 50 megapixels.',
  },
  text: {
    ko: '텍스트가 너무 깁니다. 100,000자까지 첨부할 수 있습니다.',
    en: 'The text is too long: at most 100,000 characters.',
  },
} as const satisfies Record<FileRefusal, { readonly ko: string; readonly en: string }>;

/** @param reason of the refusal's details. @returns null when it is none of ours. */
export function refusalSentence(reason: unknown, locale: 'ko' | 'en'): string | null {
  const known = FILE_REFUSALS.find((refusal) => refusal === reason);
  return known === undefined ? null : REFUSED[known][locale];
}
