import { useTranslation } from 'react-i18next';
import type { Schemas } from '../../api/schemas.ts';
import { FIELD } from '../../ui/field-look.ts';

export type RefundAccount = Schemas['RefundAccount'];

/** What is typed; the bank is none of the list at first. */
export type TypedAccount = { readonly [field in keyof RefundAccount]: string };
export const NO_ACCOUNT: TypedAccount = { bank: '', accountNumber: '', holderName: '' };

/** What is sent. Numbers are typed as they stand on a bank book, with dashes. */
export function accountOf({ bank, accountNumber, holderName }: TypedAccount): RefundAccount {
  return {
    bank: bank as RefundAccount['bank'],
    accountNumber: accountNumber.replaceAll(/[\s-]/g, ''),
    holderName: holderName.trim(),
  };
}

/** Where a deposit is paid back to. The browser is not to remember it. */
export function RefundAccountFields({
  banks,
  value,
  onChange,
}: {
  banks: readonly Schemas['Bank'][];
  value: TypedAccount;
  onChange: (account: TypedAccount) => void;
}) {
  const { t } = useTranslation('purchase');
  const change = (part: Partial<TypedAccount>) => onChange({ ...value, ...part });
  return (
    <fieldset className="grid gap-3">
      <legend className="mb-2 text-sm font-medium">{t('refund.account.title')}</legend>
      <label className="grid gap-1 text-sm text-soft">
        {t('deposit.bank')}
        <select required value={value.bank} onChange={({ target }) => change({ bank: target.value })} className={FIELD}>
          <option value="" disabled>
            {t('refund.account.chooseBank')}
          </option>
          {banks.map(({ code, name }) => (
            <option key={code} value={code}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label className="grid gap-1 text-sm text-soft">
        {t('deposit.account')}
        <input
          required
          inputMode="numeric"
          autoComplete="off"
          pattern="[\s\-]*([0-9][\s\-]*){6,20}"
          title={t('refund.account.numberHint')}
          maxLength={40}
          value={value.accountNumber}
          onChange={({ target }) => change({ accountNumber: target.value })}
          className={`${FIELD} tabular-nums`}
        />
      </label>
      <label className="grid gap-1 text-sm text-soft">
        {t('deposit.holder')}
        <input
          required
          autoComplete="off"
          maxLength={60}
          value={value.holderName}
          onChange={({ target }) => change({ holderName: target.value })}
          className={FIELD}
        />
      </label>
    </fieldset>
  );
}
