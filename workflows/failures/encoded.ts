import { DefaultFailureConverter } from '@temporalio/common';

/**
 * Puts messages and stacks of failures into a payload, which a codec can encrypt. Types stay, so that queries find
 * them.
 */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
