/** Code points of a message, as the API takes them. */
const LONGEST_MESSAGE = 32_000;

export function isTooLong(message: string): boolean {
  return message.length > LONGEST_MESSAGE && [...message].length > LONGEST_MESSAGE;
}
