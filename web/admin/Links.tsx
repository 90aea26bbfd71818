import { Link } from 'wouter';
import { useFigures } from '../usage/figures.ts';

export function UserLink({ userId }: { userId: number }) {
  return (
    <Link href={`/admin/users/${userId}`} className="text-accent hover:underline">
      {userId}
    </Link>
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
