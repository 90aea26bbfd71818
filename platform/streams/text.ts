/** The text of one attempt: what has been put into entries, and what waits for the next one. */
export class TurnText {
  #given: string[] = [];
  #waiting = '';
  #bytes = 0;

  push(text: string): void {
    this.#waiting += text;
    this.#bytes += Buffer.byteLength(text);
  }

  get whole(): string {
    return this.#given.join('') + this.#waiting;
  }

  /** UTF-16 units that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** UTF-8 bytes of the whole text, waiting or not. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether `take` would return any text. */
  ready(last: boolean): boolean {
    return this.#waiting.length > 1 || (this.#waiting !== '' && (last || !endsInHalfPair(this.#waiting)));
  }

  /**
   * Takes what waits, for the next entry. Half a surrogate pair stays behind until its other half comes: alone it would
   * become U+FFFD on its way.
   * @param last nothing follows, so half a pair is taken, too.
   */
  take(last: boolean): string {
    const end = last || !endsInHalfPair(this.#waiting) ? this.#waiting.length : this.#waiting.length - 1;
    const text = this.#waiting.slice(0, end);
    this.#waiting = this.#waiting.slice(end);
    if (text !== '') this.#given.push(text);
    return text;
  }

  /** Takes the whole text up to here, for an entry that replaces all before it. */
  takeWhole(last: boolean): string {
    this.take(last);
    const whole = this.#given.join('');
    this.#given = [whole];
    return whole;
  }
}

function endsInHalfPair(text: string): boolean {
  const unit = text.charCodeAt(text.length - 1);
  return unit >= 0xd800 && unit <= 0xdbff;
}
