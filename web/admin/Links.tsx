import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { Schemas } from '../api/schemas.ts';
import { useFigures } from '../usage/figures.ts';
import { LookAlikes } from './users/LookAlikes.tsx';

/** What a person is called: by their name, else their e-mail, else their number. */
export function usePersonName() {
  const { t } = useTranslation('people');
  return ({ name, email, userId }: Pick<Schemas['Person'], 'userId' | 'name' | 'email'>) =>
    name ?? email ?? t('numbered', { id: userId });
}

/**
 * A person in a row: what they are called, which leads to their page, and under it what else tells them from others.
 * @param userId null: nobody, it came from the command line.
 */
export function PersonLink({ person, userId }: { person: Schemas['Person'] | null; userId: number | null }) {
  const { t } = useTranslation('people');
  const nameOf = usePersonName();
  if (userId === null) return t('cli');
  const { name, email, emailLookAlikes = [] } = person ?? { name: null, email: null };
  return (
    <>
      <Link
        href={`/admin/users/${userId}`}
        className={`font-medium text-accent hover:underline ${name === null && email === null ? 'whitespace-nowrap' : 'break-words'}`}
      >
        {nameOf({ userId, name, email })}
      </Link>
      <LookAlikes of={emailLookAlikes} />
      {(name !== null || email !== null) && (
        <span className="block text-xs break-all text-faint">
          {name !== null && email !== null ? `${email} · ` : ''}
          <span className="whitespace-nowrap">#{userId}</span>
        </span>
      )}
    </>
  );
}

/** What a row is about, by when it happened. */
export function MomentLink({ href, at }: { href: string; at: string }) {
  const { moment } = useFigures();
  return (
    <Link href={href} className="font-medium whitespace-nowrap text-accent hover:underline">
      {moment(at)}
    </Link>
  );
}
