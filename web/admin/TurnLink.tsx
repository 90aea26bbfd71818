import { Link } from 'wouter';

/** The end of an id. Ids are long and begin alike, so only their ends tell them apart. */
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
