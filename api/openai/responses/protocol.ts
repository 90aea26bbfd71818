import type { ResponseBody } from '../../wire/responses.ts';
import type { Protocol } from '../protocol.ts';
import { itemsOf, presentResponse } from './present.ts';
import { ResponseVoice } from './voice.ts';

/** `/v1/responses`: a response, or the events of its making. */
export function responsesProtocol(body: ResponseBody): Protocol {
  return {
    whole: (answered) => presentResponse(body, answered, itemsOf(answered)),
    stream: (turn) => new ResponseVoice(body, turn),
  };
}
