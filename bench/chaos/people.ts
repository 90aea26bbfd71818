import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Door, type Answer } from './door.ts';
import { questionOf } from './question.ts';
import type { Random } from './random.ts';
import { AskedTurn, type Ending, type ToldGrant } from './told.ts';

/** How often each operation is done. */
const OPERATIONS = {
  stream: 24,
  json: 14,
  async: 12,
  resend: 12,
  otherBody: 3,
  stop: 9,
  retry: 8,
  replay: 4,
  grant: 4,
  reverse: 3,
  look: 12,
} as const;
type Operation = keyof typeof OPERATIONS;

/** What all people did and were told. */
export class Happenings {
  readonly turns = new Map<string, AskedTurn>();
  readonly grants: ToldGrant[] = [];
  /** Answers by operation and status. */
  readonly statuses = new Map<string, number>();
  readonly findings: string[] = [];

  count(operation: string, { status, body }: Answer): void {
    const name = `${operation} ${status === 0 ? 'no answer' : status}`;
    this.statuses.set(name, (this.statuses.get(name) ?? 0) + 1);
    // A client's mistake is a 4xx; what is away is a 503.
    if (status === 500)
      this.findings.push(`no request is answered by a 500: ${operation}, request ${String(body['requestId'])}`);
    // More than what is left of a grant cannot be taken back; nothing else that is asked here is a mistake.
    if (status === 400 && operation !== 'reverse')
      this.findings.push(`no request here is a mistake: ${operation} was answered by a 400, ${JSON.stringify(body)}`);
  }
}

/** One person, with two things on their mind at once; some of what they do an admin does for them. */
export class ChaosPerson {
  readonly #userId: number;
  readonly #door: Door;
  readonly #admin: Door;
  readonly #record: Happenings;
  readonly #random: Random;
  readonly #turns: AskedTurn[] = [];
  readonly #grants: ToldGrant[] = [];

  constructor(
    { userId, token }: { userId: number; token: string },
    { admin, urls, record, random }: { admin: string; urls: readonly string[]; record: Happenings; random: Random },
  ) {
    this.#userId = userId;
    this.#random = random;
    this.#record = record;
    this.#door = new Door(token, () => random.pick(urls));
    this.#admin = new Door(admin, () => random.pick(urls));
  }

  async act(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      await this.#do(this.#random.weighted(OPERATIONS)).catch((error: unknown) => {
        this.#record.findings.push(error instanceof Error ? error.message : String(error));
      });
      await sleep(this.#random.whole(100, 1_500));
    }
  }

  async #do(operation: Operation): Promise<void> {
    if (operation === 'stream' || operation === 'json' || operation === 'async')
      return this.#send(this.#ask(), operation);
    if (operation === 'grant') return this.#grant();
    if (operation === 'reverse') return this.#reverse();
    if (operation === 'look') return this.#look();
    if (this.#turns.length === 0) return;
    const turn = this.#random.pick(this.#turns.slice(-8));
    const path = `/api/chat/turns/${turn.turnId}`;
    switch (operation) {
      case 'resend':
        return this.#send(turn, this.#random.pick(['stream', 'json', 'async'] as const), 'resend');
      case 'otherBody':
        return this.#run(turn, 'otherBody', () =>
          this.#door.call('POST', '/api/chat/send', { ...turn.body, maxOutputTokens: 333 }, turn.headers),
        );
      case 'stop':
        return this.#record.count('stop', await this.#door.call('POST', `${path}/stop`));
      case 'retry':
        return this.#run(turn, 'retry', () => this.#door.call('POST', `${path}/retry`));
      case 'replay':
        return this.#run(turn, 'replay', () =>
          this.#admin.call('POST', `/api/admin/turns/${turn.turnId}/replay`, { reason: 'chaos' }),
        );
    }
  }

  /** A new question, alone or in a conversation. */
  #ask(): AskedTurn {
    const turnId = randomUUID();
    const conversations = this.#turns.flatMap(({ conversationId }) => conversationId ?? []);
    const turn = new AskedTurn(
      turnId,
      {
        turnId,
        message: questionOf(this.#random),
        maxOutputTokens: this.#random.whole(80, 400),
        ...(conversations.length > 0 && this.#random.chance(0.4)
          ? { conversationId: this.#random.pick(conversations.slice(-4)) }
          : {}),
      },
      this.#random.chance(0.2) ? { 'idempotency-key': `key-${turnId}` } : {},
    );
    this.#turns.push(turn);
    this.#record.turns.set(turnId, turn);
    return turn;
  }

  #send(turn: AskedTurn, how: 'stream' | 'json' | 'async', as: string = how): Promise<void> {
    const { turnId, body, headers } = turn;
    const path = '/api/chat/send';
    return this.#run(turn, as, () =>
      how === 'stream'
        ? this.#door.stream(path, { turnId, body, headers })
        : this.#door.call('POST', path, body, { ...headers, ...(how === 'async' ? { prefer: 'respond-async' } : {}) }),
    );
  }

  /** A request that may make the turn run. */
  async #run(turn: AskedTurn, as: string, request: () => Promise<Answer>): Promise<void> {
    turn.asks += 1;
    turn.asking += 1;
    let answer: Answer = { status: 0, body: {} };
    try {
      answer = await request();
    } finally {
      if (answer.status === 0 || answer.status >= 500 || answer.status === 429)
        turn.isUnclear ||= !('retryable' in answer.body);
      turn.isTaken ||= answer.isTaken === true || answer.status === 202;
      const { conversationId } = answer.body;
      if (typeof conversationId === 'string') turn.conversationId = conversationId;
      const ending = endingOf(answer);
      if (ending !== null) turn.tell(ending);
      turn.asking -= 1;
    }
    this.#record.count(as, answer);
  }

  async #grant(): Promise<void> {
    const [key, tokens] = [`grant-${randomUUID()}`, this.#random.whole(1, 400)];
    await this.#book('grant', `/api/admin/users/${this.#userId}/grants`, key, tokens, (grant) =>
      this.#grants.push(grant),
    );
  }

  async #reverse(): Promise<void> {
    if (this.#grants.length === 0) return;
    const grant = this.#random.pick(this.#grants);
    const tokens = this.#random.whole(1, grant.tokens);
    await this.#book('reverse', `/api/admin/grants/${grant.entryId}/reversals`, `reverse-${randomUUID()}`, tokens);
  }

  /** Sent again with its key, three times at most, where nobody knows whether it was booked. */
  async #book(
    as: string,
    path: string,
    key: string,
    tokens: number,
    onBooked: (grant: ToldGrant) => void = () => {},
  ): Promise<void> {
    for (let tries = 0; tries < 3; tries += 1) {
      const answer = await this.#admin.call('POST', path, { tokens, reason: 'chaos' }, { 'idempotency-key': key });
      this.#record.count(as, answer);
      if (answer.status === 201) {
        const told = { key, entryId: Number(answer.body['entryId']), tokens };
        this.#record.grants.push(told);
        return onBooked(told);
      }
      if (answer.status !== 0 && answer.status < 500) return;
      await sleep(1_000);
    }
  }

  async #look(): Promise<void> {
    const turn = this.#turns.length === 0 ? null : this.#random.pick(this.#turns.slice(-20));
    const path = this.#random.pick([
      '/api/ai-usage',
      '/api/ai-usage/history?by=turn',
      '/api/ai-usage/history?by=day',
      '/api/conversations',
      '/api/notifications',
      '/api/me',
      ...(turn === null ? [] : [`/api/chat/turns/${turn.turnId}`, `/api/chat/turns/${turn.turnId}`]),
      ...(turn?.conversationId == null ? [] : [`/api/conversations/${turn.conversationId}/messages`]),
    ]);
    const answer = await this.#door.call('GET', path);
    this.#record.count('look', answer);
    const ending = path.startsWith('/api/chat/turns/') ? endingOf(answer) : null;
    // What a look says of a failure is no answer to whoever asked: it may be asked for again at that moment.
    if (ending !== null && (ending.state === 'completed' || ending.state === 'stopped')) turn?.tell(ending);
  }
}

/** The ending that an answer tells; null when it tells none. */
function endingOf({ status, body }: Answer): Ending | null {
  const { state, content, usage } = body;
  if (status === 200 && (state === 'completed' || state === 'stopped'))
    return { state, content: typeof content === 'string' ? content : '', debitedTokens: debitedIn(usage) };
  if (status === 200 && (state === 'failed' || state === 'refused')) return { state, content: '', debitedTokens: 0 };
  if (status === 402 && !('retryable' in body)) return { state: 'refused', content: '', debitedTokens: 0 };
  if (status >= 400 && 'retryable' in body) return { state: 'failed', content: '', debitedTokens: 0 };
  return null;
}

function debitedIn(usage: unknown): number {
  return typeof usage === 'object' && usage !== null && 'debitedTokens' in usage ? Number(usage.debitedTokens) : 0;
}
