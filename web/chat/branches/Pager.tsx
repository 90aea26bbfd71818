import { ChevronLeft, ChevronRight } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Message } from '../transcript/rows.ts';
import { useShowBranch } from '../transcript/use-transcript.ts';
import { Tool } from './Tool.tsx';
import { lastTurned, turnTo } from './turned.ts';

const STEPS = [
  ['previous', 'previousTurnId', ChevronLeft],
  ['next', 'nextTurnId', ChevronRight],
] as const;

/** Goes through the questions asked at one place, or the answers to one question. A single one has no pager. */
export function Pager({
  message: { turnId, branch },
  conversationId,
  of,
}: {
  message: Message;
  conversationId: string;
  of: 'questions' | 'answers';
}) {
  const { t } = useTranslation('chat');
  const show = useShowBranch();
  const group = useRef<HTMLDivElement>(null);
  const [failed, setFailed] = useState(false);
  const place = branch[of];
  // What was turned to has other buttons than what it took the place of: the focus goes on from the same one.
  useEffect(() => {
    const turned = lastTurned();
    if (turned?.turnId !== turnId || turned.of !== of) return;
    turnTo(null);
    group.current?.querySelector<HTMLElement>(`[data-to="${turned.to}"]`)?.focus();
  }, [turnId, of]);
  if (place.count < 2) return null;
  return (
    <div
      ref={group}
      role="group"
      aria-label={t(`versions.${of}`, { number: place.number, count: place.count })}
      className="flex items-center"
    >
      {STEPS.map(([to, target, icon], i) => {
        const other = place[target];
        return (
          <div key={to} className="flex items-center">
            {i === 1 && (
              <span aria-hidden className="text-xs text-soft tabular-nums">
                {place.number} / {place.count}
              </span>
            )}
            <Tool
              icon={icon}
              label={t(`versions.${to}.${of}`)}
              off={other === null}
              data-to={to}
              onPress={() => {
                if (other === null) return;
                setFailed(false);
                turnTo({ turnId: other, of, to });
                show(conversationId, other).catch(() => {
                  turnTo(null);
                  setFailed(true);
                });
              }}
            />
          </div>
        );
      })}
      {failed && (
        <span role="alert" className="text-xs text-bad">
          {t('versions.failed')}
        </span>
      )}
    </div>
  );
}
