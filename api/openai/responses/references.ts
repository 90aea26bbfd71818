import { findOwnAnswers, type OwnAnswer } from '../../../db/turns/prompts.ts';
import { AppError } from '../../../domain/errors.ts';
import type { ApiDeps, Caller } from '../../context.ts';
import type { InputItem } from '../../wire/responses.ts';
import { invalid } from '../refusals.ts';
import type { Resolve } from './input.ts';

/** Ids of the items of a turn's answer. They say which turn, so that an item is found again while its text is kept. */
export const ITEM_IDS = {
  response: (turnId: string) => `resp_${turnId}`,
  message: (turnId: string) => `msg_${turnId}`,
  call: (turnId: string, index: number) => `fc_${turnId}_${index}`,
};

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const ITEM = new RegExp(`^(?:msg_(?<message>${UUID})|fc_(?<call>${UUID})_(?<index>\\d{1,3}))$`);

/** As much text as a body may have: a hundred ids of one long answer are short, and what they name is not. */
const MOST_TEXT = 1_048_576;

/**
 * Clients that think that answers are kept (the AI SDK's default) send the id of an earlier item in place of the item.
 * Only the person's own answers are found, for as long as `API_TEXT_RETENTION` keeps them.
 */
export function resolveReferences(deps: ApiDeps, { principal: { userId } }: Caller): Resolve {
  return async (references) => {
    const named = references.map(({ id, at }) => {
      const { message, call, index } = ITEM.exec(id)?.groups ?? {};
      return { at, turnId: message ?? call ?? null, index };
    });
    const turnIds = [...new Set(named.flatMap(({ turnId }) => turnId ?? []))];
    const answers = await findOwnAnswers(deps.database.sql, { turnIds, userId });
    let left = MOST_TEXT;
    return named.map(({ at, turnId, index }) => {
      const answer = turnId === null ? undefined : answers.get(turnId);
      const item = answer === undefined ? null : index === undefined ? said(answer) : called(answer, Number(index));
      if (item === null) throw invalid(`${at}.id`, GONE);
      left -= JSON.stringify(item).length;
      if (left < 0) throw new AppError('payload_too_large', { mostBytes: MOST_TEXT });
      return item;
    });
  };
}

const GONE = 'names no item that is still kept: send the item itself (AI SDK: providerOptions.openai.store = false)';

function said({ content, refusal }: OwnAnswer): InputItem {
  const parts = [
    ...(content === '' && refusal !== null ? [] : [{ type: 'output_text' as const, text: content }]),
    ...(refusal === null ? [] : [{ type: 'refusal' as const, refusal }]),
  ];
  return { type: 'message', role: 'assistant', content: parts };
}

function called({ calls }: OwnAnswer, index: number): InputItem | null {
  const call = calls[index];
  return call === undefined
    ? null
    : { type: 'function_call', call_id: call.id, name: call.name, arguments: call.arguments };
}
