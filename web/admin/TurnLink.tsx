import { Link } from 'wouter';

/** Ids are long and alike at their beginning: their end tells them apart. */
export function ending(id: string): string {
  return `…${id.slice(-12)}`;
}

export function TurnLink({ turnId }: { turnId: string }) {
  return (
    <Link href={`/admin/turns/${turnId}`} title={turnId} className="font-mono text-xs text-accent hover:underline">
      {ending(turnId)}
    </Link>
  );
}
