/** How a provider turns an image into tokens of the prompt. */
export type Vision =
  /** `base`, and `tile` for each 512 × 512 of the image, shrunk into 2048 × 2048 and to a short side of 768. */
  | { readonly rule: 'tiles'; readonly base: number; readonly tile: number }
  /** A number of thousandths of a token for each square of 32 pixels, of which there are at most `most`. */
  | { readonly rule: 'patches'; readonly most: number; readonly thousandths: number };

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** How closely a caller of the OpenAI door wants an image looked at. `auto` and none may be `high`. */
export const DETAILS = ['auto', 'low', 'high'] as const;
export type Detail = (typeof DETAILS)[number];

const tiles = (base: number, tile: number): Vision => ({ rule: 'tiles', base, tile });
const patches = (thousandths: number): Vision => ({ rule: 'patches', most: 1_536, thousandths });

/**
 * The rules that OpenAI publishes, by model, at https://platform.openai.com/docs/guides/images-vision (Calculating
 * costs). A model without a row sees nothing, unless its catalogue entry says how its provider counts.
 */
const PUBLISHED: Readonly<Record<string, Vision>> = {
  'gpt-4o': tiles(85, 170),
  'gpt-4o-mini': tiles(2_833, 5_667),
  'gpt-4.1': tiles(85, 170),
  'gpt-4.1-mini': patches(1_620),
  'gpt-4.1-nano': patches(2_460),
  'gpt-5': tiles(70, 140),
  'gpt-5-chat-latest': tiles(70, 140),
  'gpt-5-mini': patches(1_620),
  'gpt-5-nano': patches(2_460),
  o1: tiles(75, 150),
  'o1-pro': tiles(75, 150),
  o3: tiles(75, 150),
  'o4-mini': patches(1_720),
};

/** @returns the published rule of a model, or of a dated version of it (`gpt-4o-2024-08-06`); null: there is none. */
export function publishedVision(name: string): Vision | null {
  const plain = name.replace(/-\d{4}-\d{2}-\d{2}$/, '');
  return Object.hasOwn(PUBLISHED, plain) ? (PUBLISHED[plain] ?? null) : null;
}

/** The tokens of one image, at most: rules of patches take no heed of `detail`. */
export function imageTokens(vision: Vision, size: Size, detail: Detail = 'high'): number {
  if (vision.rule === 'patches') return Math.ceil((patchesOf(size, vision.most) * vision.thousandths) / 1_000);
  return detail === 'low' ? vision.base : vision.base + vision.tile * tilesOf(size);
}

const TILE = 512;

/** An image is shrunk, never enlarged. */
function tilesOf({ width, height }: Size): number {
  const inSquare = Math.min(1, 2_048 / Math.max(width, height));
  const shrunk = inSquare * Math.min(1, 768 / (inSquare * Math.min(width, height)));
  return Math.ceil(whole((width * shrunk) / TILE)) * Math.ceil(whole((height * shrunk) / TILE));
}

const PATCH = 32;

/** An image of more than `most` patches is shrunk so that whole patches cover one of its sides. */
function patchesOf({ width, height }: Size, most: number): number {
  const needed = Math.ceil(width / PATCH) * Math.ceil(height / PATCH);
  if (needed <= most) return needed;
  const shrink = Math.sqrt((PATCH * PATCH * most) / (width * height));
  const [across, down] = [(width * shrink) / PATCH, (height * shrink) / PATCH];
  const fit = Math.min(fitting(across), fitting(down));
  return Math.min(most, Math.ceil(whole(across * fit)) * Math.ceil(whole(down * fit)));
}

/** By how much a side has to shrink further, to be covered by whole patches. One of less than a patch has one. */
function fitting(side: number): number {
  return side < 1 ? 1 : Math.floor(side) / side;
}

/** Without the last digits of a division, which would make one patch more of a side that ends where a patch does. */
function whole(side: number): number {
  return Math.round(side * 1e6) / 1e6;
}
