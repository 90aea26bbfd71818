/** What a model looks at is no larger, so more would only take longer to send. */
const LONGEST_SIDE = 2_048;
/** A picture of fewer bytes is sent as it is, unless it has too many pixels. */
const SMALL_BYTES = 1_500_000;
const SHRUNK = /^image\/(png|jpeg|webp)$/;

/**
 * A photo as a model looks at it: upright, of at most 2,048 pixels a side, and without what the camera noted. Anything
 * else is sent as it is, and the server decides.
 */
export async function shrink(file: File): Promise<Blob> {
  if (!SHRUNK.test(file.type)) return file;
  const picture = await createImageBitmap(file, { imageOrientation: 'from-image' }).catch(() => null);
  if (picture === null) return file;
  try {
    const { width, height } = picture;
    const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height));
    if (scale === 1 && file.size <= SMALL_BYTES && file.type !== 'image/jpeg') return file;
    const canvas = document.createElement('canvas');
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    const context = canvas.getContext('2d');
    if (context === null) return file;
    if (file.type !== 'image/png') {
      // A JPEG has no glass: what is seen through becomes paper.
      context.fillStyle = '#fff';
      context.fillRect(0, 0, canvas.width, canvas.height);
    }
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const type = file.type === 'image/png' && file.size <= SMALL_BYTES ? 'image/png' : 'image/jpeg';
    const shrunk = await new Promise<Blob | null>((done) => canvas.toBlob(done, type, 0.88));
    return shrunk ?? file;
  } finally {
    picture.close();
  }
}
