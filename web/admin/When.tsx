import { useFigures } from '../usage/figures.ts';

/** An instant in a table, kept on one line. */
export function When({ at }: { at: string }) {
  const { moment } = useFigures();
  return (
    <time dateTime={at} className="whitespace-nowrap">
      {moment(at)}
    </time>
  );
}
