interface Key {
  readonly isComposing: boolean;
  readonly keyCode: number;
}

/**
 * Whether the key only ends or corrects a syllable that an input method is composing. Safari ends the composition
 * before it tells of the key, which then says so by its code alone.
 */
export function isComposingKey({ isComposing, keyCode }: Key): boolean {
  return isComposing || keyCode === PROCESSED_BY_INPUT_METHOD;
}

const PROCESSED_BY_INPUT_METHOD = 229;
