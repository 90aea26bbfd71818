import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../ui/Button.tsx';
import type { NewEndpoint } from './webhooks.ts';

type Event = NewEndpoint['events'][number];

const EVENTS = [
  'usage.alert',
  'usage.reset',
  'usage.report',
  'purchase.deposit',
  'purchase.paid',
  'purchase.failed',
  'purchase.refunded',
  'topup.declined',
  'topup.paused',
  'topup.reminder',
] as const satisfies readonly Event[];

/** A new endpoint. Admins may have one that hears of all accounts. */
export function EndpointForm({
  mayOperate,
  busy,
  onSubmit,
}: {
  mayOperate: boolean;
  busy: boolean;
  onSubmit: (made: NewEndpoint, done: () => void) => void;
}) {
  const { t } = useTranslation('preferences');
  const [url, setUrl] = useState('');
  const [operates, setOperates] = useState(false);
  const [events, setEvents] = useState<ReadonlySet<Event>>(new Set(['usage.alert']));
  const offered: readonly Event[] = operates ? [...EVENTS, 'turn.failed'] : EVENTS;
  const chosen = offered.filter((event) => events.has(event));
  const toggle = (event: Event) => {
    const next = new Set(events);
    if (!next.delete(event)) next.add(event);
    setEvents(next);
  };
  const submit = (submitted: FormEvent<HTMLFormElement>) => {
    submitted.preventDefault();
    onSubmit({ url, events: chosen, scope: operates ? 'operator' : 'account' }, () => setUrl(''));
  };
  return (
    <form onSubmit={submit} className="grid grid-cols-1 gap-3">
      <div>
        <label htmlFor="hook-url" className="mb-2 block font-medium">
          {t('hooks.url')}
        </label>
        <div className="flex gap-2">
          <input
            id="hook-url"
            type="url"
            required
            maxLength={2_000}
            placeholder="https://"
            value={url}
            onChange={(event) => setUrl(event.target.value)}
            className="h-10 min-w-0 flex-1 rounded-lg border border-line bg-raised px-3"
          />
          <Button type="submit" disabled={url === '' || chosen.length === 0 || busy}>
            {t('hooks.add')}
          </Button>
        </div>
      </div>
      <fieldset className="min-w-0">
        <legend className="mb-1 text-sm text-faint">{t('hooks.events')}</legend>
        <div className="grid grid-cols-1 gap-x-4 sm:grid-cols-2">
          {offered.map((event) => (
            // Its name is what the server is sent; what that means is told beside it.
            <div key={event} className="flex min-h-9 flex-wrap items-center gap-x-2">
              <label className="flex min-h-9 items-center gap-2.5">
                <input
                  type="checkbox"
                  checked={events.has(event)}
                  onChange={() => toggle(event)}
                  aria-describedby={`hook-${event}`}
                  className="size-4 accent-accent-fill"
                />
                <code className="text-sm">{event}</code>
              </label>
              <span id={`hook-${event}`} className="text-xs text-faint">
                {t(event === 'turn.failed' ? 'hooks.turnFailed' : `mail.kind.${event}`)}
              </span>
            </div>
          ))}
        </div>
      </fieldset>
      {mayOperate && (
        <label className="flex min-h-9 items-center gap-2.5">
          <input
            type="checkbox"
            checked={operates}
            onChange={(event) => setOperates(event.target.checked)}
            className="size-4 accent-accent-fill"
          />
          {t('hooks.operator')}
        </label>
      )}
    </form>
  );
}
