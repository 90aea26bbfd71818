import { useFigures } from '../usage/figures.ts';

/** An instant in a table: in one piece. */
export function When({ at }: { at: string }) {
  const { moment } = useFigures();
  return (
    <time dateTime={at} className="whitespace-nowrap">
      {moment(at)}
    </time>
  );
}
