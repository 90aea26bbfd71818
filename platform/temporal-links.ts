/** Where the Temporal UI shows a workflow; null when nobody said where the UI is (`TEMPORAL_UI_URL`). */
export interface TemporalLinks {
  /** All runs of a workflow id. */
  workflow(workflowId: string): string | null;
  /** The history of one run. */
  run(workflowId: string, runId: string): string | null;
}

export function createTemporalLinks({
  uiUrl,
  namespace,
}: {
  uiUrl: string | undefined;
  namespace: string;
}): TemporalLinks {
  const base =
    uiUrl === undefined ? null : `${uiUrl.replace(/\/+$/, '')}/namespaces/${encodeURIComponent(namespace)}/workflows`;
  return {
    workflow: (workflowId) =>
      base === null ? null : `${base}?query=${encodeURIComponent(`WorkflowId="${workflowId}"`)}`,
    run: (workflowId, runId) =>
      base === null ? null : `${base}/${encodeURIComponent(workflowId)}/${encodeURIComponent(runId)}/history`,
  };
}
