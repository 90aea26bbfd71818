import { useEffect, useState, type ReactNode, type Ref } from 'react';
import { useTranslation } from 'react-i18next';
import { useAddress } from './use-address.ts';

export const FIELD = 'h-9 min-w-0 rounded-lg border border-line bg-raised px-3 text-sm';

/** A row of filters. */
export function Filters({ children }: { children: ReactNode }) {
  return (
    <div role="search" className="mb-4 flex flex-wrap items-end gap-3">
      {children}
    </div>
  );
}

export function Labelled({ label, children }: { label: string; children: ReactNode }) {
  return (
    <label className="grid gap-1 text-xs text-faint">
      {label}
      {children}
    </label>
  );
}

/** Why an admin acts, in their own words: the audit log keeps it. */
export function ReasonField({
  value,
  onChange,
  placeholder,
  width = '',
  field,
}: {
  value: string;
  onChange: (reason: string) => void;
  placeholder?: string;
  width?: string;
  field?: Ref<HTMLInputElement>;
}) {
  const { t } = useTranslation('admin');
  return (
    <Labelled label={t('reason')}>
      <input
        ref={field}
        required
        maxLength={500}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        placeholder={placeholder ?? t('reasonHint')}
        className={`${FIELD} ${width} text-ink`}
      />
    </Labelled>
  );
}

/** A whole number, at least one: of tokens, codes, won. */
export function WholeNumberField({
  label,
  value,
  onChange,
  most,
  field,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  most?: number;
  field?: Ref<HTMLInputElement>;
}) {
  return (
    <Labelled label={label}>
      <input
        ref={field}
        type="number"
        inputMode="numeric"
        min={1}
        max={most}
        step={1}
        required
        value={value}
        onChange={(event) => onChange(event.target.value)}
        className={`${FIELD} text-ink`}
      />
    </Labelled>
  );
}

const TYPED_MS = 350;

/** A filter that is typed; it goes into the address after a pause in typing. */
export function TextFilter({
  name,
  label,
  type = 'search',
  placeholder,
  width = '',
}: {
  name: string;
  label: string;
  type?: 'search' | 'date';
  placeholder?: string;
  width?: string;
}) {
  const [address, setAddress] = useAddress();
  const known = address[name] ?? '';
  const [typed, setTyped] = useState(known);
  const [seen, setSeen] = useState(known);
  if (known !== seen) {
    setSeen(known);
    setTyped(known);
  }
  useEffect(() => {
    if (typed.trim() === known) return;
    const timer = setTimeout(() => setAddress({ [name]: typed.trim() }), TYPED_MS);
    return () => clearTimeout(timer);
  }, [typed, known, name, setAddress]);
  return (
    <Labelled label={label}>
      <input
        type={type}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        placeholder={placeholder}
        className={`${FIELD} text-ink ${width}`}
      />
    </Labelled>
  );
}

export function ChoiceFilter({
  name,
  label,
  any,
  options,
}: {
  name: string;
  label: string;
  any: string;
  options: readonly (readonly [value: string, label: string])[];
}) {
  const [address, setAddress] = useAddress();
  return (
    <Labelled label={label}>
      <select
        value={address[name] ?? ''}
        onChange={(event) => setAddress({ [name]: event.target.value })}
        className={`${FIELD} text-ink`}
      >
        <option value="">{any}</option>
        {options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </Labelled>
  );
}
