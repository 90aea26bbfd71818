/** What takes less is found out anew each time. */
const SLOW_MS = 1_000;
const KEPT_TIMES = 10;
const MOST_KEPT_MS = 600_000;

/**
 * Keeps what took long to find out for ten times as long, so that no more than a tenth of anybody's time goes into it
 * however often it is asked. What is asked while it is being found out is found once.
 * @param find must not depend on who asks.
 */
export function keepSlow<Question, Answer>(
  find: (question: Question) => Promise<Answer>,
): (question: Question) => Promise<Answer> {
  const known = new Map<string, Promise<Answer>>();
  return (question) => {
    const key = JSON.stringify(question);
    return known.get(key) ?? begin(key, question);
  };

  function begin(key: string, question: Question): Promise<Answer> {
    const began = performance.now();
    const answer = find(question);
    known.set(key, answer);
    answer.then(
      () => {
        const took = performance.now() - began;
        if (took < SLOW_MS) known.delete(key);
        else setTimeout(() => known.delete(key), Math.min(took * KEPT_TIMES, MOST_KEPT_MS)).unref();
      },
      () => known.delete(key),
    );
    return answer;
  }
}
