import type { ClientBase } from 'pg';

/** @param verb the statement's first word. */
export type TraceStatement = <T>(verb: string, run: () => Promise<T>) => Promise<T>;

/**
 * Traces the statements of a client that answers by promises. Only a statement's first word is told, never its text.
 */
export function traceClient(client: ClientBase, traceStatement: TraceStatement): void {
  const query = client.query.bind(client) as (...args: unknown[]) => unknown;
  client.query = ((...args: unknown[]) => {
    const [statement] = args;
    const text = typeof statement === 'string' ? statement : isQuery(statement) ? statement.text : null;
    if (text === null || typeof args.at(-1) === 'function') return query(...args);
    return traceStatement(
      /[a-z]+/i.exec(text)?.[0]?.toUpperCase() ?? 'QUERY',
      () => query(...args) as Promise<unknown>,
    );
  }) as typeof client.query;
}

/** A cursor hands itself in and answers by events, so it is not traced. */
function isQuery(statement: unknown): statement is { text: string } {
  return (
    typeof statement === 'object' &&
    statement !== null &&
    'text' in statement &&
    typeof statement.text === 'string' &&
    !('submit' in statement)
  );
}
