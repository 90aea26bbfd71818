import type { ApiPrompt } from '../../domain/api-prompt.ts';
import type { ChoiceDelta } from '../../domain/choice.ts';
import type { TurnRecord } from '../../domain/turn.ts';
import type { Answered } from './present.ts';

/** What is read of a request's body, whatever protocol it came in. */
export interface OpenAiRequest {
  readonly model: string;
  readonly prompt: ApiPrompt;
  readonly streamed: boolean;
  /** The limit that was asked for; null: the model's default. */
  readonly askedOutput: number | null;
  /** Whom the client asks for, in its own words. */
  readonly label: string | null;
  readonly bodyHash: Buffer;
  readonly protocol: Protocol;
}

/** How a turn is answered in one of OpenAI's protocols. */
export interface Protocol {
  /** The body of a whole answer. */
  whole(answered: Answered): object;
  stream(turn: TurnRecord): Voice;
}

/** What a stream says, in order. Each call returns the events that follow from it. */
export interface Voice {
  /** @param first what comes next, if it is known. */
  begin(first: ChoiceDelta | null): Said[];
  delta(delta: ChoiceDelta): Said[];
  /**
   * That the answer goes on, while nothing of it comes. It is an event of the protocol and no comment: older decoders
   * of openai-go take a comment for an empty event and end the stream, and a client's own time limits pass comments
   * over.
   */
  wait(): Said[];
  /** The last words of a whole answer. */
  finish(answered: Answered): Said[];
  /** The last word of a stream that brings none. @param body the error as a request would get it. */
  fail(body: object): Said[];
}

export interface Said {
  /** The event's name, where the protocol has one. */
  readonly event?: string;
  /** JSON, or a word. */
  readonly data: string;
}
