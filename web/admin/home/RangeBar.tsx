import { useTranslation } from 'react-i18next';
import { Filters, TextFilter } from '../Fields.tsx';
import { useAddress } from '../use-address.ts';
import { RANGES, type DayRange } from './range.ts';

/** Which days the home shows. The address keeps it. */
export function RangeBar({ range }: { range: DayRange }) {
  const { t } = useTranslation('admin-home');
  const [, setAddress] = useAddress();
  return (
    <div className="mb-6">
      <div role="group" aria-label={t('range.label')} className="mb-3 flex flex-wrap gap-2">
        {RANGES.map((name) => (
          <button
            key={name}
            type="button"
            aria-pressed={name === range.name}
            onClick={() =>
              setAddress(
                name === 'custom'
                  ? { range: name, from: range.from, to: range.to }
                  : { range: name, from: undefined, to: undefined },
                { keep: true },
              )
            }
            className="min-h-9 rounded-full border border-line bg-raised px-3.5 py-1 text-sm hover:bg-hover aria-pressed:border-accent aria-pressed:bg-accent-tint aria-pressed:text-accent"
          >
            {t(`range.of.${name}`)}
          </button>
        ))}
      </div>
      {range.name === 'custom' && (
        <Filters>
          <TextFilter name="from" type="date" label={t('range.from')} />
          <TextFilter name="to" type="date" label={t('range.to')} />
        </Filters>
      )}
    </div>
  );
}
