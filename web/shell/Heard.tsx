import { useEffect, useMemo, useState } from 'react';
import { useTurnNews } from '../chat/turns/use-turn-news.ts';
import type { FeedState } from '../events/feed-connection.ts';
import { stretchesOf } from './stretches.ts';

const BETWEEN_MS = 50;

/**
 * A screen reader reads an answer when it is complete, and not while it is written. It comes in stretches, because
 * nobody sees it, and a whole one of 20 KB on one line would be laid out for longer than a frame.
 */
export function Heard({ feed }: { feed: FeedState }) {
  const answer = useTurnNews(feed);
  const stretches = useMemo(() => stretchesOf(answer), [answer]);
  const [said, setSaid] = useState({ stretches, count: 0 });
  const count = said.stretches === stretches ? said.count : 0;
  useEffect(() => {
    if (count >= stretches.length) return;
    const timer = setTimeout(() => setSaid({ stretches, count: count + 1 }), BETWEEN_MS);
    return () => clearTimeout(timer);
  }, [stretches, count]);
  return (
    <div role="status" aria-live="polite" aria-atomic="false" className="sr-only">
      {stretches.slice(0, count).map((stretch, i) => (
        <p key={i}>{stretch}</p>
      ))}
    </div>
  );
}
